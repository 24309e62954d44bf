// The f64 twin of the quality sensors and of the index (wasm/line.ts, wasm/quality.ts, wasm/verdict.ts), in plain TypeScript.
import { BANDS, BINS, bandPowers } from './spectrum-twin.ts';

const LEVELS = 91;
const FLATS = 41;
const HOLES = 31;
const LEAST_FLAT = 1024;
const FRAME = 320;
/** By magnitude: a logarithm for each sample would be most of the twin's time. */
const LOGS = Float64Array.from({ length: 32_769 }, (_, size) => Math.log2(Math.max(0.5, size)));

/** Sensors on the samples as they came: rails, holes, offset. */
class LineTwin {
  readonly cell: number;
  readonly #flatRun: number;
  samples = 0;
  sum = 0;
  peak = 0;
  hits = 0;
  readonly flats = new Float64Array(FLATS);
  readonly holeSamples = new Float64Array(HOLES);
  readonly holeCounts = new Float64Array(HOLES);
  #rail = 0;
  #last = 0;
  #equal = 0;
  #zeros: number;
  #filled = 0;
  #squares = 0;
  #before = 0;
  #cellBefore = 0;
  #hole = 0;
  #holeBefore = 0;
  #holeAfter = 0;
  #holeCells = 0;

  constructor(rateHz: number) {
    this.cell = rateHz / 400;
    this.#flatRun = rateHz <= 16000 ? 3 : Math.floor((3 * rateHz) / 16000);
    // Nothing before the first sample: no hole that begins there is one.
    this.#zeros = this.cell + 1;
  }

