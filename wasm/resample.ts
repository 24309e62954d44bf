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

  const available = kept + samples;
  // Output n lies at input time `time / up`, and hears the taps from there on.
  const before = load<i32>(slot, PHASE);
  const outputs = max(0, ((available - taps + 1) * up - before + down - 1) / down);
  for (let first = 0; first < min(up, outputs); first++) {
    // Outputs of one phase, the same coefficients for all: `up` outputs and `down` inputs apart.
    const time = before + first * down;
    filterPhase(
      FLOAT_IN + (<usize>(time / up) << 2),
      <usize>down << 2,
      table + <usize>(time % up) * (<usize>taps << 2),
      <usize>taps << 2,
      FLOAT_OUT + (<usize>first << 2),
      <usize>up << 2,
      FLOAT_OUT + (<usize>outputs << 2),
    );
  }
  const time = before + outputs * down;
  const start = time / up;
  store<i32>(slot, available - start, KEPT);
  store<i32>(slot, time % up, PHASE);
  memory.copy(slot + HISTORY, FLOAT_IN + (<usize>start << 2), <usize>(available - start) << 2);
  return outputs;
}

/** Outputs from `out` to before `end`, `outStep` bytes apart: two at a time, so that each coefficient is loaded once for both, 32 taps a
 *  turn (every filter has a multiple of that). The sums are the same for one as for two. */
function filterPhase(x: usize, xStep: usize, h: usize, bytes: usize, out: usize, outStep: usize, end: usize): void {
  const hEnd = h + bytes;
  for (; out + outStep < end; out += 2 * outStep, x += 2 * xStep) {
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    let t0 = f32x4.splat(0);
    let t1 = f32x4.splat(0);
    let t2 = f32x4.splat(0);
    let t3 = f32x4.splat(0);
    let at = x;
    let next = x + xStep;
    let k = h;
    do {
      const k0 = v128.load(k);
      s0 = f32x4.add(s0, f32x4.mul(v128.load(at), k0));
      t0 = f32x4.add(t0, f32x4.mul(v128.load(next), k0));
      const k1 = v128.load(k, 16);
      s1 = f32x4.add(s1, f32x4.mul(v128.load(at, 16), k1));
      t1 = f32x4.add(t1, f32x4.mul(v128.load(next, 16), k1));
      const k2 = v128.load(k, 32);
      s2 = f32x4.add(s2, f32x4.mul(v128.load(at, 32), k2));
      t2 = f32x4.add(t2, f32x4.mul(v128.load(next, 32), k2));
      const k3 = v128.load(k, 48);
      s3 = f32x4.add(s3, f32x4.mul(v128.load(at, 48), k3));
      t3 = f32x4.add(t3, f32x4.mul(v128.load(next, 48), k3));
      const k4 = v128.load(k, 64);
      s0 = f32x4.add(s0, f32x4.mul(v128.load(at, 64), k4));
      t0 = f32x4.add(t0, f32x4.mul(v128.load(next, 64), k4));
      const k5 = v128.load(k, 80);
      s1 = f32x4.add(s1, f32x4.mul(v128.load(at, 80), k5));
      t1 = f32x4.add(t1, f32x4.mul(v128.load(next, 80), k5));
      const k6 = v128.load(k, 96);
      s2 = f32x4.add(s2, f32x4.mul(v128.load(at, 96), k6));
      t2 = f32x4.add(t2, f32x4.mul(v128.load(next, 96), k6));
      const k7 = v128.load(k, 112);
      s3 = f32x4.add(s3, f32x4.mul(v128.load(at, 112), k7));
      t3 = f32x4.add(t3, f32x4.mul(v128.load(next, 112), k7));
      at += 128;
      next += 128;
      k += 128;
    } while (k < hEnd);
    store<f32>(out, laneSum(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3))));
    store<f32>(out + outStep, laneSum(f32x4.add(f32x4.add(t0, t1), f32x4.add(t2, t3))));
  }
  if (out < end) store<f32>(out, dot(x, h, bytes));
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
  return laneSum(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
}

/** (0 + 1) + (2 + 3), in every lane. */
// @ts-ignore: decorator
@inline
function laneSum(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<f32>(x, x, 1, 0, 3, 2));
  return f32x4.extract_lane(f32x4.add(pairs, v128.shuffle<f32>(pairs, pairs, 2, 3, 0, 1)), 0);
}
