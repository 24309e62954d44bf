// What a window of frames was like: levels, shape of the amplitudes, the spectrum's highs and lows. Filed by frame, judged in `verdict.ts`.
// Nothing is NaN, so that the larger of two is `pmax`: one instruction, where `max` is eight.
import {
  ABS_SUM,
  BIN_HIGH,
  BIN_LANES,
  BIN_LOW,
  BIN_MAX,
  BIN_MIN,
  FRAME,
  FRAME_SAMPLES,
  LEVEL_COUNTS,
  LEVEL_POWERS,
  LOG_SUM,
  QUALITY_FRAMES,
  RESULT_SCORE,
  RESULT_WINDOWS,
  VOICED_FRAMES,
} from './layout';
import { naturalLog } from './bands';
import { decibels } from './elementary';
import { clearLine, startLine } from './line';
import { judgeWindow, LEVELS } from './verdict';

const FAR: f32 = 1e9;
const BIN_BYTES: usize = 64 * 4;
const LEVEL_BYTES: usize = <usize>LEVELS * 4;
/** Highs and lows are filed each half second; a single click is in one file only. */
const FILE_FRAMES: i32 = 25;
/** A window is judged after 4 s, then each second; after 10 s it ends in any case. */
const LEAST_FRAMES: i32 = 200;
const STEP_FRAMES: i32 = 50;
const FULL_SQUARE: f64 = 1073741824.0;
const LOG2E: f64 = 1.4426950408889634;

export function startQuality(slot: usize, hz: i32): void {
  startLine(slot, hz);
  clearFrames(slot);
  // Not measured.
  for (let i: usize = 0; i < 11 * 8; i += 8) store<f64>(slot + i, i < 24 ? 0 : NaN, RESULT_WINDOWS);
}

/** After levels and bins of the frame are known, and whether it is voiced. `squares`: sum over the frame. */
export function trackQuality(slot: usize, squares: i64): void {
  const sum = frameShape(slot);
  // Without its mean: an offset is no sound.
  const power = <f64>(squares * FRAME_SAMPLES - sum * sum) / <f64>(FRAME_SAMPLES * FRAME_SAMPLES) / FULL_SQUARE;
  const level = max(0, min(LEVELS - 1, <i32>floor(decibels(power) + 91.0)));
  const at = slot + (<usize>level << 2);
  store<i32>(at, load<i32>(at, LEVEL_COUNTS) + 1, LEVEL_COUNTS);
  store<f32>(at, load<f32>(at, LEVEL_POWERS) + <f32>power, LEVEL_POWERS);
  if (level > 0) {
    store<f64>(slot, load<f64>(slot, ABS_SUM) + frameAbs, ABS_SUM);
    store<f64>(slot, load<f64>(slot, LOG_SUM) + frameLogs, LOG_SUM);
    widenBins(slot);
  }
  if (load<f64>(slot, RESULT_SCORE) >= 0.5) store<i32>(slot, load<i32>(slot, VOICED_FRAMES) + 1, VOICED_FRAMES);
  const frames = load<i32>(slot, QUALITY_FRAMES) + 1;
  store<i32>(slot, frames, QUALITY_FRAMES);
  if (frames % FILE_FRAMES == 0) fileBins(slot);
  if (frames < LEAST_FRAMES || frames % STEP_FRAMES != 0 || !judgeWindow(slot)) return;
  clearLine(slot);
  clearFrames(slot);
}

let frameAbs: f64 = 0;
let frameLogs: f64 = 0;