  hear(input: Int16Array): void {
    for (let at = 0; at < input.length; ) {
      const part = input.subarray(at, at + this.cell - this.#filled);
      this.#segment(part);
      at += part.length;
    }
  }

  #segment(part: Int16Array): void {
    for (const s of part) if (this.#rail > 0 && Math.abs(magnitude(s) - this.#rail) <= 1) this.hits++;
    for (const s of part) {
      this.samples++;
      this.sum += s;
      this.peak = Math.max(this.peak, magnitude(s));
    }
    for (const s of part) this.#flat(s);
    for (const s of part) {
      if (s === 0) this.#zeros++;
      else {
        if (this.#zeros >= 2 * this.cell) {
          if (this.#hole > 0) this.#file();
          this.#hole = this.#zeros;
          this.#holeBefore = this.#before;
          this.#holeAfter = 0;
          this.#holeCells = 0;
        }
        this.#zeros = 0;
      }
      this.#squares += s * s;
    }
    this.#filled += part.length;
    if (this.#filled === this.cell) this.#endCell();
  }

  #flat(s: number): void {
    this.#equal = s === this.#last ? this.#equal + 1 : 1;
    this.#last = s;
    const size = magnitude(s);
    if (size < LEAST_FLAT || this.#equal < this.#flatRun) return;
    this.flats[flatBucket(size)]! += this.#equal === this.#flatRun ? this.#flatRun : 1;
    if (this.#equal > this.#flatRun || size <= this.#rail + 1 || size * 10 < this.peak * 9) return;
    this.#rail = size;
    this.hits = 0;
  }

  #endCell(): void {
    const power = this.#squares / this.cell / 2 ** 30;
    if (this.#zeros > 0 && this.#zeros <= this.cell) this.#before = Math.max(power, this.#cellBefore);
    if (this.#hole > 0) {
      this.#holeAfter = Math.max(this.#holeAfter, power);
      this.#holeCells++;
      if (this.#holeCells === 2) this.#file();
    }
    this.#cellBefore = power;
    this.#squares = 0;
    this.#filled = 0;
  }

  /** A hole counts by the sound beside it: a short one by the louder side, a long one (a pause may look like that) by the quieter. */
  #file(): void {
    const short = this.#hole <= 40 * this.cell;
    const side = (short ? Math.max : Math.min)(this.#holeBefore, this.#holeAfter);
    const bucket = Math.max(0, Math.min(HOLES - 1, Math.floor((decibels(side) + 91) / 3)));
    this.holeSamples[bucket]! += this.#hole;
    this.holeCounts[bucket]! += 1;
    this.#hole = 0;
  }

  clear(): void {
    let flats = 0;
    for (const count of this.flats) flats += count;
    if (flats === 0) this.#rail = 0;
    this.samples = this.sum = this.peak = this.hits = 0;
    this.flats.fill(0);
    this.holeSamples.fill(0);
    this.holeCounts.fill(0);
  }
}

/** What a window of audio was like. NaN: not measured. */
export interface QualityFigures {
  windows: number;
  frames: number;
  activeFrames: number;
  score: number;
  clarity: number;
  levelDb: number;
  snrDb: number;
  clipFraction: number;
  gapFraction: number;
  dc: number;
  bandwidthHz: number;
}

export class QualityTwin {
  readonly #rateHz: number;
  readonly #line: LineTwin;
  readonly figures: QualityFigures = {
    windows: 0,
    frames: 0,
    activeFrames: 0,
    score: Number.NaN,
    clarity: Number.NaN,
    levelDb: Number.NaN,
    snrDb: Number.NaN,
    clipFraction: Number.NaN,
    gapFraction: Number.NaN,
    dc: Number.NaN,
    bandwidthHz: Number.NaN,
  };
  #frames = 0;
  #voiced = 0;
  readonly #counts = new Float64Array(LEVELS);
  readonly #powers = new Float64Array(LEVELS);
  #abs = 0;
  #logs = 0;
  readonly #samples = new Int16Array(48 + FRAME);
  readonly #bands = new Float64Array(BANDS);
  readonly #bins = new Float64Array(BINS);
  readonly #max = new Float64Array(BINS);
  readonly #min = new Float64Array(BINS).fill(FAR);
  readonly #high = [new Float64Array(BINS), new Float64Array(BINS)] as const;
  readonly #low = [new Float64Array(BINS).fill(FAR), new Float64Array(BINS).fill(FAR)] as const;

  constructor(rateHz: number) {
    this.#rateHz = rateHz;
    this.#line = new LineTwin(rateHz);
  }

  hear(input: Int16Array): void {
    this.#line.hear(input);
  }

  /** `frame`: 320 samples at 16 kHz; `voiced`: what the detector says of it. */
  frame(frame: Int16Array, voiced: boolean): void {
    this.#samples.copyWithin(0, FRAME);
    this.#samples.set(frame, 48);
    bandPowers(this.#samples, this.#bands, this.#bins);
    let sum = 0;
    let squares = 0;
    let abs = 0;
    let logs = 0;
    for (const s of frame) {
      sum += s;
      squares += s * s;
      abs += Math.abs(s);
      logs += LOGS[Math.abs(s)]!;
    }
    const power = (FRAME * squares - sum * sum) / (FRAME * FRAME) / 2 ** 30;
    const level = Math.max(0, Math.min(LEVELS - 1, Math.floor(decibels(power) + 91)));
    this.#counts[level]! += 1;
    this.#powers[level]! += power;
    if (level > 0) {
      this.#abs += abs;
      this.#logs += logs;
      for (let n = 0; n < BINS; n++) {
        this.#max[n] = Math.max(this.#max[n]!, this.#bins[n]!);
        this.#min[n] = Math.min(this.#min[n]!, this.#bins[n]!);
      }
    }
    if (voiced) this.#voiced++;
    this.#frames++;
    if (this.#frames % 25 === 0) this.#fileBins();
    if (this.#frames >= 200 && this.#frames % 50 === 0) this.#close();
  }

  #fileBins(): void {
    for (let n = 0; n < BINS; n++) {
      const [high, low] = [this.#max[n]!, this.#min[n]!];
      this.#high[1][n] = Math.max(this.#high[1][n]!, Math.min(this.#high[0][n]!, high));
      this.#high[0][n] = Math.max(this.#high[0][n]!, high);
      this.#low[1][n] = Math.min(this.#low[1][n]!, Math.max(this.#low[0][n]!, low));
      this.#low[0][n] = Math.min(this.#low[0][n]!, low);
    }
    this.#max.fill(0);
    this.#min.fill(FAR);
  }

  /** The window ends after 4 s with 2 s of speech, else when it has it, at the latest after 10 s. */
  #close(): void {
    const line = this.#line;
    let heard = 0;
    for (let b = 1; b < LEVELS; b++) heard += this.#counts[b]!;
    const at = (share: number) => {
      let count = 0;
      for (let b = 1; b < LEVELS; b++) {
        count += this.#counts[b]!;
        if (count > 0 && count >= share * heard) return this.#powers[b]! / this.#counts[b]!;
      }
      return 0;
    };
    const topDb = decibels(at(0.95));
    let floor = at(0.08);
    const holes = (db: number) => {
      let samples = 0;
      let count = 0;
      for (let b = 0; b < HOLES; b++) {
        if (3 * b - 89.5 < Math.max(-60, db)) continue;
        samples += line.holeSamples[b]!;
        count += line.holeCounts[b]!;
      }
      return { samples, count };
    };
    const frameSamples = this.#rateHz / 50;
    // Pauses of digital silence: what is not a hole in speech.
    if (this.#counts[0]! - holes(topDb - 31).samples / frameSamples > 0.08 * this.#frames) floor = 1e-10;
    const floorDb = decibels(floor);
    const spread = topDb - floorDb;
    const threshold = Math.max(topDb - 31, floorDb + Math.min(6, spread / 2));
    let active = 0;
    let power = 0;
    for (let b = 1; b < LEVELS; b++) {
      if (b - 90.5 < threshold) continue;
      active += this.#counts[b]!;
      power += this.#powers[b]!;
    }
    const heardSpeech = spread >= 10 || (spread >= 4 && this.#voiced >= 5);
    const speech = active >= 25 && topDb >= -80 && heardSpeech;
    if (this.#frames < 500 && !(speech && active >= 100)) return;
    const f = this.figures;
    f.windows++;
    f.frames = this.#frames;
    f.dc = Math.abs(line.sum / Math.max(1, line.samples)) / 32768;
    f.activeFrames = speech ? active : 0;
    if (speech) {
      power /= active;
      const lost = holes(threshold);
      const whole = active * frameSamples + lost.samples;
      f.gapFraction = lost.samples / whole;
      let flats = 0;
      for (let b = flatBucket(Math.max(LEAST_FLAT, Math.floor((line.peak * 9) / 10))); b < FLATS; b++)
        flats += line.flats[b]!;
      f.clipFraction = flats > 0 ? Math.min(1, Math.max(flats, line.hits) / (active * frameSamples)) : 0;
      f.levelDb = decibels(Math.max(0, power - floor));
      const shape = Math.log2(this.#abs / (heard * FRAME)) - this.#logs / (heard * FRAME);
      f.snrDb = snr(decibels(Math.max(0, power - floor)) - floorDb, shape);
      f.bandwidthHz = this.#bandwidth();
      const clip = (25 * Math.log(1 + 100 * f.clipFraction)) / Math.log(11);
      const gaps = 82 * f.gapFraction + (2.3 * lost.count * this.#rateHz) / whole;
      const missing = Math.max(0, 7000 - f.bandwidthHz) / 7000;
      const band = 35 * missing ** 1.5;
      const noise = 0.88 * Math.max(0, 45 - f.snrDb) + 1.58 * Math.max(0, 18 - f.snrDb);
      const offset = Math.max(0, f.dc - 0.003);
      const dc = 600 * Math.min(0.075, offset) + 180 * Math.min(0.2, Math.max(0, offset - 0.075));
      const level = Math.min(46, 1.6 * Math.max(0, -35 - f.levelDb)) + 2.25 * Math.max(0, f.levelDb + 10);
      f.score = opinion(92 - clip - gaps - band - noise - dc - level);
      f.clarity = opinion(92 - clip - gaps - band);
    } else {
      f.score = f.clarity = f.levelDb = f.snrDb = f.clipFraction = f.gapFraction = f.bandwidthHz = Number.NaN;
    }
    this.#clear();
  }

  #bandwidth(): number {
    const high = (n: number) => decibels(this.#high[1][n]!);
    const low = (n: number) => decibels(this.#low[1][n]!);
    let peak = -100;
    for (let n = 1; n <= 60; n++) peak = Math.max(peak, high(n));
    let edge = 0;
    for (let n = 60; n >= 1 && edge === 0; n--)
      if (high(n) > peak - 62 && (high(n) - low(n) > 9 || low(n) > peak - 45)) edge = n;
    // Down here it is only the skirt of the filter and of the window: up to where it begins.
    while (edge > 1 && high(edge - 1) - high(edge) >= 6) edge--;
    return edge * 125;
  }

  #clear(): void {
    this.#frames = this.#voiced = this.#abs = this.#logs = 0;
    this.#counts.fill(0);
    this.#powers.fill(0);
    for (const high of this.#high) high.fill(0);
    for (const low of this.#low) low.fill(FAR);
    this.#line.clear();
  }
}

const FAR = 1e9;

/** `raw`: by percentiles of the level, dB; `shape`: log of the mean less mean of the logs of the amplitude. */
function snr(raw: number, shape: number): number {
  const byLevel = along(raw, [-2.5, -5], [7.5, 0], [10, 5], [13.8, 10], [18.1, 15], [22.7, 20], [32.8, 30], [42.3, 40]);
  const byShape = along(shape, [0.66, 0], [0.75, 5], [0.927, 10], [1.193, 15], [1.53, 20], [2.32, 30]);
  const trust = Math.max(0, Math.min(1, (raw - 12) / 6));
  const both = 0.5 * (byLevel + Math.max(-5, Math.min(20, byShape)));
  return Math.max(-10, Math.min(60, trust * byLevel + (1 - trust) * both));
}

/** Through points, the first and the last piece beyond the ends. */
function along(x: number, ...points: readonly (readonly [number, number])[]): number {
  let i = 1;
  while (i + 1 < points.length && x > points[i]![0]) i++;
  const [x0, y0] = points[i - 1]!;
  const [x1, y1] = points[i]!;
  return y0 + ((x - x0) * (y1 - y0)) / (x1 - x0);
}

/** Of G.107: rating to mean opinion. */
function opinion(rating: number): number {
  const r = Math.max(0, Math.min(100, rating));
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

function magnitude(s: number): number {
  return Math.min(32767, Math.abs(s));
}
function flatBucket(size: number): number {
  const e = 31 - Math.clz32(size);
  return (e - 10) * 8 + ((size >> (e - 3)) & 7);
}
function decibels(power: number): number {
  return power <= 1e-10 ? -100 : 10 * Math.log10(power);
}
