// Values as people read them: a factor and a sign that fit the largest value of a plot, and a few digits.
import type { SeriesInfo } from '../../../metrics/index.ts';

export interface Scale {
  readonly factor: number;
  /** With its blank, such as ` ms`; empty where there is none. */
  readonly sign: string;
}

const TIMES: readonly (readonly [from: number, factor: number, sign: string])[] = [
  [7200, 1 / 3600, ' h'],
  [180, 1 / 60, ' min'],
  [1.5, 1, ' s'],
  [1.5e-3, 1e3, ' ms'],
  [0, 1e6, ' µs'],
];
const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const LARGE: readonly (readonly [from: number, factor: number, sign: string])[] = [
  [2e9, 1e-9, ' G'],
  [2e6, 1e-6, ' M'],
  [2e4, 1e-3, ' k'],
  [0, 1, ''],
];

/** `perSecond`: the plot shows how fast a counter rises. */
export function scaleOf({ unit, kind }: SeriesInfo, most: number, perSecond = false): Scale {
  const size = Math.abs(most);
  if (perSecond && unit === 's') return { factor: 100, sign: ' % of a second' };
  // What is rarer than once in a few seconds is counted by the minute.
  const slow = perSecond && size < 0.5;
  const behind = perSecond ? (slow ? '/min' : '/s') : '';
  const factor = slow ? 60 : 1;
  if (unit === 's') return pick(TIMES, size);
  if (unit === 'By') {
    const power = Math.min(BYTES.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, size * factor)) / 10)));
    return { factor: factor / 1024 ** power, sign: ` ${BYTES[power]}${behind}` };
  }
  if (unit === '%') return { factor: 1, sign: ' %' };
  // A gauge or histogram of unit 1 is a share, as its name at `/metrics` says.
  if (unit === '1' && kind !== 'counter') return { factor: 100, sign: ' %' };
  const name = unit === '1' ? '' : unit.replace(/[{}]/g, '');
  const large = pick(LARGE, size * factor);
  const noun = name === '' ? '' : ` ${name}`;
  return {
    factor: factor * large.factor,
    sign: `${large.sign}${noun}${behind === '' || noun !== '' ? behind : ` ${behind}`}`,
  };
}

function pick(steps: readonly (readonly [number, number, string])[], size: number): Scale {
  const [, factor, sign] = steps.find(([from]) => size >= from) ?? [0, 1, ''];
  return { factor, sign };
}

/** At most four digits that count. */
export function shown(value: number | null | undefined, { factor, sign }: Scale): string {
  return value === null || value === undefined || !Number.isFinite(value) ? '–' : `${digits(value * factor)}${sign}`;
}

export function digits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2);
  return String(Number(value.toPrecision(size >= 1000 ? 4 : 3)));
}