/** The frame's sum; sums of the magnitudes and of their base-2 logarithms beside it. */
function frameShape(slot: usize): i64 {
  const frame = slot + FRAME;
  const ones = i16x8.splat(1);
  const half = f32x4.splat(0.5);
  let sums = i32x4.splat(0);
  let abs = f32x4.splat(0);
  let logs = f32x4.splat(0);
  for (let i: usize = 0; i < <usize>FRAME_SAMPLES * 2; i += 64) {
    // Eight magnitudes multiply to 2^120 at most: one logarithm for all of them.
    let product = f32x4.splat(1);
    for (let j: usize = 0; j < 64; j += 16) {
      const pcm = v128.load(frame + i + j);
      sums = i32x4.add(sums, i32x4.dot_i16x8_s(pcm, ones));
      const low = f32x4.abs(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(pcm)));
      const high = f32x4.abs(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(pcm)));
      abs = f32x4.add(abs, f32x4.add(low, high));
      product = f32x4.mul(product, f32x4.mul(f32x4.pmax(half, low), f32x4.pmax(half, high)));
    }
    logs = f32x4.add(logs, naturalLog(product));
  }
  frameAbs = <f64>f32x4.extract_lane(abs, 0) + <f64>f32x4.extract_lane(abs, 1) + (<f64>f32x4.extract_lane(abs, 2) + <f64>f32x4.extract_lane(abs, 3));
  const log = <f64>f32x4.extract_lane(logs, 0) + <f64>f32x4.extract_lane(logs, 1) + (<f64>f32x4.extract_lane(logs, 2) + <f64>f32x4.extract_lane(logs, 3));
  frameLogs = log * LOG2E;
  return <i64>(i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + (i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3)));
}

/** Four bins at a time: the mean over the sub-frames into highest and lowest. */
function widenBins(slot: usize): void {
  const quarter = f32x4.splat(0.25);
  for (let bin: usize = 0; bin < BIN_BYTES; bin += 16) {
    const at = BIN_LANES + (bin << 2);
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
    const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
    const power = f32x4.mul(f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7)), quarter);
    v128.store(slot + bin, f32x4.pmax(v128.load(slot + bin, BIN_MAX), power), BIN_MAX);
    v128.store(slot + bin, f32x4.pmin(v128.load(slot + bin, BIN_MIN), power), BIN_MIN);
  }
}

/** Keeps the two highest maxima and the two lowest minima. */
function fileBins(slot: usize): void {
  for (let bin: usize = 0; bin < BIN_BYTES; bin += 16) {
    const at = slot + bin;
    const high = v128.load(at, BIN_MAX);
    const low = v128.load(at, BIN_MIN);
    const highest = v128.load(at, BIN_HIGH);
    const lowest = v128.load(at, BIN_LOW);
    v128.store(at, f32x4.pmax(v128.load(at, BIN_HIGH + BIN_BYTES), f32x4.pmin(highest, high)), BIN_HIGH + BIN_BYTES);
    v128.store(at, f32x4.pmax(highest, high), BIN_HIGH);
    v128.store(at, f32x4.pmin(v128.load(at, BIN_LOW + BIN_BYTES), f32x4.pmax(lowest, low)), BIN_LOW + BIN_BYTES);
    v128.store(at, f32x4.pmin(lowest, low), BIN_LOW);
    v128.store(at, f32x4.splat(0), BIN_MAX);
    v128.store(at, f32x4.splat(FAR), BIN_MIN);
  }
}

function clearFrames(slot: usize): void {
  store<i32>(slot, 0, QUALITY_FRAMES);
  store<i32>(slot, 0, VOICED_FRAMES);
  store<f64>(slot, 0, ABS_SUM);
  store<f64>(slot, 0, LOG_SUM);
  memory.fill(slot + LEVEL_COUNTS, 0, LEVEL_BYTES);
  memory.fill(slot + LEVEL_POWERS, 0, LEVEL_BYTES);
  memory.fill(slot + BIN_MAX, 0, BIN_BYTES);
  memory.fill(slot + BIN_HIGH, 0, 2 * BIN_BYTES);
  const far = f32x4.splat(FAR);
  for (let bin: usize = 0; bin < BIN_BYTES; bin += 16) {
    v128.store(slot + bin, far, BIN_MIN);
    v128.store(slot + bin, far, BIN_LOW);
    v128.store(slot + bin, far, BIN_LOW + BIN_BYTES);
  }
}
