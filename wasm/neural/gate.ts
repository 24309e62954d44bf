// Whether a window is worth the net: open when 8 ms of it stand out from the floor, and some windows longer.
import { BUCKETS, CURRENT, HOLD, LOWEST, PROBABILITY, SMOOTHED, WINDOWS } from './layout';

/** A block stands out at 4 dB above the floor ... */
const ABOVE_FLOOR: f64 = 2.51188643150958;
/** ... and -65 dBFS. */
const AUDIBLE: f64 = 3.16227766016838e-7;
const HOLD_WINDOWS: i32 = 2;
/** Speech that goes on keeps the gate open by itself. */
const KEEPS_OPEN: f32 = 0.1;
/** The first quarter of a second is heard whatever it is: no floor is known, and a net that starts cold in speech starts late. */
const WARM_UP_WINDOWS: i32 = 8;
/** The floor is the lowest smoothed level of 8 buckets of 8 windows (2 s) and of the current one. */
const BUCKET_WINDOWS: i32 = 8;
const SMOOTHING: f64 = 0.25;
const NOTHING: f64 = 1e9;

export function startGate(slot: usize): void {
  store<f64>(slot, -1, SMOOTHED);
  store<f64>(slot, NOTHING, LOWEST);
  for (let i: usize = 0; i < 8; i++) store<f64>(slot + (i << 3), NOTHING, BUCKETS);
}

/** Listens to the current window; whether the net is to hear it. */
export function gateOpens(slot: usize): bool {
  const windows = load<i32>(slot, WINDOWS);
  let smoothed = load<f64>(slot, SMOOTHED);
  let lowest = load<f64>(slot, LOWEST);
  let floor = lowest;
  for (let i: usize = 0; i < 8; i++) floor = min(floor, load<f64>(slot + (i << 3), BUCKETS));
  let loudest: f64 = 0;
  for (let block: usize = 0; block < 4; block++) {
    const power = blockPower(slot + CURRENT + (block << 8));
    smoothed = smoothed < 0 ? power : smoothed + SMOOTHING * (power - smoothed);
    lowest = min(lowest, smoothed);
    loudest = max(loudest, power);
  }
  floor = min(floor, lowest);
  store<f64>(slot, smoothed, SMOOTHED);
  if ((windows & (BUCKET_WINDOWS - 1)) == BUCKET_WINDOWS - 1) {
    const bucket = <usize>(windows / BUCKET_WINDOWS) & 7;
    store<f64>(slot + (bucket << 3), lowest, BUCKETS);
    lowest = NOTHING;
  }
  store<f64>(slot, lowest, LOWEST);

  if (windows < WARM_UP_WINDOWS || (loudest > AUDIBLE && loudest >= ABOVE_FLOOR * floor)) {
    store<i32>(slot, HOLD_WINDOWS, HOLD);
    return true;
  }
  const hold = load<i32>(slot, HOLD);
  if (hold > 0) {
    store<i32>(slot, hold - 1, HOLD);
    return true;
  }
  return load<f32>(slot, PROBABILITY) >= KEEPS_OPEN;
}

/** Mean square of 128 samples, full scale 1. Whole numbers, so the order of the sum does not matter. */
function blockPower(at: usize): f64 {
  let sum = i64x2.splat(0);
  for (let i: usize = 0; i < 256; i += 16) {
    const x = v128.load(at + i);
    // Two squares of -32768 are 2^31: unsigned.
    const squares = i32x4.dot_i16x8_s(x, x);
    sum = i64x2.add(sum, i64x2.add(i64x2.extend_low_i32x4_u(squares), i64x2.extend_high_i32x4_u(squares)));
  }
  const total = i64x2.extract_lane(sum, 0) + i64x2.extract_lane(sum, 1);
  return <f64>total / (128.0 * 32768.0 * 32768.0);
}
