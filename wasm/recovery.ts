// Lifts a floor that the noise has left behind: quickly under a steady sound, else to what was quietest for 3 s.
import { LEVEL, LEVEL_BUCKETS, LEVEL_TURN, QUIET, QUIETEST, QUIETEST_FILED, WOBBLE } from './layout';

const BUCKETS: i32 = 8;
const BUCKET_FRAMES: i32 = 20;
const FAR: f64 = 1e9;

export function startRecovery(slot: usize, floor: f64): void {
  store<f64>(slot, floor, QUIET);
  store<f64>(slot, FAR, QUIETEST);
  store<f64>(slot, FAR, QUIETEST_FILED);
  for (let bucket = 0; bucket < BUCKETS; bucket++) store<f64>(slot + (<usize>bucket << 3), FAR, LEVEL_BUCKETS);
}

/** The new floor, dB. */
export function recoverFloor(slot: usize, averageDb: f64, floor: f64, first: bool): f64 {
  let quiet = load<f64>(slot, QUIET);
  quiet += 0.4 * (averageDb - quiet);
  store<f64>(slot, quiet, QUIET);
  const quietest = min(load<f64>(slot, QUIETEST), quiet);
  store<f64>(slot, quietest, QUIETEST);
  const lowest = min(quietest, load<f64>(slot, QUIETEST_FILED));
  const turn = load<i32>(slot, LEVEL_TURN) + 1;
  store<i32>(slot, turn, LEVEL_TURN);
  if (turn % BUCKET_FRAMES == 0) turnBucket(slot, (turn / BUCKET_FRAMES) % BUCKETS, quietest);

  let level = first ? averageDb : load<f64>(slot, LEVEL);
  let wobble = first ? 8.0 : load<f64>(slot, WOBBLE);
  wobble += 0.1 * (abs(averageDb - level) - wobble);
  level += 0.1 * (averageDb - level);
  store<f64>(slot, level, LEVEL);
  store<f64>(slot, wobble, WOBBLE);
  // Speech wobbles by 4 dB and more from frame to frame, noise of machines and weather by less than 2.
  if (wobble < 2.0 && level > floor + 3.0) floor += min(1.0, (level - floor) * 0.2);
  return lowest > floor ? floor + min(0.4, lowest - floor) : floor;
}

function turnBucket(slot: usize, bucket: i32, quietest: f64): void {
  store<f64>(slot + (<usize>bucket << 3), quietest, LEVEL_BUCKETS);
  store<f64>(slot, FAR, QUIETEST);
  let lowest = FAR;
  for (let i = 0; i < BUCKETS; i++) lowest = min(lowest, load<f64>(slot + (<usize>i << 3), LEVEL_BUCKETS));
  store<f64>(slot, lowest, QUIETEST_FILED);
}
