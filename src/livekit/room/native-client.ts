// LiveKit's native events taken apart by handle: a room, a stream, a waiting call gets what is for it and nothing else, so that cost
// grows with the number of rooms and not with its square. Stands in for the client that rtc-node would make itself.
import type { FfiEvent } from '@livekit/rtc-ffi-bindings';
import type { StatsEntry } from './connection.ts';
import { giveBack, giveBackHandle } from './native-memory.ts';
import { readStats, STATS_EVENT_TAGS, statsAsyncId, statsRequest } from './stats-wire.ts';
import {
  AUDIO_EVENT_TAG,
  CAPTURED_EVENT_TAG,
  emptyAudioEvent,
  LOGS_EVENT_TAGS,
  readAudioEvent,
  readCaptured,
} from './audio-wire.ts';

/** What is used of `@livekit/rtc-ffi-bindings`. */
export interface NativeBindings {
  livekitInitialize(callback: (event: Uint8Array) => void, captureLogs: boolean, sdkVersion: string): void;
  livekitFfiRequest(request: Uint8Array): Uint8Array;
  livekitCopyBuffer(address: bigint, length: number): Uint8Array;
  livekitRetrievePtr(bytes: Uint8Array): bigint;
  readonly FfiHandle: new (id: bigint) => NativeHandle;
  readonly FfiEvent: { fromBinary(bytes: Uint8Array): FfiEvent };
  readonly FfiRequest: new (message: never) => { toBinary(): Uint8Array };
  readonly FfiResponse: { fromBinary(bytes: Uint8Array): { readonly message: { readonly value?: unknown } } };
}

/** An object of the native library. One that becomes unreachable is disposed by the garbage collector, and what it stands for stops. */
export interface NativeHandle {
  readonly handle: bigint;
  dispose(): void;
}

/** Mono PCM16, borrowed for the duration of the call. */
export type AudioSink = (pcm: Uint8Array) => void;

export interface NativeCounts {
  events: number;
  audioFrames: number;
  /** Frames that the native queue had no room for. */
  rejectedFrames: number;
  /** Events for handles that nobody has any more. */
  strayEvents: number;
  /** Listeners of rtc-node that threw. */
  listenerErrors: number;
}

/** The statistics of one room. */
export interface StatsReader {
  /** One at a time: a second one takes the place of one that is not answered. */
  read(): Promise<readonly StatsEntry[]>;
  close(): void;
}

type Listener = (event: FfiEvent) => unknown;
interface Waiter {
  readonly wants: (event: FfiEvent) => boolean;
  readonly resolve: (value: unknown) => void;
}
interface Stream {
  readonly sink: AudioSink;
  readonly ended: () => void;
}
type Message = { readonly case?: string; readonly value?: unknown };

/** A stream that was closed: frames that are under way still have memory to be given back, until the library says that it was the last. */
const CLOSED: Stream = { sink: () => {}, ended: () => {} };

/** Ids that we choose lie above those that the native library counts up itself. */
const OWN_IDS = 2 ** 40;
/** Events after which a listener is bound to the handle in the request that follows its registration. */
const READS = new Set(['textReadIncremental', 'byteReadIncremental']);

/** Has the methods that rtc-node 1.1.0 calls on its own client: `on`, `off`, `removeListener`, `emit`, `request`, `waitFor`, `copyBuffer`,
 *  `retrievePtr`, `getNextRequestAsyncId`. */
export class NativeClient {
  readonly bindings: NativeBindings;
  readonly counts: NativeCounts = { events: 0, audioFrames: 0, rejectedFrames: 0, strayEvents: 0, listenerErrors: 0 };
  /** By the handle of a room, and by that of its local participant. */
  readonly #rooms = new Map<bigint, Listener>();
  readonly #readers = new Map<bigint, Listener>();
  readonly #connecting = new Map<bigint, Listener>();
  readonly #waiters = new Map<bigint, Waiter[]>();
  readonly #audio = new Map<number, Stream>();
  readonly #captures = new Map<number, () => void>();
  readonly #stats = new Map<number, (entries: StatsEntry[] | null) => void>();
  /** Listeners of which it is not known what they are for: they see every event, as in rtc-node's own client. */
  readonly #others = new Set<Listener>();
  #unbound: Listener | null = null;
  #lastAsyncId: bigint | null = null;
  #nextId = OWN_IDS;
  readonly #audioEvent = emptyAudioEvent();
  readonly #captured = { id: 0, failed: false };
  readonly #onPanic: (message: string) => void;

