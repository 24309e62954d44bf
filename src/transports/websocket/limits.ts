// The bounds of the WebSocket transport, and what it counts when they are met.

export interface WebSocketLimits {
  /** Largest message of a client, in bytes; one second of audio is the other bound. */
  readonly maxFrameBytes: number;
  /** Longest JSON message of a client, in characters. */
  readonly maxTextLength: number;
  /** How much faster than real time a caller's audio may come, over `floodWindowMs`. */
  readonly maxSpeed: number;
  readonly floodWindowMs: number;
  /** A flood that lasts this long ends the call. */
  readonly floodCloseMs: number;
  /** So does one of which this much audio had to be dropped. */
  readonly floodCloseAudioMs: number;
  /** JSON messages of a client per second, and how many may come at once. */
  readonly maxMessagesPerSecond: number;
  readonly messageBurst: number;
  /** Malformed messages and frames on one connection before it is closed. */
  readonly maxMalformed: number;
  /** Bytes that wait for a slow reader before agent audio is dropped; twice as many end the call. */
  readonly maxBufferedBytes: number;
  /** A reader that stays slow this long loses the call. */
  readonly slowCloseMs: number;
  /** How long a new connection may take to say what it wants. */
  readonly helloMs: number;
  /** Silence of a client (no audio, no message) that ends the call. */
  readonly idleMs: number;
  /** How long a call waits for a client that lost its connection. */
  readonly resumeGraceMs: number;
  /** News kept for a client that is away. */
  readonly maxMissedNotices: number;
}

export const DEFAULT_LIMITS: WebSocketLimits = {
  maxFrameBytes: 65_536,
  maxTextLength: 16_384,
  maxSpeed: 3,
  floodWindowMs: 2_000,
  floodCloseMs: 3_000,
  floodCloseAudioMs: 30_000,
  maxMessagesPerSecond: 100,
  messageBurst: 300,
  maxMalformed: 10,
  maxBufferedBytes: 524_288,
  slowCloseMs: 10_000,
  helloMs: 10_000,
  idleMs: 60_000,
  resumeGraceMs: 30_000,
  maxMissedNotices: 32,
};

/** Totals over the life of the transport. */
export interface WebSocketCounts {
  connections: number;
  calls: number;
  resumed: number;
  /** Calls whose client did not come back in time. */
  lost: number;
  malformedMessages: number;
  unknownMessages: number;
  /** JSON messages dropped because too many came. */
  shedMessages: number;
  oddFrames: number;
  oversizedFrames: number;
  /** Caller's audio dropped in floods, in samples. */
  shedInputSamples: number;
  /** Agent's audio dropped for slow or absent clients, in samples. */
  shedOutputSamples: number;
  missedNotices: number;
}

export function createCounts(): WebSocketCounts {
  return {
    connections: 0,
    calls: 0,
    resumed: 0,
    lost: 0,
    malformedMessages: 0,
    unknownMessages: 0,
    shedMessages: 0,
    oddFrames: 0,
    oversizedFrames: 0,
    shedInputSamples: 0,
    shedOutputSamples: 0,
    missedNotices: 0,
  };
}

/** Fills with what comes and leaks at a steady rate; `take` says no to what would not fit. */
export class LeakyBucket {
  readonly #capacity: number;
  readonly #leakPerMs: number;
  #level = 0;
  #atMs: number;
  constructor(capacity: number, leakPerMs: number, nowMs: number) {
    this.#capacity = capacity;
    this.#leakPerMs = leakPerMs;
    this.#atMs = nowMs;
  }
  take(amount: number, nowMs: number): boolean {
    this.#level = Math.max(0, this.#level - (nowMs - this.#atMs) * this.#leakPerMs);
    this.#atMs = nowMs;
    if (this.#level + amount > this.#capacity) return false;
    this.#level += amount;
    return true;
  }
}
