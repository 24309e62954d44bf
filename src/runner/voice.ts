// Speaks pieces in their order: asks the voice model a piece ahead, brings its audio to the line's rate, and never runs far ahead of the ear.
import type { AudioCore, Resampler, SampleRateHz } from '../audio/core.ts';
import { ModelError, type TtsModel } from '../models/port.ts';
import type { CannedAudio } from './canned.ts';
import type { Clock } from './clock.ts';
import { asModelError, type Candidate, type PersistContext, persist } from './persist.ts';
import type { Scope } from './scope.ts';
import { closeStream, type OpenStream, openStream, readAll } from './stream.ts';

/** A session holds at most this much speech that was not played. */
const MAX_QUEUED_MS = 3000;
/** Audio goes to the session in slices of this length. */
const SLICE_MS = 100;
/** A stream that has begun may pause this long. */
const IDLE_MS = 10_000;
/** Audio of one piece; a voice that goes on beyond it is broken. */
const MAX_PIECE_MS = 300_000;

export interface PieceRequest {
  readonly turn: number;
  readonly piece: number;
  readonly text: string;
}

/** Where the audio goes; all of it synchronous. */
export interface VoiceSink {
  /** `samples` are borrowed: valid only during the call. */
  speech(request: PieceRequest, samples: Int16Array): void;
  spoken(request: PieceRequest): void;
  failed(request: PieceRequest, kind: string, message: string): void;
  stalled(request: PieceRequest): void;
  readonly queuedMs: number;
}

interface OpenPiece {
  readonly request: PieceRequest;
  readonly source: TtsModel;
  readonly stream: OpenStream<Uint8Array>;
  readonly scope: Scope & { close(): void };
}

export interface VoiceOptions {
  readonly models: readonly { readonly model: TtsModel; readonly candidate: Omit<Candidate<never>, 'ask'> }[];
  readonly voice: string | undefined;
  readonly outputRateHz: SampleRateHz;
  readonly core: AudioCore;
  readonly clock: Clock;
  readonly canned: CannedAudio;
  readonly sink: VoiceSink;
  readonly context: (scope: Scope, onStalled: () => void) => PersistContext;
}

export class Voice {
  readonly #options: VoiceOptions;
  readonly #resamplers = new Map<number, Resampler>();
  #scope: (Scope & { close(): void }) | null = null;
  #waiting: PieceRequest[] = [];
  #ahead: Promise<OpenPiece | null> | null = null;
  #speaking = false;
  #running: Promise<void> = Promise.resolve();
  /** Who waits for room in the session's queue. */
  #waiters: (() => void)[] = [];

  constructor(options: VoiceOptions) {
    this.#options = options;
  }

  /** Appends a piece. `parent`: the session's scope. */
  speak(request: PieceRequest, parent: Scope): void {
    this.#scope ??= parent.child();
    this.#waiting.push(request);
    if (!this.#speaking) this.#running = this.#run(this.#scope);
    else if (this.#ahead === null) this.#openNext(this.#scope);
  }

  /** Speaks a stock phrase: by the voice if it is quick, else by the clip that is always there. */
  async speakCanned(request: PieceRequest, name: 'apology' | 'wait' | 'goodbye', parent: Scope): Promise<void> {
    this.#scope ??= parent.child();
    const scope = this.#scope;
    const { canned, outputRateHz, sink } = this.#options;
    try {
      // A sign of life can not wait; an apology comes after what is being said.
      const [samples] = await Promise.all([
        canned.get(name, request.text, outputRateHz),
        name === 'wait' ? undefined : this.#running,
      ]);
      await this.#feed(request, samples, scope);
      if (!scope.signal.aborted) sink.spoken(request);
    } catch (error) {
      if (!scope.signal.aborted) this.#fail(request, error, 'canned');
    }
  }

  /** Drops everything that is not in the session's queue yet. */
  cancel(): void {
    this.#scope?.close();
    this.#scope = null;
    this.#waiting = [];
    void this.#ahead?.then((open) => open !== null && closeStream(open.stream));
    this.#ahead = null;
    this.#speaking = false;
    // What comes next must not wait for a model that does not notice that nobody listens.
    this.#running = Promise.resolve();
    this.#wake();
  }

  /** Called at every tick: the queue may have room again. */
  tick(): void {
    if (this.#waiters.length > 0 && !this.#isFull) this.#wake();
  }

  #wake(): void {
    for (const go of this.#waiters.splice(0)) go();
  }

  release(): void {
    this.cancel();
    for (const resampler of this.#resamplers.values()) resampler.release();
    this.#resamplers.clear();
  }

  /** Never rejects. */
  async #run(scope: Scope): Promise<void> {
    this.#speaking = true;
    this.#openNext(scope);
    while (this.#ahead !== null) {
      const open = await this.#ahead;
      if (scope.signal.aborted) {
        if (open !== null) closeStream(open.stream);
        return;
      }
      this.#ahead = null;
      this.#openNext(scope);
      if (open !== null) await this.#speakPiece(open, scope);
      // By now the session may have cancelled this run and begun another.
      if (scope.signal.aborted) return;
      if (this.#ahead === null) this.#openNext(scope);
    }
    this.#speaking = false;
  }

  #openNext(scope: Scope): void {
    const request = this.#waiting.shift();
    if (request !== undefined) this.#ahead = this.#open(request, scope);
  }

  /** Resolves to null when every model failed (the session has been told) or nobody wants it any more. */
  async #open(request: PieceRequest, scope: Scope): Promise<OpenPiece | null> {
    const { models, voice, context, sink } = this.#options;
    const candidates = models.map(({ model, candidate }) => ({
      ...candidate,
      ask: async (signal: AbortSignal) => ({
        source: model,
        stream: await openStream(model.synthesize({ text: request.text, voice }, signal), model.name),
      }),
      discard: (late: { stream: OpenStream<Uint8Array> }) => closeStream(late.stream),
    }));
    try {
      const { answer, scope: own } = await persist(
        candidates,
        context(scope, () => sink.stalled(request)),
      );
      return { request, ...answer, scope: own };
    } catch (error) {
      if (!scope.signal.aborted) this.#fail(request, error, 'tts');
      return null;
    }
  }

  #fail(request: PieceRequest, error: unknown, source: string): void {
    const failure = asModelError(error, source);
    this.#options.sink.failed(request, failure.kind, failure.message);
  }

  async #speakPiece(open: OpenPiece, scope: Scope): Promise<void> {
    const { request, source } = open;
    const { outputRateHz, clock, sink } = this.#options;
    const reading = { source: source.name, clock, idleMs: IDLE_MS, signal: scope.signal };
    try {
      const resampler = this.#resampler(source.sampleRateHz as SampleRateHz);
      let left = (source.sampleRateHz * MAX_PIECE_MS) / 1000;
      for await (const chunk of readAll(open.stream, reading)) {
        if (scope.signal.aborted) return;
        left -= chunk.byteLength >> 1;
        if (left < 0) throw new ModelError('protocol', source.name, `Spoke for more than ${MAX_PIECE_MS} ms`);
        await this.#feedBytes(request, chunk, source.sampleRateHz, resampler, scope);
        if (scope.signal.aborted) return;
      }
      if (resampler !== null) await this.#feed(request, tail(resampler, outputRateHz), scope);
      if (!scope.signal.aborted) sink.spoken(request);
    } catch (error) {
      if (!scope.signal.aborted) this.#fail(request, error, source.name);
    } finally {
      open.scope.close();
    }
  }

