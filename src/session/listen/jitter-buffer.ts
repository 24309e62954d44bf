// Packets of a network that loses, delays and reorders them, put in order again. What is missing is waited for, as long as the network's
// own jitter makes that worth while, and then made up. Nothing is ever stretched: positions are the caller's clock, and its drift against
// ours only moves the time at which samples are due. Audio in order passes at once: only a hole makes the rest wait.
import { Concealment, historySamples } from './concealment.ts';
import { DelayStatistics } from './delay-statistics.ts';

/** What comes out: in order, without overlaps; `position` as on the way in. */
export interface JitterOutput {
  packet(bytes: Uint8Array, position: number, nowMs: number): void;
}

/** Counted since the beginning, in samples where not said otherwise. */
export interface JitterCounters {
  packets: number;
  received: number;
  /** Missing when it was needed: `concealed` of it was made up, the rest (after 60 ms of it) is silence. */
  lost: number;
  concealed: number;
  /** Stretches of missing audio. */
  holes: number;
  /** Came after it had been made up. */
  late: number;
  /** Packets that were there already. */
  duplicates: number;
  /** Packets that a later one had overtaken. */
  reordered: number;
  /** Times that nothing was there when it was needed. */
  underruns: number;
  /** Packets too far ahead for the buffer: what they made wait was made up at once. */
  overruns: number;
}

/** Beyond the deepest wait there is room for packets that come early after an outage. */
const CAPACITY_MS = 640;
/** A longer hole is a pause of the sender, not a loss: it is passed on as it is. */
const LONGEST_HOLE_MS = 1000;
const CHUNK_MS = 20;
/** A hole must be known for so long before it is given up: when this process was held up, what is missing may come with the next call. */
const GRACE_MS = 10;

const EMPTY = 0;
const PRESENT = 1;
const RELEASED = 2;
const MADE_UP = 3;

/** Times in ms on the host's clock, positions in samples of the caller's. Deterministic; allocates nothing for a packet. */
export class JitterBuffer {
  readonly counters: JitterCounters = {
    packets: 0,
    received: 0,
    lost: 0,
    concealed: 0,
    holes: 0,
    late: 0,
    duplicates: 0,
    reordered: 0,
    underruns: 0,
    overruns: 0,
  };
  readonly delays: DelayStatistics;
  readonly #output: JitterOutput;
  readonly samplesPerMs: number;
  readonly #ring: Int16Array;
  readonly #marks: Uint8Array;
  readonly #chunk: Int16Array;
  readonly #chunkBytes: Uint8Array;
  /** A view for each length that occurred: a new one each time would be an allocation. */
  readonly #views: (Uint8Array | undefined)[];
  readonly #concealment: Concealment;
  readonly #roomSamples: number;
  #begun = false;
  /** First sample that has not been passed on, and the end of the newest packet. */
  #next = 0;
  #end = 0;
  #packetSamples: number;
  #missing = false;
  /** A hole is at the front, since when. */
  #waiting = false;
  #waitingSinceMs = 0;
  #calledMs = 0;
  /** When the hole at the front is given up; Infinity: there is none. */
  wakeMs = Infinity;

  constructor(rateHz: number, output: JitterOutput) {
    this.#output = output;
    this.samplesPerMs = rateHz / 1000;
    const capacity = CAPACITY_MS * this.samplesPerMs;
    this.#ring = new Int16Array(capacity);
    this.#marks = new Uint8Array(capacity);
    this.#chunk = new Int16Array(CHUNK_MS * this.samplesPerMs);
    this.#chunkBytes = new Uint8Array(this.#chunk.buffer);
    this.#views = Array.from({ length: this.#chunk.length + 1 }, () => undefined);
    this.#concealment = new Concealment(rateHz);
    this.#roomSamples = capacity - historySamples(rateHz) - this.#chunk.length;
    this.#packetSamples = this.#chunk.length;
    this.delays = new DelayStatistics(rateHz);
  }

