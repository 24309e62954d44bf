// The index of a window: each impairment on the R scale of ITU-T G.107, summed and turned into 1 to 5. Weights: docs/audio.md.
import {
  ABS_SUM,
  BIN_HIGH,
  BIN_LOW,
  CELL,
  FLATS,
  FRAME_SAMPLES,
  HOLES,
  LEVEL_COUNTS,
  LEVEL_POWERS,
  LINE_PEAK,
  LINE_SAMPLES,
  LINE_SUM,
  LOG_SUM,
  QUALITY_FRAMES,
  RAIL_HITS,
  RESULT_ACTIVE_FRAMES,
  RESULT_BANDWIDTH,
  RESULT_CLARITY,
  RESULT_CLIP,
  RESULT_DC,
  RESULT_FRAMES,
  RESULT_GAPS,
  RESULT_INDEX,
  RESULT_LEVEL,
  RESULT_SNR,
  RESULT_WINDOWS,
  VOICED_FRAMES,
} from './layout';
import { decibels, log2 } from './elementary';
import { FLAT_BUCKETS, flatBucket, HOLE_BUCKETS, LEAST_FLAT } from './line';

/** Levels of 1 dB from -90 dBFS; 0 holds what is below: nothing. */
export const LEVELS: i32 = 91;
const LONGEST_FRAMES: i32 = 500;
/** Half a second. */
const LEAST_SPEECH: i32 = 25;
const LEAST_HOLE_DB: f64 = -60.0;
const LN2: f64 = 0.6931471805599453;
const LN11: f64 = 2.3978952727983707;

let lostSamples: f64 = 0;
let lostHoles: f64 = 0;

/** Writes the figures and answers true when the window is over: with 2 s of speech, or after 10 s. */
export function judgeWindow(slot: usize): bool {
  const frames = load<i32>(slot, QUALITY_FRAMES);
  let heard = 0;
  for (let b = 1; b < LEVELS; b++) heard += levelCount(slot, b);
  const topDb = decibels(powerAt(slot, 0.95, heard));
  let floor = powerAt(slot, 0.08, heard);
  const frameSamples = <f64>(load<i32>(slot, CELL) * 8);
  countHoles(slot, topDb - 31.0);
  // Pauses of digital silence: what is not a hole in speech.
  if (<f64>levelCount(slot, 0) - lostSamples / frameSamples > 0.08 * <f64>frames) floor = 1e-10;
  const floorDb = decibels(floor);
  const spread = topDb - floorDb;
  const threshold = max(topDb - 31.0, floorDb + min(6.0, spread / 2.0));
  let active = 0;
  let power = 0.0;
  for (let b = 1; b < LEVELS; b++) {
    if (<f64>b - 90.5 < threshold) continue;
    active += levelCount(slot, b);
    power += levelPower(slot, b);
  }
  // Steady noise has no spread; noise with some of it is speech only if the detector heard any.
  const voiced = load<i32>(slot, VOICED_FRAMES) >= 5;
  const speech = active >= LEAST_SPEECH && topDb >= -80.0 && (spread >= 10.0 || (spread >= 4.0 && voiced));
  if (frames < LONGEST_FRAMES && !(speech && active >= 100)) return false;

  const dc = abs(<f64>load<i64>(slot, LINE_SUM)) / <f64>max(1, load<i32>(slot, LINE_SAMPLES)) / 32768.0;
  store<f64>(slot, load<f64>(slot, RESULT_WINDOWS) + 1.0, RESULT_WINDOWS);
  store<f64>(slot, <f64>frames, RESULT_FRAMES);
  store<f64>(slot, speech ? <f64>active : 0.0, RESULT_ACTIVE_FRAMES);
  store<f64>(slot, dc, RESULT_DC);
  if (!speech) {
    store<f64>(slot, NaN, RESULT_INDEX);
    store<f64>(slot, NaN, RESULT_CLARITY);
    store<f64>(slot, NaN, RESULT_LEVEL);
    store<f64>(slot, NaN, RESULT_SNR);
    store<f64>(slot, NaN, RESULT_CLIP);
    store<f64>(slot, NaN, RESULT_GAPS);
    store<f64>(slot, NaN, RESULT_BANDWIDTH);
    return true;
  }
  power = max(0.0, power / <f64>active - floor);
  const present = <f64>active * frameSamples;
  countHoles(slot, threshold);
  const whole = present + lostSamples;
  const gapFraction = lostSamples / whole;
  const clipFraction = min(1.0, clipped(slot) / present);
  const levelDb = decibels(power);
  const samples = <f64>(heard * FRAME_SAMPLES);
  const shape = log2(max(0.5, load<f64>(slot, ABS_SUM) / samples)) - load<f64>(slot, LOG_SUM) / samples;
  const snrDb = signalToNoise(levelDb - floorDb, shape);
  const bandwidth = bandwidthOf(slot);
  store<f64>(slot, levelDb, RESULT_LEVEL);
  store<f64>(slot, snrDb, RESULT_SNR);
  store<f64>(slot, clipFraction, RESULT_CLIP);
  store<f64>(slot, gapFraction, RESULT_GAPS);
  store<f64>(slot, bandwidth, RESULT_BANDWIDTH);

  const clip = (25.0 * log2(1.0 + 100.0 * clipFraction) * LN2) / LN11;
  // 50 frames a second, whatever the rate.
  const gaps = 82.0 * gapFraction + (2.3 * lostHoles * 50.0 * frameSamples) / whole;
  const missing = max(0.0, 7000.0 - bandwidth) / 7000.0;
  const band = 35.0 * missing * sqrt(missing);
  const noise = 0.88 * max(0.0, 45.0 - snrDb) + 1.58 * max(0.0, 18.0 - snrDb);
  const offset = max(0.0, dc - 0.003);
  const tilt = 600.0 * min(0.075, offset) + 180.0 * min(0.2, max(0.0, offset - 0.075));
  const level = min(46.0, 1.6 * max(0.0, -35.0 - levelDb)) + 2.25 * max(0.0, levelDb + 10.0);
  store<f64>(slot, opinion(92.0 - clip - gaps - band - noise - tilt - level), RESULT_INDEX);
  store<f64>(slot, opinion(92.0 - clip - gaps - band), RESULT_CLARITY);
  return true;
}

