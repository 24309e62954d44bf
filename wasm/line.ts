// Sensors on the samples as they came in, before any filter: offset, rails that clip, holes of digital zero.
//
// Holes and rails are found sample by sample where there is a sign of one, 2.5 ms at a time otherwise; blocks may be of any length.
import {
  CELL,
  CELL_BEFORE,
  CELL_FILLED,
  CELL_SQUARES,
  FLATS,
  FLAT_EQUAL,
  FLAT_LAST,
  FLAT_RUN,
  HOLE,
  HOLES,
  HOLE_AFTER,
  HOLE_BEFORE,
  HOLE_CELLS,
  LINE_PEAK,
  LINE_SAMPLES,
  LINE_SUM,
  RAIL,
  RAIL_HITS,
  ZEROS,
  ZEROS_BEFORE,
} from './layout';
import { decibels } from './elementary';

/** Equal samples below this are the grain of a quiet signal. */
export const LEAST_FLAT: i32 = 1024;
/** Buckets of flat tops by magnitude, eight an octave; of holes by the level beside them, 3 dB each from -91 dBFS. */
export const FLAT_BUCKETS: i32 = 41;
export const HOLE_BUCKETS: i32 = 31;
const FULL_SQUARE: f64 = 1073741824.0;

export function startLine(slot: usize, hz: i32): void {
  store<i32>(slot, hz / 400, CELL);
  // As long at every rate: at 48 kHz a low tone has three equal samples at its top.
  store<i32>(slot, hz <= 16000 ? 3 : (3 * hz) / 16000, FLAT_RUN);
  // Nothing is before the first sample: no hole begins there.
  store<i32>(slot, hz / 400 + 1, ZEROS);
}

export function hearLine(slot: usize, from: usize, samples: i32): void {
  let first = true;
  while (samples > 0) {
    const part = min(samples, load<i32>(slot, CELL) - load<i32>(slot, CELL_FILLED));
    hearSegment(slot, from, part, first);
    first = false;
    from += <usize>part << 1;
    samples -= part;
  }
}

/** For the next window. A rail that nothing ran along is none any more. */
export function clearLine(slot: usize): void {
  let flats = 0;
  for (let b: usize = 0; b < <usize>FLAT_BUCKETS; b++) flats += load<i32>(slot + (b << 2), FLATS);
  if (flats == 0) store<i32>(slot, 0, RAIL);
  store<i32>(slot, 0, LINE_SAMPLES);
  store<i64>(slot, 0, LINE_SUM);
  store<i32>(slot, 0, LINE_PEAK);
  store<i32>(slot, 0, RAIL_HITS);
  memory.fill(slot + FLATS, 0, <usize>FLAT_BUCKETS * 4);
  memory.fill(slot + HOLES, 0, <usize>HOLE_BUCKETS * 8);
}

function hearSegment(slot: usize, from: usize, samples: i32, first: bool): void {
  const rail = load<i32>(slot, RAIL);
  const above = i16x8.splat(<i16>(rail - 2));
  const below = i16x8.splat(<i16>min(32767, rail + 1));
  const least = i16x8.splat(<i16>(LEAST_FLAT - 1));
  const ones = i16x8.splat(1);
  let sums = i32x4.splat(0);
  let squares = i64x2.splat(0);
  let peaks = i16x8.splat(0);
  let pairs = i16x8.splat(0);
  let hits = 0;
  let i: usize = 0;
  const whole = <usize>(samples & ~7) << 1;
  for (; i < whole; i += 16) {
    const pcm = v128.load(from + i);
    const size = i16x8.max_s(pcm, i16x8.sub_sat_s(i16x8.splat(0), pcm));
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(pcm, ones));
    const products = i32x4.dot_i16x8_s(pcm, pcm);
    squares = i64x2.add(squares, i64x2.extend_low_i32x4_u(products));
    squares = i64x2.add(squares, i64x2.extend_high_i32x4_u(products));
    peaks = i16x8.max_s(peaks, size);
    // The sample before the first of a block is elsewhere; there every sample is looked at.
    const same = first && i == 0 ? i16x8.splat(-1) : i16x8.eq(pcm, v128.load(from + i - 2));
    pairs = v128.or(pairs, v128.and(same, i16x8.gt_s(size, least)));
    if (rail > 0) hits += popcnt(i16x8.bitmask(v128.and(i16x8.gt_s(size, above), i16x8.le_s(size, below))));
  }
  let sum = <i64>(i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3));
  let square = i64x2.extract_lane(squares, 0) + i64x2.extract_lane(squares, 1);
  let peak = load<i32>(slot, LINE_PEAK);
  // Folded in half three times.
  peaks = i16x8.max_s(peaks, v128.shuffle<i16>(peaks, peaks, 4, 5, 6, 7, 0, 1, 2, 3));
  peaks = i16x8.max_s(peaks, v128.shuffle<i16>(peaks, peaks, 2, 3, 0, 1, 6, 7, 4, 5));
  peaks = i16x8.max_s(peaks, v128.shuffle<i16>(peaks, peaks, 1, 0, 3, 2, 5, 4, 7, 6));
  peak = max(peak, <i32>i16x8.extract_lane_s(peaks, 0));
  let flat = v128.any_true(pairs);
  const end = <usize>samples << 1;
  for (; i < end; i += 2) {
    const s = <i32>load<i16>(from + i);
    const size = min(32767, abs(s));
    sum += s;
    square += <i64>(s * s);
    peak = max(peak, size);
    flat = true;
    if (rail > 0 && size >= rail - 1 && size <= rail + 1) hits++;
  }
  store<i32>(slot, load<i32>(slot, LINE_SAMPLES) + samples, LINE_SAMPLES);
  store<i64>(slot, load<i64>(slot, LINE_SUM) + sum, LINE_SUM);
  store<i32>(slot, peak, LINE_PEAK);
  store<i32>(slot, load<i32>(slot, RAIL_HITS) + hits, RAIL_HITS);
  if (flat) findFlats(slot, from, end, peak);
  else {
    store<i32>(slot, <i32>load<i16>(from + end - 2), FLAT_LAST);
    store<i32>(slot, 1, FLAT_EQUAL);
  }
  if (square == 0) store<i32>(slot, load<i32>(slot, ZEROS) + samples, ZEROS);
  else findHoles(slot, from, end);
  store<i64>(slot, load<i64>(slot, CELL_SQUARES) + square, CELL_SQUARES);
  const filled = load<i32>(slot, CELL_FILLED) + samples;
  store<i32>(slot, filled, CELL_FILLED);
  if (filled == load<i32>(slot, CELL)) endCell(slot, filled);
}

