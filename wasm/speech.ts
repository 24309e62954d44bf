// Is somebody speaking? A frame is voiced when it stands out of the tracked floor, by a margin that follows the speech and the noise.
//
// Two rules share the decision. Where the speech is far above the floor (20 dB and more) a sharp one: level against a threshold, within
// 240 ms of something clearly loud; it ends with the voice. In strong noise (below 12 dB) a lasting one: the evidence of the bands, against what
// it is on this line while nobody speaks.
import {
  ACTIVE,
  BAND_POWERS,
  BEGUN,
  CONFIDENCE,
  DEVIATION,
  EXCESS,
  FLOOR,
  GROUP,
  GROUP_DEVIATION,
  GROUP_FLOOR,
  HOLD,
  IDLE_PRESENCE,
  IDLE_SPREAD,
  PRESENCE,
  RESULT_FIRST_HALF_DB,
  RESULT_FLOOR_DB,
  RESULT_SCORE,
  RESULT_SECOND_HALF_DB,
  SEEN,
} from './layout';
import { bandEvidence, startBands } from './bands';
import { decibels } from './elementary';
import { recoverFloor, startRecovery } from './recovery';

/** Quieter than this is no signal: it neither counts as speech nor teaches the floor of a line. */
const NOTHING_DB: f64 = -88.0;
/** Floor and speech level assumed after 100 ms of nothing. */
const NOTHING_FLOOR_DB: f64 = -75.0;
const NOTHING_ACTIVE_DB: f64 = -30.0;
/** Speech level above the floor that is assumed until speech is heard. */
const PRIOR_SNR_DB: f64 = 20.0;
const HOLD_FRAMES: f64 = 12.0;
/** Evidence from which a frame is present lies above that of the line's noise by so many of its mean deviations, within limits: white noise
 *  gives little evidence and little spread, music gives as much as speech. */
const IDLE_SPREADS: f64 = 1.8;
const LOWEST_EVIDENCE: f64 = -2.0;
const HIGHEST_EVIDENCE: f64 = -0.1;
const LASTING_SNR_DB: f64 = 12.0;
/** One second: so long the band floors are too young to say that something lasts. */
const GUARD_FRAMES: f64 = 50.0;

export function startSpeech(slot: usize): void {
  store<f64>(slot, -70.0, FLOOR);
  store<f64>(slot, -70.0, RESULT_FLOOR_DB);
  store<f64>(slot, 2.0, DEVIATION);
  store<f64>(slot, -100.0, ACTIVE);
  store<f64>(slot, -0.5, IDLE_PRESENCE);
  store<f64>(slot, 0.1, IDLE_SPREAD);
  for (let g: usize = 0; g < 32; g += 8) store<f64>(slot + g, 2.0, GROUP_DEVIATION);
}

/** After levels and band powers of the frame are known. */
export function trackSpeech(slot: usize, averageDb: f64): void {
  if (averageDb < NOTHING_DB) hearNothing(slot);
  else hearFrame(slot, averageDb);
  store<f64>(slot, load<f64>(slot, FLOOR), RESULT_FLOOR_DB);
}

function hearNothing(slot: usize): void {
  store<f64>(slot, 0, RESULT_SCORE);
  store<f64>(slot, 0, HOLD);
  const floor = load<f64>(slot, FLOOR);
  if (load<f64>(slot, BEGUN) != 0) {
    store<f64>(slot, floor + 0.1 * (min(NOTHING_FLOOR_DB, floor) - floor), FLOOR);
    return;
  }
  const seen = load<f64>(slot, SEEN) + 1.0;
  store<f64>(slot, seen, SEEN);
  if (seen < 5.0) return;
  for (let i: usize = 0; i < 64; i += 16) v128.store(BAND_POWERS + i, f32x4.splat(0));
  begin(slot, NOTHING_FLOOR_DB, NOTHING_ACTIVE_DB, <f32>1e-8);
}

function begin(slot: usize, floor: f64, active: f64, bandFloor: f32): void {
  store<f64>(slot, 1.0, BEGUN);
  store<f64>(slot, 0.0, SEEN);
  store<f64>(slot, floor, FLOOR);
  store<f64>(slot, active, ACTIVE);
  startRecovery(slot, floor);
  startBands(slot, bandFloor);
}

