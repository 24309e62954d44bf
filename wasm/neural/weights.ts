// Reads the weights from text, as the host's `TextEncoder` writes it into memory: digits of base 92 (the printable characters but the blank,
// the single quote and the backslash), two for a weight, five for the bits of an f32.
import { CONV1_WEIGHTS, FLOATS, FLOATS_END, TEXT, TEXT_BYTES, WEIGHTS_END } from './layout';

const BASE: u32 = 92;
/** Two digits hold weights from -4231 to 4232. */
const ZERO: i32 = 4231;

/** Value of a digit; `BASE` or more for any other character. */
// @ts-ignore: decorator
@inline
function digit(at: usize): u32 {
  const c = <u32>load<u8>(at);
  return c == 39 || c == 92 ? BASE : c - 33 - <u32>(c > 39) - <u32>(c > 92);
}

/** FNV-1a over the text, four bytes a step: any single change gives another sum. */
export function checksum(): u32 {
  let sum: u32 = 0x811c9dc5;
  for (let at: usize = 0; at < TEXT_BYTES; at += 4) sum = (sum ^ load<u32>(TEXT + at)) * 0x01000193;
  return sum;
}

/** Fills weights and floats. False when a character is no digit or a float is no finite number. */
export function decodeWeights(): bool {
  let from = TEXT;
  const base = i8x16.splat(<i8>BASE);
  let others = i8x16.splat(0);
  for (let at = CONV1_WEIGHTS; at < WEIGHTS_END; at += 16, from += 16) {
    const c = v128.load(from);
    const quote = i8x16.eq(c, i8x16.splat(39));
    const slash = i8x16.eq(c, i8x16.splat(92));
    // A comparison that holds is -1.
    const skipped = i8x16.add(i8x16.gt_u(c, i8x16.splat(39)), i8x16.gt_u(c, i8x16.splat(92)));
    const digits = i8x16.add(i8x16.sub(c, i8x16.splat(33)), skipped);
    others = v128.or(others, v128.or(i8x16.ge_u(digits, base), v128.or(quote, slash)));
    const high = v128.and(digits, i16x8.splat(0xff));
    const low = i16x8.shr_u(digits, 8);
    const weights = i16x8.sub(i16x8.add(i16x8.mul(high, i16x8.splat(<i16>BASE)), low), i16x8.splat(<i16>ZERO));
    v128.store(at, weights);
  }
  let foreign = v128.any_true(others);
  for (let at = FLOATS; at < FLOATS_END; at += 4, from += 5) {
    let bits: u64 = 0;
    for (let i: usize = 0; i < 5; i++) {
      const value = digit(from + i);
      foreign = foreign || value >= BASE;
      bits = bits * BASE + value;
    }
    foreign = foreign || bits >> 32 != 0 || (bits & 0x7f800000) == 0x7f800000;
    store<u32>(at, <u32>bits);
  }
  return !foreign;
}
