// What the host calls. Every call on a slot takes its handle and answers -1 when the handle is no longer good.
import { createBank, releaseSlot, slotOf, takeSlot } from './bank';
import { createConstants } from './constants';
import { createTapSums } from './first-layer';
import { createFrontEnd } from './front-end';
import { GATED, PCM_IN, PROBABILITY } from './layout';
import { pushSamples, startStream } from './stream';
import { checksum, decodeWeights } from './weights';

export {
  BLOCK_SAMPLES,
  CONV1_BIASES,
  CONV1_INPUT,
  CONV1_LAST_INPUT,
  CONV1_LAST_WEIGHTS,
  CONV1_OUTPUT,
  CONV1_SCALES,
  CONV1_WEIGHTS,
  CONV2_BIASES,
  CONV2_INPUT,
  CONV2_OUTPUT,
  CONV2_SCALES,
  CONV2_WEIGHTS,
  CONV3_BIASES,
  CONV3_INPUT,
  CONV3_OUTPUT,
  CONV3_SCALES,
  CONV3_WEIGHTS,
  CONV4_BIASES,
  CONV4_INPUT,
  CONV4_OUTPUT,
  CONV4_SCALES,
  CONV4_WEIGHTS,
  GATE_BIASES,
  HIDDEN_SCALES,
  HIDDEN_WEIGHTS,
  INPUT_SCALES,
  INPUT_WEIGHTS,
  LAST_BIAS,
  LAST_WEIGHTS,
  LSTM_GATES,
  LSTM_HIDDEN,
  LSTM_INPUT,
  MAGNITUDES,
  PCM_IN,
  PROBABILITY,
  RUNS,
  SLOTS,
  SLOT_BYTES,
  SNAPSHOT,
  STATE_C,
  STATE_H,
  STEPS,
  TEXT,
  TEXT_BYTES,
  WINDOWS,
  WINDOW_SAMPLES,
} from './layout';
export { checksum, releaseSlot };

/** Once, after the host has sized the memory for `slots` slots and written the weights to `TEXT`. False when they can't be read. */
export function initialize(slots: u32): bool {
  if (!decodeWeights()) return false;
  createConstants();
  createTapSums();
  createFrontEnd();
  createBank(slots);
  return true;
}

/** A handle, or -1 when every slot is taken. */
export function openSlot(gated: i32): i32 {
  const handle = takeSlot();
  if (handle >= 0) startStream(slotOf(handle), gated);
  return handle;
}

export function reset(handle: i32): i32 {
  const slot = slotOf(handle);
  if (slot == 0) return -1;
  startStream(slot, load<i32>(slot, GATED));
  return 0;
}

/** Takes `samples` of `PCM_IN`; 0. */
export function push(handle: i32, samples: i32): i32 {
  const slot = slotOf(handle);
  if (slot == 0) return -1;
  pushSamples(slot, PCM_IN, samples);
  return 0;
}
