// Writes the inputs of a session in their order, and reads them again: a recorded call is a bug report that replays.
import type { Session } from '../session/session.ts';
import type { SessionEvent } from '../session/inputs.ts';
import type { SessionOptions } from '../session/options.ts';

/** First line of a recording: the format's name, a space, the session's options as JSON, a line end. */
const MAGIC = 'syrinx-recording-1';
/** Then records: kind (1 byte), host time in ms (f64 LE), a number (f64 LE), payload bytes (u32 LE), payload. */
const HEAD_BYTES = 21;
const AUDIO = 1;
const EVENT = 2;
const PULL = 3;
const WAKE = 4;
const SPEECH = 5;
/** Written to the file once this much has come together. */
const BLOCK_BYTES = 64 * 1024;

export interface RecordingSink {
  write(bytes: Uint8Array): void;
  close(): void;
}

/** A session of which every input is written to `sink` before it takes effect. A sink that throws ends the recording, not the session. */
export function recordSession(
  session: Session,
  options: SessionOptions,
  sink: RecordingSink,
  onFailure: (error: unknown) => void = () => {},
): Session {
  const block = new BlockWriter(sink, onFailure);
  block.bytes(new TextEncoder().encode(`${MAGIC} ${JSON.stringify(options)}\n`));
  return {
    audio(packet, position, nowMs) {
      block.record(AUDIO, nowMs, position, packet);
      session.audio(packet, position, nowMs);
      if (session.ended) block.close();
    },
    event(event, nowMs) {
      if (event.type === 'speech') {
        const { samples } = event;
        // Turn and piece in one number: both stay far below 2^24.
        block.record(
          SPEECH,
          nowMs,
          event.turn * 2 ** 24 + event.piece,
          new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength),
        );
      } else block.record(EVENT, nowMs, 0, new TextEncoder().encode(JSON.stringify(event)));
      session.event(event, nowMs);
      if (session.ended) block.close();
    },
    pull(out, nowMs) {
      block.record(PULL, nowMs, out.length, EMPTY);
      const speech = session.pull(out, nowMs);
      if (session.ended) block.close();
      return speech;
    },
    wake(nowMs) {
      block.record(WAKE, nowMs, 0, EMPTY);
      session.wake(nowMs);
      if (session.ended) block.close();
    },
    get queuedMs() {
      return session.queuedMs;
    },
    get sounding() {
      return session.sounding;
    },
    get ended() {
      return session.ended;
    },
    get framesIn() {
      return session.framesIn;
    },
    get framesLate() {
      return session.framesLate;
    },
    get frameLatencyMs() {
      return session.frameLatencyMs;
    },
    get quality() {
      return session.quality;
    },
    ledger: (startedAt) => session.ledger(startedAt),
    heardSoFar: (nowMs) => session.heardSoFar(nowMs),
    snapshot: () => session.snapshot(),
  };
}

const EMPTY = new Uint8Array(0);

class BlockWriter {
  readonly #sink: RecordingSink;
  readonly #onFailure: (error: unknown) => void;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  readonly #view = new DataView(this.#block.buffer);
  #used = 0;
  #closed = false;

  constructor(sink: RecordingSink, onFailure: (error: unknown) => void) {
    this.#sink = sink;
    this.#onFailure = onFailure;
  }

