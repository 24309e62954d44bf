// The agent's voice on its way to a room: ahead of the ear by little, silent at once, and said again where an outage swallowed it.
import type { Speaker } from './connection.ts';

export interface LineClock {
  now(): number;
  setTimer(run: () => void, delayMs: number): () => void;
}

/** How far ahead of the ear audio is taken: what the JavaScript thread may be held up without a hole in the voice. */
const LEAD_MS = 80;
const UNIT_MS = 10;
const TICK_MS = 20;
/** What is kept of the voice to be said again. Longer outages are noticed sooner than this. */
const KEPT_MS = 5000;
/** A repetition starts in a pause of the voice at most this long before what was heard last. */
const BACK_MS = 400;

/** Rings that nobody needs now: most lines are silent most of the time. */
const spareRings: Int16Array[] = [];
const MAX_SPARE_RINGS = 32;

function takeRing(samples: number): Int16Array {
  const at = spareRings.findIndex((ring) => ring.length === samples);
  return at < 0 ? new Int16Array(samples) : (spareRings.splice(at, 1)[0] as Int16Array);
}

/** Positions: samples of the agent's voice over the whole call. Times: the clock's. */
export class VoiceLine {
  readonly rateHz: number;
  readonly #clock: LineClock;
  readonly #unit: number;
  #speaker: Speaker | null = null;
  #ring: Int16Array | null = null;
  /** End of what was given to `play`; of what went to the native queue; start of what may be said again. */
  #end = 0;
  #sent = 0;
  #floor = 0;
  /** When the native queue will be empty. */
  #queueEndMs = 0;
  /** When each of the last 10 ms units starts to sound, by unit number. */
  readonly #startMs: Float64Array;
  /** Unit numbers count what was sent, padding and repetitions too; this is where each begins. */
  readonly #startPosition: Float64Array;
  #units = 0;
  #cancelFlush: () => void = () => {};
  #cancelTick: (() => void) | null = null;
  #repeatedSamples = 0;
  /** When `play` was called last. */
  #playedMs = 0;

  constructor(rateHz: number, clock: LineClock) {
    this.rateHz = rateHz;
    this.#clock = clock;
    this.#unit = (rateHz * UNIT_MS) / 1000;
    this.#startMs = new Float64Array(KEPT_MS / UNIT_MS);
    this.#startPosition = new Float64Array(KEPT_MS / UNIT_MS);
  }

  /** For `Transport.leadMs`: nothing is wanted while the line is down or repeats what was missed. */
  get leadMs(): number {
    return this.#speaker === null || this.#cancelTick !== null ? Number.NEGATIVE_INFINITY : LEAD_MS;
  }

  get isUp(): boolean {
    return this.#speaker !== null;
  }

