// Matrix times vector in i16 with i32 sums: lanes along the inputs, eight rows a pass, one horizontal sum for the eight.

/** Sums of the lanes of four vectors, as one. */
// @ts-ignore: decorator
@inline
export function sumLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

/** `to[r] = max(lowest, sum * scales[r] * step + added[r])` for `rows` rows, a multiple of eight. The weights of eight rows lie together:
 *  eight inputs of the first, of the second ..., then the next eight inputs; `inputs` of them are used and the next eight rows come
 *  `stride` bytes later. Returns the largest result. */
export function product(
  weights: usize,
  stride: usize,
  input: usize,
  inputs: usize,
  rows: usize,
  scales: usize,
  step: f32,
  added: usize,
  lowest: f32,
  to: usize,
): f32 {
  const factor = f32x4.splat(step);
  const least = f32x4.splat(lowest);
  let largest = least;
  const end = input + (inputs << 1);
  for (let row: usize = 0; row < rows; row += 8) {
    let a0 = i32x4.splat(0);
    let a1 = i32x4.splat(0);
    let a2 = i32x4.splat(0);
    let a3 = i32x4.splat(0);
    let a4 = i32x4.splat(0);
    let a5 = i32x4.splat(0);
    let a6 = i32x4.splat(0);
    let a7 = i32x4.splat(0);
    let w = weights;
    for (let at = input; at < end; at += 16, w += 128) {
      const x = v128.load(at);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(x, v128.load(w)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(x, v128.load(w, 16)));
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(x, v128.load(w, 32)));
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(x, v128.load(w, 48)));
      a4 = i32x4.add(a4, i32x4.dot_i16x8_s(x, v128.load(w, 64)));
      a5 = i32x4.add(a5, i32x4.dot_i16x8_s(x, v128.load(w, 80)));
      a6 = i32x4.add(a6, i32x4.dot_i16x8_s(x, v128.load(w, 96)));
      a7 = i32x4.add(a7, i32x4.dot_i16x8_s(x, v128.load(w, 112)));
    }
    const at = row << 2;
    const low = f32x4.max(
      least,
      f32x4.add(
        f32x4.mul(f32x4.convert_i32x4_s(sumLanes(a0, a1, a2, a3)), f32x4.mul(v128.load(scales + at), factor)),
        v128.load(added + at),
      ),
    );
    const high = f32x4.max(
      least,
      f32x4.add(
        f32x4.mul(f32x4.convert_i32x4_s(sumLanes(a4, a5, a6, a7)), f32x4.mul(v128.load(scales + at, 16), factor)),
        v128.load(added + at, 16),
      ),
    );
    v128.store(to + at, low);
    v128.store(to + at, high, 16);
    largest = f32x4.max(largest, f32x4.max(low, high));
    weights += stride;
  }
  return largestLane(largest);
}

// @ts-ignore: decorator
@inline
export function largestLane(x: v128): f32 {
  const a = f32x4.max(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.max(a, v128.shuffle<f32>(a, a, 1, 0, 3, 2)), 0);
}
