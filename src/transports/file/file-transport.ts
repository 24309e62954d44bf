// A call that comes from a file: the caller's recording goes in at its true pace, what both said comes out on one clock.
import type { CallInput, CallNotice, Transport, TransportRateHz } from '../port.ts';
import { type NetworkOptions, SimulatedNetwork } from './network.ts';

/** The clock that paces it. */
export interface FileClock {
  now(): number;
  setTimer(run: () => void, delayMs: number): () => void;
}

export interface FileCallOptions {
  /** The caller's side: mono PCM16. */
  readonly caller: Int16Array;
  readonly inputRateHz: TransportRateHz;
  readonly outputRateHz: TransportRateHz;
  readonly clock: FileClock;
  readonly input: CallInput;
  /** A bad network between the recording and `input`. Its packets come out of order: the session needs a jitter buffer. */
  readonly network?: NetworkOptions | undefined;
  /** After the recording's end the line stays open until the agent has been silent for this long, ... */
  readonly quietMs?: number;
  /** ... but not longer than this. */
  readonly patienceMs?: number;
}

const PACKET_MS = 20;
/** More than any hold-up of the loop: what is not heard is dropped by `clear`, so a long lead delays nothing. */
const LEAD_MS = 200;

/** The ear is the file: audio sounds from the moment it is handed over, as in a client's player. */
export class FileTransport implements Transport {
  readonly name = 'file';
  readonly inputRateHz: TransportRateHz;
  readonly outputRateHz: TransportRateHz;
  readonly leadMs = LEAD_MS;
  readonly reportsPlayed = false;
  readonly #o: FileCallOptions;
  readonly #startMs: number;
  readonly #packet: Uint8Array;
  readonly #caller: Uint8Array;
  #agent: Int16Array;
  /** End of the agent's audio, in output samples since the start. */
  #agentEnd = 0;
  readonly #network: SimulatedNetwork | null;
  /** By the time at which they arrive. */
  readonly #onTheWay: { readonly atMs: number; readonly position: number; readonly packet: Uint8Array }[] = [];
  #packets = 0;
  #quietSinceMs: number;
  #listening = true;
  #closed = false;
  #cancel: () => void = () => {};

  constructor(options: FileCallOptions) {
    this.#o = options;
    this.inputRateHz = options.inputRateHz;
    this.outputRateHz = options.outputRateHz;
    this.#packet = new Uint8Array((options.inputRateHz * PACKET_MS * 2) / 1000);
    this.#caller = new Uint8Array(options.caller.buffer, options.caller.byteOffset, options.caller.byteLength);
    this.#agent = new Int16Array(
      Math.ceil((options.caller.length * options.outputRateHz) / options.inputRateHz) + options.outputRateHz,
    );
    this.#network = options.network === undefined ? null : new SimulatedNetwork(options.network);
    this.#startMs = options.clock.now();
    this.#quietSinceMs = this.#startMs;
    this.#next();
  }

  /** What the agent said, on the caller's clock, as long as the call was. */
  agentSide(): Int16Array {
    return this.#agent.slice(0, this.#lengthSamples());
  }

  /** Samples of the caller that were sent, silence after the recording's end included. */
  get sentSamples(): number {
    return (this.#packets * this.#packet.length) / 2;
  }

  #lengthSamples(): number {
    return Math.max(Math.ceil((this.sentSamples * this.outputRateHz) / this.inputRateHz), this.#agentEnd);
  }

  play(samples: Int16Array): void {
    const start = Math.max(this.#agentEnd, this.#nowSample());
    const end = start + samples.length;
    if (end > this.#agent.length) {
      const larger = new Int16Array(Math.max(end, this.#agent.length * 1.5));
      larger.set(this.#agent.subarray(0, this.#agentEnd));
      this.#agent = larger;
    }
    this.#agent.set(samples, start);
    this.#agentEnd = end;
  }

  clear(): void {
    const now = this.#nowSample();
    if (now >= this.#agentEnd) return;
    this.#agent.fill(0, now, this.#agentEnd);
    this.#agentEnd = now;
  }

  notify(notice: CallNotice): void {
    if (notice.type !== 'state') return;
    this.#listening = notice.state === 'listening';
    this.#quietSinceMs = this.#o.clock.now();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #nowSample(): number {
    return Math.round(((this.#o.clock.now() - this.#startMs) * this.outputRateHz) / 1000);
  }

  #next(): void {
    const dueMs = this.#dueMs();
    this.#cancel = this.#o.clock.setTimer(() => this.#send(), dueMs - this.#o.clock.now());
  }

  /** When the next packet is full: by the sender's clock, where the network has one of its own. */
  #dueMs(): number {
    const endMs = (this.#packets + 1) * PACKET_MS;
    return this.#startMs + (this.#network?.hostMs(endMs) ?? endMs);
  }

  /** Sends what is due; after a hold-up that is more than one packet. */
  #send(): void {
    const { clock, input, quietMs = 1500, patienceMs = 25_000 } = this.#o;
    while (!this.#closed && this.#dueMs() <= clock.now()) {
      const at = this.#packets * this.#packet.length;
      const part = this.#caller.subarray(Math.min(at, this.#caller.length), at + this.#packet.length);
      this.#packet.set(part);
      this.#packet.fill(0, part.length);
      const fullMs = this.#dueMs();
      this.#packets++;
      this.#deliver(at / 2, fullMs);
    }
    if (this.#closed) return;
    const nowMs = clock.now();
    const lengthMs = (this.#o.caller.length * 1000) / this.inputRateHz;
    const endMs = this.#startMs + (this.#network?.hostMs(lengthMs) ?? lengthMs);
    const quiet = this.#listening && nowMs - Math.max(endMs, this.#quietSinceMs) >= quietMs;
    if (nowMs >= endMs && (quiet || nowMs - endMs >= patienceMs)) input.close('caller hung up');
    else this.#next();
  }

  /** At once, or when the network lets it through: counted from when the packet was full, whatever held this process up. */
  #deliver(position: number, fullMs: number): void {
    const { clock, input } = this.#o;
    if (this.#network === null) return input.audio(this.#packet, position);
    for (const delayMs of this.#network.next(PACKET_MS)) {
      const atMs = fullMs + delayMs;
      const before = this.#onTheWay.findLastIndex((other) => other.atMs <= atMs);
      this.#onTheWay.splice(before + 1, 0, { atMs, position, packet: this.#packet.slice() });
      clock.setTimer(() => this.#arrive(), Math.max(0, atMs - clock.now()));
    }
  }

  /** In the order of the network, whatever order late timers have. */
  #arrive(): void {
    // Timers may be a little early; this one has no other to come after it.
    const nowMs = this.#o.clock.now() + 1;
    while (!this.#closed) {
      const [first] = this.#onTheWay;
      if (first === undefined || first.atMs > nowMs) return;
      this.#onTheWay.shift();
      this.#o.input.audio(first.packet, first.position);
    }
  }
}
