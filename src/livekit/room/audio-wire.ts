// The two messages of the audio path on LiveKit's native interface, read and written by hand: they come 100 times a second and call.

/** First byte of an event that carries audio (`FfiEvent.audio_stream_event`, field 4). */
export const AUDIO_EVENT_TAG = (4 << 3) | 2;
/** First byte of the answer to a capture (`FfiEvent.capture_audio_frame`, field 13). */
export const CAPTURED_EVENT_TAG = (13 << 3) | 2;
/** First two bytes of a batch of log records (`FfiEvent.logs`, field 18). */
export const LOGS_EVENT_TAGS = [((18 << 3) & 0x7f) | 2 | 0x80, (18 << 3) >> 7] as const;

/** What an audio event says. Handles and addresses stay below 2^53. One object is filled again and again. */
export interface AudioEvent {
  stream: number;
  kind: 'frame' | 'end' | 'unknown';
  frameHandle: number;
  address: number;
  channels: number;
  samples: number;
}

export function emptyAudioEvent(): AudioEvent {
  return { stream: 0, kind: 'unknown', frameHandle: 0, address: 0, channels: 0, samples: 0 };
}

/** A place in a message. Reading past the end gives zeros, so that a cut message ends instead of throwing. */
let at = 0;

function varint(bytes: Uint8Array): number {
  let value = 0;
  let scale = 1;
  for (let n = 0; n < 10; n++) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    scale *= 128;
  }
  return value;
}

function skip(bytes: Uint8Array, wireType: number): void {
  if (wireType === 0) varint(bytes);
  else if (wireType === 1) at += 8;
  else if (wireType === 2) at = varint(bytes) + at;
  else if (wireType === 5) at += 4;
  else at = bytes.length;
}

/** Reads an event whose first byte is `AUDIO_EVENT_TAG`. */
export function readAudioEvent(bytes: Uint8Array, into: AudioEvent): AudioEvent {
  into.stream = into.frameHandle = into.address = into.channels = into.samples = 0;
  into.kind = 'unknown';
  at = 1;
  const end = varint(bytes) + at;
  while (at < end && at < bytes.length) {
    const tag = varint(bytes);
    if (tag === ((1 << 3) | 0)) into.stream = varint(bytes);
    else if (tag === ((2 << 3) | 2)) {
      into.kind = 'frame';
      const stop = varint(bytes) + at;
      while (at < stop && at < bytes.length) {
        if (varint(bytes) === ((1 << 3) | 2)) ownedFrame(bytes, into);
        else at = stop;
      }
    } else if (tag === ((3 << 3) | 2)) {
      into.kind = 'end';
      at = varint(bytes) + at;
    } else skip(bytes, tag & 7);
  }
  return into;
}

function ownedFrame(bytes: Uint8Array, into: AudioEvent): void {
  const end = varint(bytes) + at;
  while (at < end && at < bytes.length) {
    const tag = varint(bytes);
    const stop = varint(bytes) + at;
    while (at < stop && at < bytes.length) {
      const field = varint(bytes);
      if ((field & 7) !== 0) skip(bytes, field & 7);
      else if (tag === ((1 << 3) | 2)) {
        const value = varint(bytes);
        if (field >> 3 === 1) into.frameHandle = value;
      } else {
        const value = varint(bytes);
        if (field >> 3 === 1) into.address = value;
        else if (field >> 3 === 2) into.channels = value;
        else if (field >> 3 === 4) into.samples = value;
      }
    }
  }
}

/** Reads an event whose first byte is `CAPTURED_EVENT_TAG`: whose capture it was, and whether it failed. */
export function readCaptured(bytes: Uint8Array, into: { id: number; failed: boolean }): void {
  into.id = 0;
  into.failed = false;
  at = 1;
  const end = varint(bytes) + at;
  while (at < end && at < bytes.length) {
    const tag = varint(bytes);
    if (tag === ((1 << 3) | 0)) into.id = varint(bytes);
    else {
      into.failed = true;
      skip(bytes, tag & 7);
    }
  }
}

export interface CaptureRequest {
  readonly source: bigint;
  /** Where the samples are. */
  readonly address: bigint;
  readonly sampleRateHz: number;
  readonly samples: number;
  /** Comes back in the answer. */
  readonly id: bigint;
}

/** Writes `FfiRequest { capture_audio_frame }` (field 27) for mono PCM16. */
export function captureRequest({ source, address, sampleRateHz, samples, id }: CaptureRequest): Uint8Array {
  const buffer = [
    ...field(1, address),
    ...field(2, 1n),
    ...field(3, BigInt(sampleRateHz)),
    ...field(4, BigInt(samples)),
  ];
  const capture = [...field(1, source), ...nested(2, buffer), ...field(3, id)];
  return Uint8Array.from(nested(27, capture));
}

function bytesOf(value: bigint): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return out;
}

/** For the requests that are written by hand: a number, and a message in a message. */
export function field(number: number, value: bigint): number[] {
  return [...bytesOf(BigInt(number << 3)), ...bytesOf(value)];
}

export function nested(number: number, content: readonly number[]): number[] {
  return [...bytesOf(BigInt((number << 3) | 2)), ...bytesOf(BigInt(content.length)), ...content];
}
