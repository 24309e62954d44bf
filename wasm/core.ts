// What the host calls. Every call on a slot takes its handle and answers -1 when the handle is no longer good.
import { createBank, openSlot, releaseSlot, slotOf } from './bank';
import { createFilters, DOWN, filterFor, TAPS, UP } from './filters';
import { analyzeFrame } from './frame';
import { decodeG711, encodeG711 } from './g711';
import {
  BEFORE_FRAME,
  FILTER,
  FLOAT_OUT,
  FRAME,
  FRAME_SAMPLES,
  PCM_IN,
  PCM_OUT,
  RING_COUNT,
  SLOT_BYTES,
} from './layout';
import { hearLine } from './line';
import { floatToPcm, pcmToFloat } from './pcm';
import { startQuality } from './quality';
import { blockInput, resampleBlock, startResampler } from './resample';
import { ringFree, ringPush, ringTake } from './ring';
import { startSpeech } from './speech';
import { createSpectrum } from './spectrum';

export {
  BLOCK_SAMPLES,
  FLOAT_IN,
  FLOAT_OUT,
  FRAME,
  FRAME_SAMPLES,
  PCM_IN,
  PCM_OUT,
  QUALITY_RESULTS,
  RESULTS,
  RING_SAMPLES,
  SLOTS,
  SLOT_BYTES,
} from './layout';
export { decodeG711, encodeG711, floatToPcm, openSlot, pcmToFloat, releaseSlot };

/** Once, after the host has sized the memory for `slots` slots. */
export function initialize(slots: u32): void {
  createFilters();
  createSpectrum();
  createBank(slots);
}

/** Prepares an open slot to convert between two rates and, at 16 kHz, to analyze. -2 for a foreign rate. */
export function start(handle: i32, fromHz: i32, toHz: i32): i32 {
  const slot = slotOf(handle);
  if (slot == 0) return -1;
  const filter = filterFor(fromHz, toHz);
  if (filter == 0) return -2;
  memory.fill(slot + FILTER, 0, SLOT_BYTES - FILTER);
  startResampler(slot, filter);
  startSpeech(slot);
  startQuality(slot, fromHz);
  return 0;
}

/** Output samples between an input sample's arrival and the output sample at its time. */
export function delayOf(fromHz: i32, toHz: i32): i32 {
  const filter = filterFor(fromHz, toHz);
  if (filter == 0 || fromHz == toHz) return 0;
  return (load<i32>(filter, TAPS) / 2) * load<i32>(filter, UP) / load<i32>(filter, DOWN);
}

/** Resamples `samples` of `PCM_IN` into `PCM_OUT`. */
export function resamplePcm(handle: i32, samples: i32): i32 {
  const slot = slotOf(handle);
  if (slot == 0) return -1;
  return convert(slot, samples);
}

/** The same with f32 at both ends: from `FLOAT_OUT` into `FLOAT_OUT`. */
export function resampleFloat(handle: i32, samples: i32): i32 {
  const slot = slotOf(handle);
  if (slot == 0) return -1;
  memory.copy(blockInput(slot), FLOAT_OUT, <usize>samples << 2);
  return resampleBlock(slot, samples);
}

/** Writes the held-back tail into `PCM_OUT`. */
export function flushPcm(handle: i32): i32 {
  const slot = slotOf(handle);
  if (slot == 0) return -1;
  const half = load<i32>(<usize>load<u32>(slot, FILTER), TAPS) / 2;
  memory.fill(PCM_IN, 0, <usize>half << 1);
  const produced = convert(slot, half);
  startResampler(slot, <usize>load<u32>(slot, FILTER));
  return produced;
}

/** Takes `samples` of `PCM_IN` into the ring, at 16 kHz; fewer when the ring is full. Returns the samples taken. */
export function writePcm(handle: i32, samples: i32): i32 {
  const slot = slotOf(handle);
  if (slot == 0) return -1;
  const filter = <usize>load<u32>(slot, FILTER);
  const up = load<i32>(filter, UP);
  const down = load<i32>(filter, DOWN);
  const free = ringFree(slot);
  if (up == down) {
    const taken = min(samples, free);
    hearLine(slot, PCM_IN, taken);
    ringPush(slot, PCM_IN, taken);
    return taken;
  }
  const taken = max(0, min(samples, ((free - 1) * down) / up));
  hearLine(slot, PCM_IN, taken);
  ringPush(slot, PCM_OUT, convert(slot, taken));
  return taken;
}

/** Analyzes the next frame: 1, or 0 when there is none. */
export function nextFrame(handle: i32): i32 {
  const slot = slotOf(handle);
  if (slot == 0) return -1;
  if (load<i32>(slot, RING_COUNT) < FRAME_SAMPLES) return 0;
  memory.copy(slot + BEFORE_FRAME, slot + FRAME + 272 * 2, 48 * 2);
  if (!ringTake(slot, slot + FRAME, FRAME_SAMPLES)) return 0;
  analyzeFrame(slot);
  return 1;
}

function convert(slot: usize, samples: i32): i32 {
  pcmToFloat(PCM_IN, blockInput(slot), samples);
  const produced = resampleBlock(slot, samples);
  floatToPcm(FLOAT_OUT, PCM_OUT, produced);
  return produced;
}