  constructor(bindings: NativeBindings, sdkVersion: string, onPanic: (message: string) => void = () => {}) {
    this.bindings = bindings;
    this.#onPanic = onPanic;
    bindings.livekitInitialize((bytes) => this.#take(bytes), false, sdkVersion);
  }

  // ---- what rtc-node calls ----

  on(_name: string, listener: Listener): this {
    this.#others.add(listener);
    this.#unbound = listener;
    return this;
  }

  off(_name: string, listener: Listener): this {
    this.#others.delete(listener);
    for (const map of [this.#rooms, this.#readers, this.#connecting])
      for (const [key, value] of map) if (value === listener) map.delete(key);
    return this;
  }

  removeListener(name: string, listener: Listener): this {
    return this.off(name, listener);
  }

  emit(_name: string, event: FfiEvent): boolean {
    this.#route(event);
    return true;
  }

  request(message: unknown): unknown {
    const bytes = new this.bindings.FfiRequest(message as never).toBinary();
    const answer = this.bindings.FfiResponse.fromBinary(this.bindings.livekitFfiRequest(bytes)).message.value as
      | { asyncId?: bigint }
      | undefined;
    // A waiter is registered right after its request, or before it with an id that it asked for.
    this.#lastAsyncId = answer?.asyncId ?? null;
    this.#bind((message as { message?: Message }).message ?? {}, this.#lastAsyncId);
    return answer;
  }

  #bind(request: Message, asyncId: bigint | null): void {
    const listener = this.#unbound;
    this.#unbound = null;
    if (listener === null) return;
    if (request.case === 'connect' && asyncId !== null) this.#connecting.set(asyncId, listener);
    else if (READS.has(request.case ?? ''))
      this.#readers.set((request.value as { readerHandle: bigint }).readerHandle, listener);
    else return;
    this.#others.delete(listener);
  }

  waitFor(wants: (event: FfiEvent) => boolean, options?: { signal?: AbortSignal }): Promise<unknown> {
    const key = this.#lastAsyncId;
    this.#lastAsyncId = null;
    const signal = options?.signal;
    return new Promise((resolve, reject) => {
      const aborted = () => {
        forget();
        reject(signal?.reason ?? new Error('Aborted'));
      };
      const waiter: Waiter = {
        wants,
        resolve: (value) => {
          forget();
          resolve(value);
        },
      };
      const listener: Listener = (event) => {
        if (wants(event)) waiter.resolve(event.message.value);
      };
      const forget = () => {
        signal?.removeEventListener('abort', aborted);
        if (key === null) this.#others.delete(listener);
        else this.#dropWaiter(key, waiter);
      };
      if (signal?.aborted) return aborted();
      signal?.addEventListener('abort', aborted);
      if (key === null) this.#others.add(listener);
      else this.#waiters.set(key, [...(this.#waiters.get(key) ?? []), waiter]);
    });
  }

  #dropWaiter(key: bigint, waiter: Waiter): void {
    const left = (this.#waiters.get(key) ?? []).filter((w) => w !== waiter);
    if (left.length === 0) this.#waiters.delete(key);
    else this.#waiters.set(key, left);
  }

  copyBuffer(address: bigint, length: number): Uint8Array {
    return this.bindings.livekitCopyBuffer(address, length);
  }

  retrievePtr(bytes: Uint8Array): bigint {
    return this.bindings.livekitRetrievePtr(bytes);
  }

  getNextRequestAsyncId(): bigint {
    const id = BigInt(++this.#nextId);
    this.#lastAsyncId = id;
    return id;
  }

  // ---- what we call ----

  /** Frames of a native audio stream go to `sink` from now on, in the call stack of the event. */
  listen(stream: bigint, sink: AudioSink, ended: () => void): () => void {
    const key = Number(stream);
    this.#audio.set(key, { sink, ended });
    return () => {
      if (this.#audio.has(key)) this.#audio.set(key, CLOSED);
    };
  }

  /** An id for captures of one source; `rejected` is called for each frame that was not taken. */
  captureId(rejected: () => void): { readonly id: bigint; release(): void } {
    const id = ++this.#nextId;
    this.#captures.set(id, rejected);
    return { id: BigInt(id), release: () => this.#captures.delete(id) };
  }

  /** Statistics of a room, by a request that is written once. */
  statsOf(room: bigint): StatsReader {
    const id = ++this.#nextId;
    const request = statsRequest(room, BigInt(id));
    let giveUp: ((why: string) => void) | null = null;
    return {
      read: () => {
        giveUp?.('No answer');
        return new Promise((resolve, reject) => {
          const settle = () => {
            giveUp = null;
            this.#stats.delete(id);
          };
          const failed = (why: string) => {
            settle();
            reject(new Error(why));
          };
          giveUp = failed;
          this.#stats.set(id, (entries) => {
            if (entries === null) return failed('No statistics');
            settle();
            resolve(entries);
          });
          try {
            giveBack(this.bindings.livekitFfiRequest(request));
          } catch (error) {
            failed(error instanceof Error ? error.message : String(error));
          }
        });
      },
      close: () => giveUp?.('Closed'),
    };
  }

  /** What is registered; for tests and for finding leaks. */
  get registered(): { rooms: number; readers: number; waiters: number; streams: number; others: number } {
    return {
      rooms: this.#rooms.size,
      readers: this.#readers.size,
      waiters: this.#waiters.size,
      streams: this.#audio.size,
      others: this.#others.size,
    };
  }

  // ---- events ----

  #take(bytes: Uint8Array): void {
    this.counts.events++;
    try {
      if (this.#takeOften(bytes)) giveBack(bytes);
      else this.#route(this.bindings.FfiEvent.fromBinary(bytes));
    } catch {
      // Nothing may be thrown into the native library.
      this.counts.listenerErrors++;
    }
  }

  /** What comes often is read by hand, and nothing of it is kept. */
  #takeOften(bytes: Uint8Array): boolean {
    const first = bytes[0];
    const second = bytes[1];
    if (first === AUDIO_EVENT_TAG) return this.#takeAudio(bytes);
    if (first === CAPTURED_EVENT_TAG) return this.#takeCaptured(bytes);
    if (first === STATS_EVENT_TAGS[0] && second === STATS_EVENT_TAGS[1]) return this.#takeStats(bytes);
    return first === LOGS_EVENT_TAGS[0] && second === LOGS_EVENT_TAGS[1];
  }

  #takeAudio(bytes: Uint8Array): boolean {
    const event = readAudioEvent(bytes, this.#audioEvent);
    const stream = this.#audio.get(event.stream);
    if (stream === undefined) return false;
    if (event.kind === 'end') {
      this.#audio.delete(event.stream);
      stream.ended();
    } else if (event.kind === 'frame') {
      this.counts.audioFrames++;
      const { bindings } = this;
      const pcm =
        stream === CLOSED
          ? null
          : bindings.livekitCopyBuffer(BigInt(event.address), event.samples * event.channels * 2);
      new bindings.FfiHandle(BigInt(event.frameHandle)).dispose();
      if (pcm === null) return true;
      stream.sink(pcm);
      giveBack(pcm);
    }
    return true;
  }

  #takeCaptured(bytes: Uint8Array): boolean {
    readCaptured(bytes, this.#captured);
    if (this.#captured.id < OWN_IDS) return false;
    if (this.#captured.failed) {
      this.counts.rejectedFrames++;
      this.#captures.get(this.#captured.id)?.();
    }
    return true;
  }

  #takeStats(bytes: Uint8Array): boolean {
    const answer = this.#stats.get(statsAsyncId(bytes));
    if (answer === undefined) return false;
    answer(readStats(bytes));
    return true;
  }

  #route(event: FfiEvent): void {
    const { message } = event;
    for (const listener of this.#others) this.#tell(listener, event);
    switch (message.case) {
      case 'roomEvent': {
        const key = message.value.roomHandle as bigint;
        this.#tellBy(this.#rooms, key, event);
        // Nothing comes after the end of stream; rtc-node does not take its listener back where the server ended it.
        if (message.value.message.case === 'eos') this.#forgetRoom(key);
        return;
      }
      case 'rpcMethodInvocation':
        return this.#tellBy(this.#rooms, message.value.localParticipantHandle as bigint, event);
      case 'textStreamReaderEvent':
      case 'byteStreamReaderEvent':
        return this.#tellBy(this.#readers, message.value.readerHandle as bigint, event);
      case 'panic':
        return this.#onPanic(message.value.message ?? '');
      case 'connect':
        this.#connected(message.value.asyncId as bigint, message.value.message);
    }
    const key = (message.value as { asyncId?: bigint } | undefined)?.asyncId;
    if (key === undefined) return;
    const waiters = this.#waiters.get(key);
    if (waiters === undefined) return this.#unwanted(message);
    for (const waiter of waiters) if (waiter.wants(event)) waiter.resolve(message.value);
  }

  /** A stream that was opened for somebody who has left meanwhile. */
  #unwanted({ case: kind, value }: Message): void {
    if (kind !== 'textStreamOpen' && kind !== 'byteStreamOpen') return;
    const { result } = value as { result?: { case?: string; value?: { handle?: { id?: bigint } } } };
    const id = result?.case === 'writer' ? result.value?.handle?.id : undefined;
    if (id !== undefined) giveBackHandle(new this.bindings.FfiHandle(id));
  }

  #connected(asyncId: bigint, result: Message): void {
    const listener = this.#connecting.get(asyncId);
    this.#connecting.delete(asyncId);
    if (listener === undefined || result.case !== 'result') return;
    const { room, localParticipant } = result.value as Record<string, { handle?: { id?: bigint } }>;
    for (const id of [room?.handle?.id, localParticipant?.handle?.id])
      if (id !== undefined) this.#rooms.set(id, listener);
  }

  #forgetRoom(key: bigint): void {
    const listener = this.#rooms.get(key);
    if (listener !== undefined) this.off('', listener);
  }

  #tellBy(map: Map<bigint, Listener>, key: bigint, event: FfiEvent): void {
    const listener = map.get(key);
    if (listener === undefined) this.counts.strayEvents++;
    else this.#tell(listener, event);
  }

  /** rtc-node's listeners are async and reject on events that do not fit; one must not end the process. */
  #tell(listener: Listener, event: FfiEvent): void {
    const failed = () => {
      this.counts.listenerErrors++;
    };
    try {
      const result = listener(event);
      if (result instanceof Promise) result.catch(failed);
    } catch {
      failed();
    }
  }
}