  /** How long a missing packet is waited for beyond the time at which the fastest would have come, in ms. */
  get depthMs(): number {
    return this.delays.depthMs;
  }

  packet(packet: Uint8Array, position: number, nowMs: number): void {
    const samples = packet.length >> 1;
    if (samples === 0) return;
    const { counters } = this;
    counters.packets++;
    this.#begin(position);
    this.delays.arrived(position + samples, nowMs);
    this.#packetSamples = Math.min(samples, this.#chunk.length);
    // Longer than any packet of a network: piece by piece.
    const most = this.#chunk.length * 5;
    if (samples <= most) this.#take(packet, position, samples, nowMs);
    else {
      for (let at = 0; at < samples; at += most) {
        const part = packet.subarray(at * 2, (at + most) * 2);
        this.#take(part, position + at, part.length >> 1, nowMs);
      }
    }
  }

  #take(packet: Uint8Array, position: number, samples: number, nowMs: number): void {
    if (position + samples <= this.#next) this.#tooLate(position, samples);
    else {
      if (position + samples > this.#next + this.#roomSamples) this.#makeRoom(position, nowMs);
      this.#store(packet, position, samples, nowMs);
    }
    this.advance(nowMs);
  }

  /** Gives up what has been waited for long enough. Called by `packet`, and when `wakeMs` has come. */
  advance(nowMs: number): void {
    const calledMs = this.#calledMs;
    this.#calledMs = nowMs;
    this.wakeMs = Infinity;
    while (this.#next < this.#end) {
      if (this.#markAt(this.#next) === PRESENT) this.#release(nowMs);
      else {
        if (!this.#waiting) {
          this.#waiting = true;
          this.#waitingSinceMs = nowMs;
        }
        const dueMs = this.delays.dueMs(this.#next + this.#packetSamples) + this.depthMs;
        let giveUpMs = Math.max(dueMs, this.#waitingSinceMs + GRACE_MS);
        // Nobody asked when it was time: then packets may be waiting outside as well.
        if (calledMs < giveUpMs && nowMs > giveUpMs + GRACE_MS) {
          this.#waitingSinceMs = nowMs;
          giveUpMs = nowMs + GRACE_MS;
        }
        if (nowMs < giveUpMs) {
          this.wakeMs = giveUpMs;
          return;
        }
        this.#makeUp(this.#packetSamples, nowMs);
      }
    }
  }

  #begin(position: number): void {
    if (this.#begun) return;
    this.#begun = true;
    // A line begins at 0: what is missing before the first packet was lost, or is still on its way.
    this.#next = position < this.#roomSamples ? 0 : position;
    this.#end = this.#next;
  }

  #markAt(position: number): number {
    return this.#marks[position % this.#marks.length] as number;
  }

  #tooLate(position: number, samples: number): void {
    const known = position > this.#end - this.#marks.length;
    if (known && this.#markAt(position) === RELEASED) this.counters.duplicates++;
    else this.counters.late += samples;
  }

  /** A packet too far ahead: what waits and what is missing before it goes out now. */
  #makeRoom(position: number, nowMs: number): void {
    const { counters } = this;
    counters.overruns++;
    while (this.#next < this.#end) {
      if (this.#markAt(this.#next) === PRESENT) this.#release(nowMs);
      else this.#makeUp(this.#packetSamples, nowMs);
    }
    const hole = position - this.#next;
    if (hole <= 0) return;
    if (hole <= LONGEST_HOLE_MS * this.samplesPerMs) {
      counters.lost += hole;
      counters.holes++;
    }
    this.#endHole();
    // What comes of it is late, whatever lay there a lap of the ring ago.
    const size = this.#marks.length;
    for (let at = Math.max(this.#next, position - size); at < position; at++) this.#marks[at % size] = MADE_UP;
    this.#next = position;
    this.#end = position;
  }

  #store(packet: Uint8Array, position: number, samples: number, nowMs: number): void {
    const { counters } = this;
    const marks = this.#marks;
    const size = marks.length;
    if (position < this.#end) {
      if (this.#markAt(Math.max(position, this.#next)) === PRESENT) {
        counters.duplicates++;
        return;
      }
      counters.reordered++;
    } else if (this.#next === this.#end && position > this.#next) {
      // Nothing waits, and what would have been next is missing still: was it due already?
      const dueMs = this.delays.dueMs(this.#next + this.#packetSamples) + this.depthMs;
      if (nowMs >= dueMs) counters.underruns++;
    }
    for (let at = this.#end; at < position; at++) marks[at % size] = EMPTY;
    const from = Math.max(position, this.#next);
    if (from > position) counters.late += from - position;
    for (let at = from; at < position + samples; at++) {
      const i = (at - position) * 2;
      const sample = (packet[i] as number) | ((packet[i + 1] as number) << 8);
      if (at < this.#end && marks[at % size] === PRESENT) continue;
      this.#ring[at % size] = sample;
      marks[at % size] = PRESENT;
      counters.received++;
    }
    this.#end = Math.max(this.#end, position + samples);
  }

  /** Passes on what is there at the front, a chunk at most. */
  #release(nowMs: number): void {
    const size = this.#ring.length;
    const position = this.#next;
    if (this.#missing) this.#endHole();
    this.#waiting = false;
    let n = 0;
    const most = Math.min(this.#chunk.length, this.#end - position);
    for (; n < most; n++) {
      const at = (position + n) % size;
      if (this.#marks[at] !== PRESENT) break;
      let sample = this.#ring[at] as number;
      if (this.#concealment.rejoining) {
        sample = this.#concealment.rejoin(sample);
        this.#ring[at] = sample;
      }
      this.#chunk[n] = sample;
      this.#marks[at] = RELEASED;
    }
    this.#next = position + n;
    this.#pass(n, position, nowMs);
  }

  /** Makes up to `samples` of a hole up; what is beyond the fade stays a gap. */
  #makeUp(samples: number, nowMs: number): void {
    const { counters } = this;
    const size = this.#ring.length;
    const position = this.#next;
    if (!this.#missing) {
      this.#missing = true;
      counters.holes++;
      this.#concealment.begin(this.#ring, position);
      this.#madeUp = 0;
    }
    this.#lookAhead(position);
    let n = 0;
    const most = Math.min(samples, this.#end - position);
    for (; n < most; n++) {
      const at = (position + n) % size;
      if (this.#marks[at] === PRESENT) break;
      const sample = this.#concealment.next();
      this.#ring[at] = sample;
      this.#chunk[n] = sample;
      this.#marks[at] = MADE_UP;
    }
    this.#next = position + n;
    counters.lost += n;
    const silent = this.#madeUp >= this.#concealment.fadedSamples && !this.#concealment.bridging;
    this.#madeUp += n;
    if (silent) return;
    counters.concealed += n;
    this.#pass(n, position, nowMs);
  }
  #madeUp = 0;

  /** Shows the concealment what is there after the hole. */
  #lookAhead(position: number): void {
    let from = position;
    while (from < this.#end && this.#markAt(from) !== PRESENT) from++;
    let to = from;
    const most = Math.min(this.#end, from + historySamples(this.samplesPerMs * 1000));
    while (to < most && this.#markAt(to) === PRESENT) to++;
    this.#concealment.look(this.#ring, from, to - from, from - position);
  }

  #endHole(): void {
    if (this.#missing) this.#concealment.end();
    this.#missing = false;
  }

  #pass(samples: number, position: number, nowMs: number): void {
    let view = this.#views[samples];
    if (view === undefined) {
      view = this.#chunkBytes.subarray(0, samples * 2);
      this.#views[samples] = view;
    }
    this.#output.packet(view, position, nowMs);
  }
}
