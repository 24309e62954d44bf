// Matrix times vector in i16 with i32 sums. Lanes lie along the rows, so that nothing crosses lanes: a vector of weights is those of a pair
// of inputs in four rows, a vector of the input the same pair four times (`quantize.ts`).

/** Rows whose weights of a pair of inputs lie together, then those of the next pair: as many as have their sums in registers at once. */
export const BLOCK_ROWS: usize = 32;
/** Weights of a pair of inputs in a block; a pair as it lies in an input. */
export const PAIR_WEIGHTS: usize = BLOCK_ROWS * 2 * 2;
export const PAIR_BYTES: usize = 16;

/** Sums of `rows` rows, a multiple of 32, over `pairs` pairs of inputs, a multiple of four, to `to`; the weights of the next block come
 *  `stride` bytes later. Four pairs a turn of the loop, as most of its cost is the number of instructions. */
export function sumRows(weights: usize, stride: usize, input: usize, pairs: usize, rows: usize, to: usize): void {
  const inputEnd = input + pairs * PAIR_BYTES;
  const end = to + rows * 4;
  do {
    let s0 = i32x4.splat(0);
    let s1 = i32x4.splat(0);
    let s2 = i32x4.splat(0);
    let s3 = i32x4.splat(0);
    let s4 = i32x4.splat(0);
    let s5 = i32x4.splat(0);
    let s6 = i32x4.splat(0);
    let s7 = i32x4.splat(0);
    let w = weights;
    let at = input;
    do {
      const a = v128.load(at);
      s0 = plus(s0, a, v128.load(w));
      s1 = plus(s1, a, v128.load(w, 16));
      s2 = plus(s2, a, v128.load(w, 32));
      s3 = plus(s3, a, v128.load(w, 48));
      s4 = plus(s4, a, v128.load(w, 64));
      s5 = plus(s5, a, v128.load(w, 80));
      s6 = plus(s6, a, v128.load(w, 96));
      s7 = plus(s7, a, v128.load(w, 112));
      const b = v128.load(at, 16);
      s0 = plus(s0, b, v128.load(w, 128));
      s1 = plus(s1, b, v128.load(w, 144));
      s2 = plus(s2, b, v128.load(w, 160));
      s3 = plus(s3, b, v128.load(w, 176));
      s4 = plus(s4, b, v128.load(w, 192));
      s5 = plus(s5, b, v128.load(w, 208));
      s6 = plus(s6, b, v128.load(w, 224));
      s7 = plus(s7, b, v128.load(w, 240));
      const c = v128.load(at, 32);
      s0 = plus(s0, c, v128.load(w, 256));
      s1 = plus(s1, c, v128.load(w, 272));
      s2 = plus(s2, c, v128.load(w, 288));
      s3 = plus(s3, c, v128.load(w, 304));
      s4 = plus(s4, c, v128.load(w, 320));
      s5 = plus(s5, c, v128.load(w, 336));
      s6 = plus(s6, c, v128.load(w, 352));
      s7 = plus(s7, c, v128.load(w, 368));
      const d = v128.load(at, 48);
      s0 = plus(s0, d, v128.load(w, 384));
      s1 = plus(s1, d, v128.load(w, 400));
      s2 = plus(s2, d, v128.load(w, 416));
      s3 = plus(s3, d, v128.load(w, 432));
      s4 = plus(s4, d, v128.load(w, 448));
      s5 = plus(s5, d, v128.load(w, 464));
      s6 = plus(s6, d, v128.load(w, 480));
      s7 = plus(s7, d, v128.load(w, 496));
      w += 4 * PAIR_WEIGHTS;
      at += 4 * PAIR_BYTES;
    } while (at < inputEnd);
    v128.store(to, s0);
    v128.store(to, s1, 16);
    v128.store(to, s2, 32);
    v128.store(to, s3, 48);
    v128.store(to, s4, 64);
    v128.store(to, s5, 80);
    v128.store(to, s6, 96);
    v128.store(to, s7, 112);
    weights += stride;
    to += BLOCK_ROWS * 4;
  } while (to < end);
}

/** `sum`, and what a pair of inputs adds to it in each row. */
// @ts-ignore: decorator
@inline
function plus(sum: v128, inputs: v128, weights: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(inputs, weights));
}
