// What the bands say about speech: likelihood ratio against their floors, and how much their levels vary.
// No power is NaN, so that the larger of two is `pmax`: one instruction, where `max` is eight.
import {
  BAND_BUCKETS,
  BAND_FILED,
  BAND_LOWEST,
  BAND_MEAN,
  BAND_POWERS,
  BAND_SMOOTH,
  BAND_SQUARE,
  BAND_TURN,
} from './layout';
import { log2 } from './elementary';
import { BANDS } from './spectrum';

const BUCKETS: i32 = 8;
const BUCKET_FRAMES: i32 = 15;
const BYTES: usize = 64;
/** Above any power. */
const FAR: f32 = 1e9;
/** -90 dB of a full-scale sine or so: keeps logarithms finite. */
const LEAST_POWER: f32 = 1e-9;
const LN2: f64 = 0.6931471805599453;

/** `power` in every band as the floor; mean levels from the present powers. */
export function startBands(slot: usize, power: f32): void {
  const far = f32x4.splat(FAR);
  for (let i: usize = 0; i < BYTES; i += 16) {
    const powers = f32x4.add(v128.load(BAND_POWERS + i), f32x4.splat(LEAST_POWER));
    const level = naturalLog(powers);
    v128.store(slot + BAND_SMOOTH + i, power > 0 ? f32x4.splat(power + LEAST_POWER) : powers);
    v128.store(slot + BAND_LOWEST + i, far);
    v128.store(slot + BAND_FILED + i, far);
    v128.store(slot + BAND_MEAN + i, level);
    v128.store(slot + BAND_SQUARE + i, f32x4.mul(level, level));
    for (let bucket: usize = 0; bucket < <usize>BUCKETS; bucket++) v128.store(slot + BAND_BUCKETS + bucket * BYTES + i, far);
  }
}

/** Log of the mean likelihood ratio plus log of the mean variance: above 0 or so for speech. */
export function bandEvidence(slot: usize): f64 {
  let ratios = f32x4.splat(0);
  let variances = f32x4.splat(0);
  const one = f32x4.splat(1);
  const tenth = f32x4.splat(0.1);
  for (let i: usize = 0; i < BYTES; i += 16) {
    const power = f32x4.add(v128.load(BAND_POWERS + i), f32x4.splat(LEAST_POWER));
    const before = v128.load(slot + BAND_SMOOTH + i);
    const smooth = f32x4.add(before, f32x4.mul(tenth, f32x4.sub(power, before)));
    v128.store(slot + BAND_SMOOTH + i, smooth);
    const lowest = f32x4.pmin(v128.load(slot + BAND_LOWEST + i), smooth);
    v128.store(slot + BAND_LOWEST + i, lowest);
    const floor = f32x4.mul(f32x4.pmin(lowest, v128.load(slot + BAND_FILED + i)), f32x4.splat(1.2));
    const g = f32x4.pmax(one, f32x4.pmin(f32x4.splat(100), f32x4.div(power, floor)));
    ratios = f32x4.add(ratios, f32x4.sub(f32x4.sub(g, one), naturalLog(g)));
    const level = naturalLog(power);
    let mean = v128.load(slot + BAND_MEAN + i);
    mean = f32x4.add(mean, f32x4.mul(tenth, f32x4.sub(level, mean)));
    v128.store(slot + BAND_MEAN + i, mean);
    let square = v128.load(slot + BAND_SQUARE + i);
    square = f32x4.add(square, f32x4.mul(tenth, f32x4.sub(f32x4.mul(level, level), square)));
    v128.store(slot + BAND_SQUARE + i, square);
    variances = f32x4.add(variances, f32x4.pmax(f32x4.splat(0), f32x4.sub(square, f32x4.mul(mean, mean))));
  }
  const turn = load<i32>(slot, BAND_TURN) + 1;
  store<i32>(slot, turn, BAND_TURN);
  if (turn % BUCKET_FRAMES == 0) turnBucket(slot, (turn / BUCKET_FRAMES) % BUCKETS);
  const ratio = <f64>laneSum(ratios) / <f64>BANDS;
  const variance = <f64>laneSum(variances) / <f64>BANDS;
  return (log2(0.05 + ratio) + log2(0.1 + variance)) * LN2;
}

/** Files the lowest powers of the last 300 ms; the floor is the lowest of the last 2.4 s. */
function turnBucket(slot: usize, bucket: i32): void {
  const filed = slot + BAND_BUCKETS + <usize>bucket * BYTES;
  memory.copy(filed, slot + BAND_LOWEST, BYTES);
  for (let i: usize = 0; i < BYTES; i += 16) {
    let floor = v128.load(slot + BAND_BUCKETS + i);
    for (let other: usize = 1; other < <usize>BUCKETS; other++) {
      floor = f32x4.pmin(floor, v128.load(slot + BAND_BUCKETS + other * BYTES + i));
    }
    v128.store(slot + BAND_FILED + i, floor);
    v128.store(slot + BAND_LOWEST + i, f32x4.splat(FAR));
  }
}

// @ts-ignore: decorator
@inline
function laneSum(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** Four natural logarithms of positive, normal numbers, to 1e-7. */
// @ts-ignore: decorator
@inline
export function naturalLog(x: v128): v128 {
  const one = f32x4.splat(1);
  // Exponent and mantissa as if the mantissa lay in sqrt(1/2) .. sqrt(2).
  const shifted = i32x4.sub(x, i32x4.splat(0x3f3504f3));
  const exponent = i32x4.shr_s(shifted, 23);
  const m = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const z = f32x4.div(f32x4.sub(m, one), f32x4.add(m, one));
  const z2 = f32x4.mul(z, z);
  let series = f32x4.add(f32x4.splat(<f32>(2.0 / 5.0)), f32x4.mul(z2, f32x4.splat(<f32>(2.0 / 7.0))));
  series = f32x4.add(f32x4.splat(<f32>(2.0 / 3.0)), f32x4.mul(z2, series));
  series = f32x4.mul(z, f32x4.add(f32x4.splat(2), f32x4.mul(z2, series)));
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(exponent), f32x4.splat(<f32>LN2)), series);
}
