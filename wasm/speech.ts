// Is somebody speaking: level against a tracked noise floor and a tracked speech level.
import { RESULT_FIRST_HALF_DB, RESULT_FLOOR_DB, RESULT_SCORE, RESULT_SECOND_HALF_DB, TRACK } from './layout';

const FLOOR: usize = TRACK;
const SPEECH: usize = TRACK + 8;

export function startSpeech(slot: usize): void {
  store<f64>(slot, -62.0, FLOOR);
  store<f64>(slot, -100.0, SPEECH);
  store<f64>(slot, -62.0, RESULT_FLOOR_DB);
}

export function trackSpeech(slot: usize): void {
  const level = max(load<f64>(slot, RESULT_FIRST_HALF_DB), load<f64>(slot, RESULT_SECOND_HALF_DB));
  let floor = load<f64>(slot, FLOOR);
  let speech = load<f64>(slot, SPEECH);
  const threshold = max(max(floor + 8.0, speech - 38.0), -68.0);
  const above = (level - threshold) / 6.0;
  const score = min(1.0, max(0.0, 0.5 + 0.5 * above));
  const quietest = max(-80.0, min(load<f64>(slot, RESULT_FIRST_HALF_DB), load<f64>(slot, RESULT_SECOND_HALF_DB)));
  floor += quietest < floor ? 0.2 * (quietest - floor) : score >= 0.5 ? 0.04 : 0.05 * (quietest - floor);
  speech += level > speech ? 0.3 * (level - speech) : -0.02;
  store<f64>(slot, floor, FLOOR);
  store<f64>(slot, speech, SPEECH);
  store<f64>(slot, floor, RESULT_FLOOR_DB);
  store<f64>(slot, score, RESULT_SCORE);
}