  /** Voice that was said again after outages. */
  get repeatedMs(): number {
    return (this.#repeatedSamples * 1000) / this.rateHz;
  }

  play(samples: Int16Array): void {
    this.#ring ??= takeRing((this.rateHz * KEPT_MS) / 1000);
    const ring = this.#ring;
    for (let i = 0, at = this.#end % ring.length; i < samples.length; i++) {
      ring[at] = samples[i] as number;
      if (++at === ring.length) at = 0;
    }
    this.#end += samples.length;
    this.#playedMs = this.#clock.now();
    this.#floor = Math.max(this.#floor, this.#end - ring.length);
    if (this.#speaker !== null && this.#cancelTick === null) this.#send(this.#end);
  }

  /** Drops everything that was not heard. */
  clear(): void {
    this.#stopTimers();
    this.#speaker?.clear();
    this.#cutQueue(this.#clock.now());
    this.#sent = this.#floor = this.#end;
  }

  /** Nothing that would have sounded after `atMs` was heard. */
  down(atMs: number): void {
    if (this.#speaker === null) return;
    this.#stopTimers();
    const heard = Math.max(this.#floor, Math.min(this.#end, this.#positionAt(atMs)));
    this.#speaker.clear();
    this.#speaker = null;
    this.#cutQueue(this.#clock.now());
    this.#sent = heard < this.#end ? this.#pauseBefore(heard) : heard;
  }

  /** The ear is there (again): what it missed is said first. */
  up(speaker: Speaker): void {
    if (this.#speaker !== null) return;
    this.#speaker = speaker;
    this.#queueEndMs = 0;
    if (this.#sent >= this.#end) return;
    this.#repeatedSamples += this.#end - this.#sent;
    this.#repeat();
  }

  /** The caller speaks: what is only a repetition gives way. */
  skipRepetition(): void {
    if (this.#cancelTick !== null) this.clear();
  }

  /** Called now and then: gives back the room of what was heard so long ago that it will never be said again. */
  rest(): void {
    const isHeard = this.#speaker !== null && this.#sent >= this.#end;
    if (!isHeard || this.#clock.now() - this.#playedMs < KEPT_MS + LEAD_MS) return;
    this.#floor = this.#end;
    this.#giveRing();
  }

  close(): void {
    this.#stopTimers();
    this.#speaker = null;
    this.#giveRing();
  }

  #giveRing(): void {
    if (this.#ring !== null && spareRings.length < MAX_SPARE_RINGS) spareRings.push(this.#ring);
    this.#ring = null;
  }

  #repeat(): void {
    this.#cancelTick = null;
    const nowMs = this.#clock.now();
    const ahead = Math.max(0, this.#queueEndMs - nowMs);
    const room = Math.max(0, Math.ceil((LEAD_MS + TICK_MS - ahead) / UNIT_MS)) * this.#unit;
    this.#send(Math.min(this.#end, this.#sent + room));
    if (this.#end - this.#sent >= this.#unit) this.#cancelTick = this.#clock.setTimer(() => this.#repeat(), TICK_MS);
    else this.#send(this.#end);
  }

  /** Sends whole units up to `to`; what is left over goes out padded if nothing follows in time. */
  #send(to: number): void {
    const speaker = this.#speaker;
    const ring = this.#ring;
    if (speaker === null || ring === null) return;
    this.#cancelFlush();
    const whole = this.#sent + Math.floor((to - this.#sent) / this.#unit) * this.#unit;
    while (this.#sent < whole) {
      const at = this.#sent % ring.length;
      const count = Math.min(whole - this.#sent, ring.length - at);
      this.#write(speaker, ring.subarray(at, at + count), count);
    }
    if (this.#sent < this.#end && to === this.#end)
      this.#cancelFlush = this.#clock.setTimer(() => this.#flush(), TICK_MS);
  }

  #flush(): void {
    const ring = this.#ring;
    if (this.#speaker === null || ring === null || this.#sent >= this.#end) return;
    const last = new Int16Array(this.#unit);
    const count = this.#end - this.#sent;
    for (let i = 0; i < count; i++) last[i] = ring[(this.#sent + i) % ring.length] as number;
    this.#write(this.#speaker, last, count);
  }

  #write(speaker: Speaker, samples: Int16Array, advance: number): void {
    // Whole units only: the ring's length and every start in it are multiples of one, except after an odd remainder.
    const usable = samples.length - (samples.length % this.#unit);
    if (usable === 0) return this.#writeAcross(speaker);
    speaker.write(usable === samples.length ? samples : samples.subarray(0, usable));
    const startMs = Math.max(this.#clock.now(), this.#queueEndMs);
    for (let i = 0; i < usable / this.#unit; i++) this.#log(startMs + i * UNIT_MS, this.#sent + i * this.#unit);
    this.#queueEndMs = startMs + (usable / this.#unit) * UNIT_MS;
    this.#sent += Math.min(advance, usable);
  }

  /** One unit that lies across the ring's end. */
  #writeAcross(speaker: Speaker): void {
    const ring = this.#ring as Int16Array;
    const unit = new Int16Array(this.#unit);
    for (let i = 0; i < unit.length; i++) unit[i] = ring[(this.#sent + i) % ring.length] as number;
    this.#write(speaker, unit, unit.length);
  }

  #log(startMs: number, position: number): void {
    const slot = this.#units++ % this.#startMs.length;
    this.#startMs[slot] = startMs;
    this.#startPosition[slot] = position;
  }

  /** How far the voice had been heard at `atMs`. */
  #positionAt(atMs: number): number {
    const oldest = Math.max(0, this.#units - this.#startMs.length);
    for (let n = this.#units - 1; n >= oldest; n--) {
      const startMs = this.#startMs[n % this.#startMs.length] as number;
      if (startMs > atMs) continue;
      const into = Math.min(UNIT_MS, atMs - startMs) / UNIT_MS;
      return (this.#startPosition[n % this.#startMs.length] as number) + Math.round(into * this.#unit);
    }
    return this.#units === 0 ? this.#sent : this.#floor;
  }

  /** Units that had not begun to sound are taken out of the log. */
  #cutQueue(nowMs: number): void {
    while (this.#units > 0 && (this.#startMs[(this.#units - 1) % this.#startMs.length] as number) >= nowMs)
      this.#units--;
    this.#queueEndMs = 0;
  }

  /** The quietest unit in the last `BACK_MS` before `position`. */
  #pauseBefore(position: number): number {
    const ring = this.#ring as Int16Array;
    let best = position;
    let least = Number.POSITIVE_INFINITY;
    for (let back = 0; back <= BACK_MS / UNIT_MS; back++) {
      const start = position - back * this.#unit;
      if (start < this.#floor) break;
      let energy = 0;
      for (let i = 0; i < this.#unit; i++) energy += (ring[(start + i) % ring.length] as number) ** 2;
      if (energy < least) {
        least = energy;
        best = start;
      }
    }
    return best;
  }

  #stopTimers(): void {
    this.#cancelFlush();
    this.#cancelTick?.();
    this.#cancelTick = null;
  }
}