  record(kind: number, nowMs: number, number: number, payload: Uint8Array): void {
    if (this.#closed) return;
    if (this.#used + HEAD_BYTES > BLOCK_BYTES) this.#flush();
    this.#view.setUint8(this.#used, kind);
    this.#view.setFloat64(this.#used + 1, nowMs, true);
    this.#view.setFloat64(this.#used + 9, number, true);
    this.#view.setUint32(this.#used + 17, payload.length, true);
    this.#used += HEAD_BYTES;
    this.bytes(payload);
  }

  bytes(payload: Uint8Array): void {
    for (let at = 0; at < payload.length; ) {
      if (this.#used === BLOCK_BYTES) this.#flush();
      const part = Math.min(payload.length - at, BLOCK_BYTES - this.#used);
      this.#block.set(payload.subarray(at, at + part), this.#used);
      this.#used += part;
      at += part;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    this.#safely(() => this.#sink.close());
  }

  #flush(): void {
    if (this.#used > 0 && !this.#closed) this.#safely(() => this.#sink.write(this.#block.slice(0, this.#used)));
    this.#used = 0;
  }

  #safely(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#closed = true;
      this.#onFailure(error);
    }
  }
}

/** One input of a recording. */
export type RecordedInput =
  | { readonly type: 'audio'; readonly nowMs: number; readonly position: number; readonly packet: Uint8Array }
  | { readonly type: 'event'; readonly nowMs: number; readonly event: SessionEvent }
  | { readonly type: 'pull'; readonly nowMs: number; readonly samples: number }
  | { readonly type: 'wake'; readonly nowMs: number };

export interface Recording {
  readonly options: SessionOptions;
  readonly inputs: readonly RecordedInput[];
  /** The file ends in the middle of a record: the program that wrote it was stopped. */
  readonly truncated: boolean;
}

/** Thrown for files that are no recordings. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

/** Throws `RecordingError` for anything but a recording; one that was cut off is read as far as it goes. */
export function readRecording(bytes: Uint8Array): Recording {
  const end = bytes.indexOf(10);
  const head = end < 0 ? '' : new TextDecoder().decode(bytes.subarray(0, end));
  if (!head.startsWith(`${MAGIC} `))
    throw new RecordingError(`Not a recording: the file does not begin with '${MAGIC}'`);
  let options: SessionOptions;
  try {
    options = JSON.parse(head.slice(MAGIC.length + 1));
  } catch {
    throw new RecordingError('Recording is damaged: its options are not valid JSON');
  }
  checkOptions(options);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const inputs: RecordedInput[] = [];
  let at = end + 1;
  while (at + HEAD_BYTES <= bytes.length) {
    const kind = view.getUint8(at);
    const nowMs = view.getFloat64(at + 1, true);
    const number = view.getFloat64(at + 9, true);
    const length = view.getUint32(at + 17, true);
    if (at + HEAD_BYTES + length > bytes.length) break;
    inputs.push(decode(kind, nowMs, number, bytes.slice(at + HEAD_BYTES, at + HEAD_BYTES + length)));
    at += HEAD_BYTES + length;
  }
  return { options, inputs, truncated: at !== bytes.length };
}

/** The shape of the options as far as a session would fall over its absence. */
function checkOptions(options: unknown): void {
  const given = (typeof options === 'object' && options !== null ? options : {}) as Record<string, unknown>;
  const isGroup = (key: string) => typeof given[key] === 'object' && given[key] !== null;
  const whole =
    typeof given.id === 'string' &&
    RATES.has(given.inputRateHz) &&
    RATES.has(given.outputRateHz) &&
    Array.isArray(given.tools) &&
    ['listening', 'turns', 'reply', 'phrases'].every(isGroup);
  if (!whole) throw new RecordingError('Recording is damaged: its options are not those of a session');
}

const RATES = new Set<unknown>([8000, 16000, 24000, 48000]);
/** Longer pulls than a second are no pulls of this program. */
const MAX_PULL_SAMPLES = 48_000;

function decode(kind: number, nowMs: number, number: number, payload: Uint8Array): RecordedInput {
  if (!Number.isFinite(nowMs) || !Number.isFinite(number) || number < 0)
    throw new RecordingError('Recording is damaged: a number is out of range');
  switch (kind) {
    case AUDIO:
      return { type: 'audio', nowMs, position: number, packet: payload };
    case PULL:
      if (!Number.isInteger(number) || number > MAX_PULL_SAMPLES)
        throw new RecordingError(`Recording is damaged: a pull of ${number} samples`);
      return { type: 'pull', nowMs, samples: number };
    case WAKE:
      return { type: 'wake', nowMs };
    case SPEECH: {
      const turn = Math.floor(number / 2 ** 24);
      const samples = new Int16Array(payload.buffer, payload.byteOffset, payload.byteLength >> 1);
      return { type: 'event', nowMs, event: { type: 'speech', turn, piece: number - turn * 2 ** 24, samples } };
    }
    case EVENT:
      return { type: 'event', nowMs, event: decodeEvent(payload) };
    default:
      throw new RecordingError(`Recording is damaged: unknown kind of record ${kind}`);
  }
}

function decodeEvent(payload: Uint8Array): SessionEvent {
  let event: unknown;
  try {
    event = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    throw new RecordingError('Recording is damaged: an event is not valid JSON');
  }
  if (typeof event !== 'object' || event === null || typeof (event as { type?: unknown }).type !== 'string')
    throw new RecordingError('Recording is damaged: an event has no type');
  return event as SessionEvent;
}
