// The filter tables: for each pair of rates a windowed sinc, split into phases of taps that start at the oldest sample.
import { COEFFICIENTS, FILTERS, FILTER_BYTES } from './layout';
import { bessel0, sinPi } from './elementary';

/** 9.5 leaves 96 dB at 1.05 of Nyquist; 10 leaves 100 dB from there on and costs 0.05 dB at 0.9. */
const KAISER_BETA: f64 = 10.0;
const ROLL_OFF: f64 = 0.94;
/** Zero crossings of the sinc on each side, at the lower of the two rates. */
const HALF_WIDTH: i32 = 32;

// A descriptor: up, down, taps of one phase, and where the coefficients lie.
export const UP: usize = 0;
export const DOWN: usize = 4;
export const TAPS: usize = 8;
export const TABLE: usize = 12;

/** 0..3 for 8, 16, 24 and 48 kHz; -1 for any other rate. */
function rateIndex(hz: i32): i32 {
  return hz == 8000 ? 0 : hz == 16000 ? 1 : hz == 24000 ? 2 : hz == 48000 ? 3 : -1;
}

function rateOf(index: i32): i32 {
  return index == 0 ? 1 : index == 1 ? 2 : index == 2 ? 3 : 6;
}

function divisor(a: i32, b: i32): i32 {
  while (b != 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/** The descriptor for a pair of rates; 0 for a foreign rate. */
export function filterFor(fromHz: i32, toHz: i32): usize {
  const from = rateIndex(fromHz);
  const to = rateIndex(toHz);
  return from < 0 || to < 0 ? 0 : FILTERS + <usize>(from * 4 + to) * FILTER_BYTES;
}

/** Makes the tables of all twelve pairs of different rates. */
export function createFilters(): void {
  let at = COEFFICIENTS;
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) {
      const common = divisor(rateOf(from), rateOf(to));
      const up = rateOf(to) / common;
      const down = rateOf(from) / common;
      const taps = up >= down ? 2 * HALF_WIDTH : (2 * HALF_WIDTH * down) / up;
      const filter = FILTERS + <usize>(from * 4 + to) * FILTER_BYTES;
      store<i32>(filter, up, UP);
      store<i32>(filter, down, DOWN);
      store<i32>(filter, taps, TAPS);
      store<u32>(filter, <u32>at, TABLE);
      if (from != to) at = fillTable(at, up, down, taps);
    }
  }
}

/** Phase p, tap k: the impulse response `p / up + taps / 2 - 1 - k` input samples after the input sample. */
function fillTable(table: usize, up: i32, down: i32, taps: i32): usize {
  const half = <f64>(taps / 2);
  const cutoff = ROLL_OFF * (up >= down ? 1.0 : <f64>up / <f64>down);
  const scale = 1.0 / bessel0(KAISER_BETA);
  let at = table;
  for (let phase = 0; phase < up; phase++) {
    let sum = 0.0;
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < taps; k++) {
        const distance = <f64>phase / <f64>up + half - 1.0 - <f64>k;
        const inside = 1.0 - (distance / half) * (distance / half);
        const x = distance * cutoff;
        const sinc = x == 0.0 ? 1.0 : sinPi(x) / (3.141592653589793 * x);
        const value = inside <= 0.0 ? 0.0 : cutoff * sinc * bessel0(KAISER_BETA * sqrt(inside)) * scale;
        if (pass == 0) sum += value;
        else {
          // Each phase passes DC with gain 1: otherwise the phases would modulate it.
          store<f32>(at, <f32>(value / sum));
          at += 4;
        }
      }
    }
  }
  return at;
}
