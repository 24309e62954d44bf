// A virtual line: sends the caller's audio at its pace and keeps what the agent's audio sounded like at the caller's ear.
import type { CallInput, CallNotice, Transport } from '../../src/transports/port.ts';
import type { Caller } from './caller.ts';
import type { VirtualTime } from './virtual-time.ts';

const PACKET_SAMPLES = 320;
export const OUTPUT_HZ = 24_000;

export interface LineOptions {
  readonly leadMs?: number;
  readonly reportsPlayed?: boolean;
  /** From here on the caller's client sends nothing. */
  readonly silentFromMs?: number;
  /** Packets that never arrive, as [from, to) in ms. */
  readonly lost?: readonly (readonly [number, number])[];
  /** Packets that arrive twice, as [from, to) in ms. */
  readonly twice?: readonly (readonly [number, number])[];
}

/** Sound at the ear. Times in ms since the start of the line. */
export interface Sound {
  readonly startMs: number;
  readonly endMs: number;
  readonly samples: Int16Array;
}

export class VirtualLine implements Transport {
  readonly name = 'virtual';
  readonly inputRateHz = 16_000;
  readonly outputRateHz = OUTPUT_HZ;
  readonly leadMs: number;
  readonly reportsPlayed: boolean;
  readonly notices: CallNotice[] = [];
  closedWith: string | null = null;
  readonly #time: VirtualTime;
  readonly #caller: Caller;
  readonly #options: LineOptions;
  readonly #startMs: number;
  readonly #packet = new Int16Array(PACKET_SAMPLES);
  readonly #bytes = new Uint8Array(this.#packet.buffer);
  #packets = 0;
  #input: CallInput | null = null;
  /** What was handed over, in order: where it sounds and how much of it was left by `clear`. */
  readonly #played: { start: number; samples: Int16Array; length: number; total: number }[] = [];
  #end = 0;
  #total = 0;
  #reported = 0;
  #cancel: () => void = () => {};

  constructor(time: VirtualTime, caller: Caller, options: LineOptions = {}) {
    this.#time = time;
    this.#caller = caller;
    this.#options = options;
    this.#startMs = time.now();
    this.leadMs = options.leadMs ?? 100;
    this.reportsPlayed = options.reportsPlayed ?? false;
  }

  start(input: CallInput): void {
    this.#input = input;
    this.#next();
  }

  #next(): void {
    const dueMs = this.#startMs + (this.#packets + 1) * 20;
    this.#cancel = this.#time.setTimer(() => this.#send(), dueMs - this.#time.now());
  }

  #send(): void {
    const { silentFromMs = Infinity, lost = [], twice = [] } = this.#options;
    const atMs = this.#packets * 20;
    const within = ([from, to]: readonly [number, number]) => atMs >= from && atMs < to;
    const position = this.#packets * PACKET_SAMPLES;
    this.#packets++;
    if (atMs < silentFromMs && !lost.some(within)) {
      for (let times = twice.some(within) ? 2 : 1; times > 0; times--) {
        this.#caller.fill(this.#packet, position);
        this.#input?.audio(this.#bytes, position);
        // Who keeps the bytes must have copied them.
        this.#packet.fill(-12_345);
      }
    }
    if (this.reportsPlayed && this.#packets % 5 === 0) this.#report();
    if (this.closedWith === null) this.#next();
  }

  #nowSample(): number {
    return Math.round(((this.#time.now() - this.#startMs) * OUTPUT_HZ) / 1000);
  }

  #report(): void {
    const now = this.#nowSample();
    for (const { start, length, total } of this.#played)
      if (start < now) this.#reported = Math.max(this.#reported, total + Math.min(length, now - start));
    if (this.#reported > 0) this.#input?.played(this.#reported);
  }

  play(samples: Int16Array): void {
    const start = Math.max(this.#end, this.#nowSample());
    this.#played.push({ start, samples: samples.slice(), length: samples.length, total: this.#total });
    this.#total += samples.length;
    this.#end = start + samples.length;
  }

  clear(): void {
    const now = this.#nowSample();
    for (const part of this.#played) part.length = Math.max(0, Math.min(part.length, now - part.start));
    this.#end = Math.min(this.#end, now);
    if (this.reportsPlayed) this.#report();
  }

  notify(event: CallNotice): void {
    this.notices.push(event);
  }

  close(reason: string): void {
    this.closedWith ??= reason;
    this.#cancel();
  }

  /** What was heard without a break, stretch by stretch. */
  sounds(): Sound[] {
    const sounds: Sound[] = [];
    let run: { start: number; end: number; parts: Int16Array[] } | null = null;
    const finish = () => {
      if (run === null) return;
      const samples = new Int16Array(run.end - run.start);
      let at = 0;
      for (const part of run.parts) {
        samples.set(part, at);
        at += part.length;
      }
      sounds.push({ startMs: (run.start * 1000) / OUTPUT_HZ, endMs: (run.end * 1000) / OUTPUT_HZ, samples });
    };
    for (const { start, samples, length } of this.#played) {
      if (length === 0) continue;
      if (run === null || start !== run.end) {
        finish();
        run = { start, end: start, parts: [] };
      }
      run.end += length;
      run.parts.push(samples.subarray(0, length));
    }
    finish();
    return sounds;
  }
}