function hearFrame(slot: usize, averageDb: f64): void {
  if (load<f64>(slot, BEGUN) == 0) begin(slot, averageDb, averageDb + PRIOR_SNR_DB, 0);
  const first = load<f64>(slot, SEEN) == 0;
  store<f64>(slot, load<f64>(slot, SEEN) + 1.0, SEEN);
  const top = max(load<f64>(slot, RESULT_FIRST_HALF_DB), load<f64>(slot, RESULT_SECOND_HALF_DB));
  const evidence = bandEvidence(slot);
  let presence = load<f64>(slot, PRESENCE);
  presence = first ? -1.0 : presence + 0.2 * (evidence - presence);
  store<f64>(slot, presence, PRESENCE);
  const best = max(top, load<f64>(slot, FLOOR) + bestGroup(slot, first));
  const floor = recoverFloor(slot, averageDb, load<f64>(slot, FLOOR), first);
  store<f64>(slot, floor, FLOOR);

  let active = load<f64>(slot, ACTIVE);
  let hold = load<f64>(slot, HOLD);
  const snr = max(6.0, active - floor);
  // The label rule of the evaluation set, heard as it goes: 38 dB below the speech or a few above the floor.
  const weak = max(max(floor + min(6.0, max(1.5, 0.27 * snr)), active - 35.0), -76.0);
  const margin = max(6.0, max(min(3.5 * load<f64>(slot, DEVIATION), 0.7 * snr), min(22.0, 0.6 * snr)));
  const strong = max(floor + margin, -72.0);
  const idle = load<f64>(slot, IDLE_PRESENCE) + IDLE_SPREADS * load<f64>(slot, IDLE_SPREAD);
  const present = soft(2.0 * (presence - max(LOWEST_EVIDENCE, min(HIGHEST_EVIDENCE, idle))));
  const loud = top >= strong;
  let confidence = max(0.0, load<f64>(slot, CONFIDENCE) - 0.0002);
  if (loud) {
    if (averageDb > floor + 12.0) confidence = min(1.0, confidence + 0.125);
    hold = HOLD_FRAMES;
    active += (averageDb > active ? 0.3 : 0.03) * (averageDb - active);
  } else {
    if (hold > 0) hold -= 1.0;
    // Something lasting that never gets loud: the speech is quieter than assumed.
    if (present >= 0.79 && load<f64>(slot, SEEN) > GUARD_FRAMES) active += 0.1 * (1.0 - confidence) * (max(averageDb, floor) + 4.0 - active);
  }
  store<f64>(slot, active, ACTIVE);
  store<f64>(slot, confidence, CONFIDENCE);
  store<f64>(slot, hold, HOLD);

  // The longer ago something was loud, the more it takes: noises after a phrase are not part of it.
  const threshold = loud ? weak : weak + (1.0 - hold / HOLD_FRAMES) * 0.7 * max(0.0, strong - weak);
  const sharp = min(soft((best - threshold) * 0.7), hold > 0 ? 1.0 : 0.45);
  let excess = load<f64>(slot, EXCESS);
  excess += 0.1 * (top - floor - excess);
  store<f64>(slot, excess, EXCESS);
  const lasting = min(present, soft((max(excess, top - floor - 3.0) - 0.27 * snr) * 0.7));
  const trust = min(1.0, max(0.0, (snr - LASTING_SNR_DB) / 8.0));
  const voiced = trust * sharp + (1.0 - trust) * (loud ? max(lasting, 0.6) : lasting) >= 0.5;
  const rank = 0.85 * soft(2.0 * presence + 0.2) + 0.15 * soft((top - floor - 0.4 * snr) * 0.3);
  store<f64>(slot, voiced ? 0.5 + 0.5 * rank : 0.499 * rank, RESULT_SCORE);
  if (!voiced) learn(slot, averageDb, loud);
}

/** Levels of the groups; how far the best stands out of its own floor, dB: a fricative shows in one group before it does in all. */
function bestGroup(slot: usize, first: bool): f64 {
  let best = -99.0;
  for (let g = 0; g < 4; g++) {
    const from = g == 0 ? 0 : g == 1 ? 4 : g == 2 ? 9 : 13;
    const end = g == 0 ? 4 : g == 1 ? 9 : g == 2 ? 13 : 16;
    let sum = 0.0;
    for (let band = from; band < end; band++) sum += <f64>load<f32>(BAND_POWERS + (<usize>band << 2));
    const at = slot + (<usize>g << 3);
    const level = decibels(sum);
    store<f64>(at, level, GROUP);
    if (first) store<f64>(at, level, GROUP_FLOOR);
    best = max(best, level - load<f64>(at, GROUP_FLOOR) - 2.0 * load<f64>(at, GROUP_DEVIATION));
  }
  return best;
}

/** A frame without voice teaches what the noise is like: down quickly, up slowly. */
function learn(slot: usize, averageDb: f64, loud: bool): void {
  for (let g: usize = 0; g < 32; g += 8) {
    const floor = load<f64>(slot + g, GROUP_FLOOR);
    const above = load<f64>(slot + g, GROUP) - floor;
    if (above >= 12.0) continue;
    const deviation = load<f64>(slot + g, GROUP_DEVIATION);
    store<f64>(slot + g, floor + (above < 0 ? 0.2 : 0.06) * above, GROUP_FLOOR);
    store<f64>(slot + g, deviation + 0.05 * (abs(above) - deviation), GROUP_DEVIATION);
  }
  const idle = load<f64>(slot, IDLE_PRESENCE);
  const more = load<f64>(slot, PRESENCE) - idle;
  const spread = load<f64>(slot, IDLE_SPREAD);
  store<f64>(slot, idle + 0.02 * more, IDLE_PRESENCE);
  store<f64>(slot, spread + 0.02 * (abs(more) - spread), IDLE_SPREAD);
  const floor = load<f64>(slot, FLOOR);
  const above = averageDb - floor;
  if (above >= 12.0 && loud) return;
  const deviation = load<f64>(slot, DEVIATION);
  store<f64>(slot, floor + (above < 0 ? 0.2 : 0.06) * above, FLOOR);
  store<f64>(slot, deviation + 0.05 * (abs(above) - deviation), DEVIATION);
}

/** A sigmoid without an exponential. */
// @ts-ignore: decorator
@inline
function soft(x: f64): f64 {
  return 0.5 + (0.5 * x) / (1.0 + abs(x));
}