// @ts-ignore: decorator
@inline
function levelCount(slot: usize, b: i32): i32 {
  return load<i32>(slot + (<usize>b << 2), LEVEL_COUNTS);
}

// @ts-ignore: decorator
@inline
function levelPower(slot: usize, b: i32): f64 {
  return <f64>load<f32>(slot + (<usize>b << 2), LEVEL_POWERS);
}

/** Mean power of the level below which this share of what was heard lies. */
function powerAt(slot: usize, share: f64, heard: i32): f64 {
  let count = 0;
  for (let b = 1; b < LEVELS; b++) {
    const here = levelCount(slot, b);
    count += here;
    if (count > 0 && <f64>count >= share * <f64>heard) return levelPower(slot, b) / <f64>here;
  }
  return 0;
}

/** Holes beside sound of at least this level. */
function countHoles(slot: usize, db: f64): void {
  lostSamples = 0;
  lostHoles = 0;
  for (let b = 0; b < HOLE_BUCKETS; b++) {
    if (<f64>(3 * b) - 89.5 < max(LEAST_HOLE_DB, db)) continue;
    const at = slot + (<usize>b << 3);
    lostSamples += <f64>load<i32>(at, HOLES);
    lostHoles += <f64>load<i32>(at, HOLES + 4);
  }
}

/** Samples at the rail, if anything ran along one within a tenth of the peak. */
function clipped(slot: usize): f64 {
  let flats = 0;
  const least = max(LEAST_FLAT, (load<i32>(slot, LINE_PEAK) * 9) / 10);
  for (let b = flatBucket(least); b < FLAT_BUCKETS; b++) flats += load<i32>(slot + (<usize>b << 2), FLATS);
  return flats == 0 ? 0.0 : <f64>max(flats, load<i32>(slot, RAIL_HITS));
}

/** `raw`: level of speech over the 8th percentile, dB; `shape`: log2 of the mean amplitude less the mean of its log2 (WADA).
 *  Both curves were measured with recorded speech in five noises. The level says more above 18 dB, both together below 12. */
function signalToNoise(raw: f64, shape: f64): f64 {
  const byLevel =
    raw <= 7.5 ? 0.5 * (raw - 7.5)
    : raw <= 10.0 ? between(raw, 7.5, 0, 10.0, 5.0)
    : raw <= 13.8 ? between(raw, 10.0, 5.0, 13.8, 10.0)
    : raw <= 18.1 ? between(raw, 13.8, 10.0, 18.1, 15.0)
    : raw <= 22.7 ? between(raw, 18.1, 15.0, 22.7, 20.0)
    : raw <= 32.8 ? between(raw, 22.7, 20.0, 32.8, 30.0)
    : between(raw, 32.8, 30.0, 42.3, 40.0);
  const byShape =
    shape <= 0.75 ? between(shape, 0.66, 0, 0.75, 5.0)
    : shape <= 0.927 ? between(shape, 0.75, 5.0, 0.927, 10.0)
    : shape <= 1.193 ? between(shape, 0.927, 10.0, 1.193, 15.0)
    : between(shape, 1.193, 15.0, 1.53, 20.0);
  const trust = max(0.0, min(1.0, (raw - 12.0) / 6.0));
  const both = 0.5 * (byLevel + max(-5.0, min(20.0, byShape)));
  return max(-10.0, min(60.0, trust * byLevel + (1.0 - trust) * both));
}

// @ts-ignore: decorator
@inline
function between(x: f64, x0: f64, y0: f64, x1: f64, y1: f64): f64 {
  return y0 + ((x - x0) * (y1 - y0)) / (x1 - x0);
}

/** The highest frequency that carries speech, or noise at least: within 62 dB of the peak, and not only a steady floor. */
function bandwidthOf(slot: usize): f64 {
  let peak = -100.0;
  for (let n = 1; n <= 60; n++) peak = max(peak, high(slot, n));
  let edge = 0;
  for (let n = 60; n >= 1 && edge == 0; n--) {
    const top = high(slot, n);
    const low = decibels(<f64>load<f32>(slot + (<usize>n << 2), BIN_LOW + 256));
    if (top > peak - 62.0 && (top - low > 9.0 || low > peak - 45.0)) edge = n;
  }
  // Down here it is only the skirt of the filter and of the window: up to where it begins.
  while (edge > 1 && high(slot, edge - 1) - high(slot, edge) >= 6.0) edge--;
  return <f64>edge * 125.0;
}

/** The second highest: a click makes one. */
// @ts-ignore: decorator
@inline
function high(slot: usize, n: i32): f64 {
  return decibels(<f64>load<f32>(slot + (<usize>n << 2), BIN_HIGH + 256));
}

/** Of G.107: rating to mean opinion. */
function opinion(rating: f64): f64 {
  const r = max(0.0, min(100.0, rating));
  return max(1.0, 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6);
}