  /** PCM16 as it came, in slices through one shared buffer: arrays for each chunk of each call would keep the collector busy. */
  async #feedBytes(
    request: PieceRequest,
    bytes: Uint8Array,
    rateHz: number,
    resampler: Resampler | null,
    scope: Scope,
  ) {
    const total = bytes.byteLength >> 1;
    const slice = (rateHz * SLICE_MS) / 1000;
    for (let at = 0; at < total; at += slice) {
      if (this.#isFull) await this.#room(scope);
      if (scope.signal.aborted) return;
      const samples = samplesOf(bytes, at, Math.min(slice, total - at));
      this.#options.sink.speech(request, resampler === null ? samples : resampled(resampler, samples));
    }
  }

  async #feed(request: PieceRequest, samples: Int16Array, scope: Scope): Promise<void> {
    const slice = (this.#options.outputRateHz * SLICE_MS) / 1000;
    for (let at = 0; at < samples.length; at += slice) {
      if (this.#isFull) await this.#room(scope);
      if (scope.signal.aborted) return;
      this.#options.sink.speech(request, samples.subarray(at, at + slice));
    }
  }

  get #isFull(): boolean {
    return this.#options.sink.queuedMs > MAX_QUEUED_MS - SLICE_MS;
  }

  /** Resolves when the session's queue takes another slice, or nobody wants it any more. */
  async #room(scope: Scope): Promise<void> {
    while (this.#isFull && !scope.signal.aborted) await new Promise<void>((go) => this.#waiters.push(go));
  }

  #resampler(fromHz: SampleRateHz): Resampler | null {
    const { core, outputRateHz } = this.#options;
    if (fromHz === outputRateHz) return null;
    let resampler = this.#resamplers.get(fromHz);
    if (resampler === undefined) {
      resampler = core.openResampler(fromHz, outputRateHz);
      this.#resamplers.set(fromHz, resampler);
    }
    resampler.reset();
    return resampler;
  }
}

/** What one slice becomes, valid until the next slice of any call: nothing waits between the two. */
let scratchIn = new Int16Array(0);
let scratchOut = new Int16Array(0);

function samplesOf(bytes: Uint8Array, at: number, count: number): Int16Array {
  const offset = bytes.byteOffset + at * 2;
  if (offset % 2 === 0) return new Int16Array(bytes.buffer, offset, count);
  if (scratchIn.length < count) scratchIn = new Int16Array(count);
  new Uint8Array(scratchIn.buffer).set(bytes.subarray(at * 2, (at + count) * 2));
  return scratchIn.subarray(0, count);
}

function resampled(resampler: Resampler, samples: Int16Array): Int16Array {
  const most = resampler.maxOutput(samples.length);
  if (scratchOut.length < most) scratchOut = new Int16Array(most);
  return scratchOut.subarray(0, resampler.process(samples, scratchOut));
}

function tail(resampler: Resampler, rateHz: number): Int16Array {
  const out = new Int16Array(Math.max(resampler.maxOutput(0), rateHz / 50) + resampler.delaySamples * 2);
  return out.subarray(0, resampler.flush(out));
}