/** Runs of equal samples far from the middle. */
function findFlats(slot: usize, from: usize, end: usize, peak: i32): void {
  const run = load<i32>(slot, FLAT_RUN);
  let last = load<i32>(slot, FLAT_LAST);
  let equal = load<i32>(slot, FLAT_EQUAL);
  for (let i: usize = 0; i < end; i += 2) {
    const s = <i32>load<i16>(from + i);
    equal = s == last ? equal + 1 : 1;
    last = s;
    if (equal < run) continue;
    const size = min(32767, abs(s));
    if (size < LEAST_FLAT) continue;
    const bucket = slot + (<usize>flatBucket(size) << 2);
    store<i32>(bucket, load<i32>(bucket, FLATS) + (equal == run ? run : 1), FLATS);
    if (equal > run || size <= load<i32>(slot, RAIL) + 1 || size * 10 < peak * 9) continue;
    store<i32>(slot, size, RAIL);
    store<i32>(slot, 0, RAIL_HITS);
  }
  store<i32>(slot, last, FLAT_LAST);
  store<i32>(slot, equal, FLAT_EQUAL);
}

/** Eight buckets an octave, from `LEAST_FLAT`. */
export function flatBucket(size: i32): i32 {
  const e = 31 - clz<i32>(size);
  return (e - 10) * 8 + ((size >> (e - 3)) & 7);
}

/** A segment that is not all zero: a run of zeros may end in it and another begin. */
function findHoles(slot: usize, from: usize, end: usize): void {
  let head: usize = 0;
  while (load<i16>(from + head) == 0) head += 2;
  const zeros = load<i32>(slot, ZEROS) + <i32>(head >> 1);
  if (zeros >= 2 * load<i32>(slot, CELL)) {
    if (load<i32>(slot, HOLE) > 0) fileHole(slot);
    store<i32>(slot, zeros, HOLE);
    store<f64>(slot, load<f64>(slot, ZEROS_BEFORE), HOLE_BEFORE);
    store<f64>(slot, 0, HOLE_AFTER);
    store<i32>(slot, 0, HOLE_CELLS);
  }
  let tail = end;
  while (load<i16>(from + tail - 2) == 0) tail -= 2;
  store<i32>(slot, <i32>((end - tail) >> 1), ZEROS);
}

function endCell(slot: usize, samples: i32): void {
  const power = <f64>load<i64>(slot, CELL_SQUARES) / <f64>samples / FULL_SQUARE;
  const zeros = load<i32>(slot, ZEROS);
  // The run began in this cell: this is what went before it.
  if (zeros > 0 && zeros <= samples) store<f64>(slot, max(power, load<f64>(slot, CELL_BEFORE)), ZEROS_BEFORE);
  if (load<i32>(slot, HOLE) > 0) {
    store<f64>(slot, max(load<f64>(slot, HOLE_AFTER), power), HOLE_AFTER);
    const cells = load<i32>(slot, HOLE_CELLS) + 1;
    store<i32>(slot, cells, HOLE_CELLS);
    if (cells == 2) fileHole(slot);
  }
  store<f64>(slot, power, CELL_BEFORE);
  store<i64>(slot, 0, CELL_SQUARES);
  store<i32>(slot, 0, CELL_FILLED);
}

/** A hole counts by the sound beside it: a short one by the louder side, a long one (a pause may look like that) by the quieter. */
function fileHole(slot: usize): void {
  const hole = load<i32>(slot, HOLE);
  const before = load<f64>(slot, HOLE_BEFORE);
  const after = load<f64>(slot, HOLE_AFTER);
  const side = hole <= 40 * load<i32>(slot, CELL) ? max(before, after) : min(before, after);
  const bucket = max(0, min(HOLE_BUCKETS - 1, <i32>floor((decibels(side) + 91.0) / 3.0)));
  const at = slot + (<usize>bucket << 3);
  store<i32>(at, load<i32>(at, HOLES) + hole, HOLES);
  store<i32>(at, load<i32>(at, HOLES + 4) + 1, HOLES + 4);
  store<i32>(slot, 0, HOLE);
}
