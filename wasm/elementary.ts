// Elementary functions from + - * / alone, so that every host computes the same bits (its own Math.sin and Math.log differ).

/** sin(pi x), to 1e-16 for moderate x. */
export function sinPi(x: f64): f64 {
  const turns = nearest(x * 0.5);
  let r = x - 2.0 * turns;
  if (r > 0.5) r = 1.0 - r;
  else if (r < -0.5) r = -1.0 - r;
  const a = r * 3.141592653589793;
  const a2 = a * a;
  let term = a;
  let sum = a;
  for (let k = 1; k <= 11; k++) {
    term *= -a2 / <f64>(2 * k * (2 * k + 1));
    sum += term;
  }
  return sum;
}

/** cos(pi x). */
export function cosPi(x: f64): f64 {
  return sinPi(x + 0.5);
}

/** The modified Bessel function of the first kind, order 0. */
export function bessel0(x: f64): f64 {
  const quarter = x * x * 0.25;
  let term = 1.0;
  let sum = 1.0;
  for (let k = 1; k <= 60; k++) {
    term *= quarter / <f64>(k * k);
    sum += term;
  }
  return sum;
}

/** Base-2 logarithm of a positive, normal number, to 1e-10. */
export function log2(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  let exponent = <i32>((bits >> 52) & 0x7ff) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent++;
  }
  const z = (m - 1.0) / (m + 1.0);
  const z2 = z * z;
  const series =
    1.0 + z2 * (1.0 / 3.0 + z2 * (1.0 / 5.0 + z2 * (1.0 / 7.0 + z2 * (1.0 / 9.0 + z2 * (1.0 / 11.0 + z2 * (1.0 / 13.0))))));
  return <f64>exponent + z * series * 2.8853900817779268;
}

/** Ten times the base-10 logarithm; -100 from 1e-10 downwards. */
export function decibels(power: f64): f64 {
  return power <= 1e-10 ? -100.0 : log2(power) * 3.010299956639812;
}
