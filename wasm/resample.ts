// The streaming polyphase resampler: output n lies at input time n * down / up, whatever the blocks were.
import { DOWN, TABLE, TAPS, UP } from './filters';
import { FILTER, FLOAT_IN, FLOAT_OUT, HISTORY, KEPT, PHASE } from './layout';

/** As if silence had gone before: half a filter of it. */
export function startResampler(slot: usize, filter: usize): void {
  const kept = load<i32>(filter, TAPS) / 2 - 1;
  store<u32>(slot, <u32>filter, FILTER);
  store<i32>(slot, kept, KEPT);
  store<i32>(slot, 0, PHASE);
  memory.fill(slot + HISTORY, 0, <usize>kept * 4);
}

/** Where the caller puts the samples of the next block, as f32. */
// @ts-ignore: decorator
@inline
export function blockInput(slot: usize): usize {
  return FLOAT_IN + (<usize>load<i32>(slot, KEPT) << 2);
}

/** Filters `samples` of block input into `FLOAT_OUT`; returns how many came out. */
export function resampleBlock(slot: usize, samples: i32): i32 {
  const filter = <usize>load<u32>(slot, FILTER);
  const up = load<i32>(filter, UP);
  const down = load<i32>(filter, DOWN);
  const taps = load<i32>(filter, TAPS);
  const table = <usize>load<u32>(filter, TABLE);
  const kept = load<i32>(slot, KEPT);
  memory.copy(FLOAT_IN, slot + HISTORY, <usize>kept << 2);

  const tapBytes = <usize>taps << 2;
  const whole = down / up;
  const part = down % up;
  const available = kept + samples;
  let phase = load<i32>(slot, PHASE);
  let start = 0;
  let out = FLOAT_OUT;
  while (start + taps <= available) {
    store<f32>(out, dot(FLOAT_IN + (<usize>start << 2), table + <usize>phase * tapBytes, tapBytes));
    out += 4;
    start += whole;
    phase += part;
    if (phase >= up) {
      phase -= up;
      start++;
    }
  }
  store<i32>(slot, available - start, KEPT);
  store<i32>(slot, phase, PHASE);
  memory.copy(slot + HISTORY, FLOAT_IN + (<usize>start << 2), <usize>(available - start) << 2);
  return <i32>((out - FLOAT_OUT) >> 2);
}

// @ts-ignore: decorator
@inline
function dot(x: usize, h: usize, bytes: usize): f32 {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  const end = h + bytes;
  while (h < end) {
    a = f32x4.add(a, f32x4.mul(v128.load(x), v128.load(h)));
    b = f32x4.add(b, f32x4.mul(v128.load(x, 16), v128.load(h, 16)));
    c = f32x4.add(c, f32x4.mul(v128.load(x, 32), v128.load(h, 32)));
    d = f32x4.add(d, f32x4.mul(v128.load(x, 48), v128.load(h, 48)));
    x += 64;
    h += 64;
  }
  const sum = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  return f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3));
}
