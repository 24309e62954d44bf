// A stream: samples into windows, gate, net, and what keeps the net fresh through long pauses.
import { gateOpens, startGate } from './gate';
import {
  CONTEXT_SAMPLES,
  CURRENT,
  FILLED,
  GATED,
  HIDDEN,
  HISTORY,
  HISTORY_WINDOW,
  KEPT,
  PROBABILITY,
  QUIET,
  SLOT_BYTES,
  SNAPSHOT,
  STATE_H,
  WINDOWS,
  WINDOW_SAMPLES,
} from './layout';
import { runNet } from './net';

/** Windows in a row below this ... */
const LOW: f32 = 0.1;
/** ... after which the state is copied, and after each further so many put back: in a long pause it drifts and the net then starts late. */
const QUIET_WINDOWS: i32 = 16;
const STATE_BYTES: usize = 2 * <usize>HIDDEN * 4;

export function startStream(slot: usize, gated: i32): void {
  memory.fill(slot + GATED, 0, SLOT_BYTES - GATED);
  store<i32>(slot, gated, GATED);
  startGate(slot);
}

/** Takes samples; windows that they complete are heard at once. */
export function pushSamples(slot: usize, from: usize, samples: i32): void {
  let filled = load<i32>(slot, FILLED);
  while (samples > 0) {
    const taken = min(samples, WINDOW_SAMPLES - filled);
    copySamples(from, slot + CURRENT + (<usize>filled << 1), taken);
    from += <usize>taken << 1;
    samples -= taken;
    filled += taken;
    if (filled == WINDOW_SAMPLES) {
      store<f32>(slot, hearWindow(slot), PROBABILITY);
      store<i32>(slot, load<i32>(slot, WINDOWS) + 1, WINDOWS);
      // The current window becomes the one before; its context is the end of the one before that.
      copySamples(slot + CURRENT - <usize>CONTEXT_SAMPLES * 2, slot + HISTORY, CONTEXT_SAMPLES + WINDOW_SAMPLES);
      filled = 0;
    }
  }
  store<i32>(slot, filled, FILLED);
}

/** Forwards, so `to` may lie before `from`. Inline: `memory.copy` calls out of the module, which takes longer than so few samples. */
// @ts-ignore: decorator
@inline
function copySamples(from: usize, to: usize, samples: i32): void {
  const end = from + (<usize>samples << 1);
  for (; from + 64 <= end; from += 64, to += 64) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    v128.store(to, v128.load(from, 32), 32);
    v128.store(to, v128.load(from, 48), 48);
  }
  for (; from + 16 <= end; from += 16, to += 16) v128.store(to, v128.load(from));
  for (; from < end; from += 2, to += 2) store<i16>(to, load<i16>(from));
}

function hearWindow(slot: usize): f32 {
  if (load<i32>(slot, GATED) == 0) return runNet(slot, slot + CURRENT - <usize>CONTEXT_SAMPLES * 2);
  if (!gateOpens(slot)) {
    store<i32>(slot, 1, KEPT);
    return 0;
  }
  if (load<i32>(slot, KEPT) != 0) {
    // Speech often begins before it stands out: the net hears the window before the gate opened, too.
    store<i32>(slot, 0, KEPT);
    runNet(slot, slot + HISTORY);
  }
  const probability = runNet(slot, slot + HISTORY_WINDOW + <usize>(WINDOW_SAMPLES - CONTEXT_SAMPLES) * 2);
  keepFresh(slot, probability);
  return probability;
}

function keepFresh(slot: usize, probability: f32): void {
  if (probability >= LOW) {
    store<i32>(slot, 0, QUIET);
    return;
  }
  const quiet = load<i32>(slot, QUIET) + 1;
  if (quiet == QUIET_WINDOWS) {
    memory.copy(slot + SNAPSHOT, slot + STATE_H, STATE_BYTES);
  } else if (quiet == 2 * QUIET_WINDOWS) {
    memory.copy(slot + STATE_H, slot + SNAPSHOT, STATE_BYTES);
  }
  store<i32>(slot, quiet == 2 * QUIET_WINDOWS ? QUIET_WINDOWS : quiet, QUIET);
}
