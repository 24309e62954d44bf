// The fused pass over one 20 ms frame: level, halves, peak, bands, speech.
import { decibels } from './elementary';
import {
  FRAME,
  FRAME_SAMPLES,
  RESULT_FIRST_HALF_DB,
  RESULT_PEAK,
  RESULT_RMS,
  RESULT_SECOND_HALF_DB,
} from './layout';
import { trackQuality } from './quality';
import { bandPowers } from './spectrum';
import { trackSpeech } from './speech';

const HALF_BYTES: usize = <usize>FRAME_SAMPLES;
/** Full scale squared, 32768^2. */
const FULL_SQUARE: f64 = 1073741824.0;

export function analyzeFrame(slot: usize): void {
  const frame = slot + FRAME;
  const first = squares(frame, HALF_BYTES);
  const second = squares(frame + HALF_BYTES, HALF_BYTES);
  // Whole numbers up to 2^39: exact, so that this is sqrt(mean((s / 32768)^2)) to the last bit.
  const mean = <f64>(first + second) / FULL_SQUARE / <f64>FRAME_SAMPLES;
  store<f64>(slot, sqrt(mean), RESULT_RMS);
  store<f64>(slot, decibels(<f64>first / (FULL_SQUARE * <f64>(FRAME_SAMPLES / 2))), RESULT_FIRST_HALF_DB);
  store<f64>(slot, decibels(<f64>second / (FULL_SQUARE * <f64>(FRAME_SAMPLES / 2))), RESULT_SECOND_HALF_DB);
  store<f64>(slot, <f64>peak(frame), RESULT_PEAK);
  bandPowers(slot);
  trackSpeech(slot, decibels(mean));
  trackQuality(slot, <i64>(first + second));
}

function squares(from: usize, bytes: usize): u64 {
  let low = i64x2.splat(0);
  let high = i64x2.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const pcm = v128.load(from + i);
    // A pair of -32768 gives 2^31: unsigned, it fits.
    const pairs = i32x4.dot_i16x8_s(pcm, pcm);
    low = i64x2.add(low, i64x2.extend_low_i32x4_u(pairs));
    high = i64x2.add(high, i64x2.extend_high_i32x4_u(pairs));
  }
  const sum = i64x2.add(low, high);
  return i64x2.extract_lane(sum, 0) + i64x2.extract_lane(sum, 1);
}

function peak(frame: usize): i32 {
  let highest = i16x8.splat(0);
  let lowest = i16x8.splat(0);
  for (let i: usize = 0; i < <usize>FRAME_SAMPLES * 2; i += 16) {
    const pcm = v128.load(frame + i);
    highest = i16x8.max_s(highest, pcm);
    lowest = i16x8.min_s(lowest, pcm);
  }
  let result = 0;
  for (let lane = 0; lane < 8; lane++) {
    result = max(result, max(<i32>i16x8.extract_lane_s(highest, 0), -(<i32>i16x8.extract_lane_s(lowest, 0))));
    highest = v128.shuffle<i16>(highest, highest, 1, 2, 3, 4, 5, 6, 7, 0);
    lowest = v128.shuffle<i16>(lowest, lowest, 1, 2, 3, 4, 5, 6, 7, 0);
  }
  return result;
}
