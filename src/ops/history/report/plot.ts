// One plot as SVG: lines that break where there is nothing, a band, a strip of bars below, and what each step holds under the pointer.
import type { Range } from '../query.ts';
import { timeMarks, timeText, valueMarks } from './axis.ts';
import { digits, type Scale, shown } from './units.ts';

export interface Line {
  readonly name: string;
  /** Number of its colour, 0 to 7. */
  readonly colour: number;
  readonly atMs: readonly number[];
  readonly values: readonly (number | null)[];
}
export interface Plot {
  readonly title: string;
  readonly range: Range;
  readonly scale: Scale;
  readonly lines: readonly Line[];
  /** Filled between two columns, in the colour of the first line. */
  readonly band?: {
    readonly atMs: readonly number[];
    readonly low: readonly number[];
    readonly high: readonly number[];
  };
  /** Of how many values the lines are made, by step. */
  readonly counts?: { readonly atMs: readonly number[]; readonly values: readonly number[] } | undefined;
  /** Stretches in which nobody looked. */
  readonly gaps: readonly (readonly [fromMs: number, toMs: number])[];
}

const WIDTH = 960;
const LEFT = 74;
const RIGHT = 10;
const TOP = 10;
const HEIGHT = 170;
const STRIP_GAP = 8;
const STRIP = 26;
const AXIS = 22;

export function plotSvg(plot: Plot): string {
  const { range, lines, band, scale, counts } = plot;
  const values = [...lines.flatMap((line) => line.values), ...(band?.low ?? []), ...(band?.high ?? [])].filter(
    (value) => value !== null,
  );
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) * scale.factor;
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY) * scale.factor;
  // From zero, unless all that happens is far from it.
  const marks =
    values.length === 0
      ? [0, 1]
      : valueMarks(least > 0 && most - least > most / 4 ? 0 : Math.min(least, farFromZero(least, most)), most);
  const [low, high] = [marks[0] ?? 0, marks.at(-1) ?? 1];
  const bottom = TOP + HEIGHT;
  const total = bottom + (counts === undefined ? 0 : STRIP_GAP + STRIP) + AXIS;
  const end = range.fromMs + Math.ceil((range.toMs - range.fromMs) / range.stepMs) * range.stepMs;
  const x = (atMs: number) => round(LEFT + ((WIDTH - LEFT - RIGHT) * (atMs - range.fromMs)) / (end - range.fromMs));
  const y = (value: number) => round(bottom - (HEIGHT * (value * scale.factor - low)) / (high - low));
  const middle = (atMs: number) => x(atMs + range.stepMs / 2);
  const floor = total - AXIS;
  const parts = [
    ...plot.gaps.map(
      ([a, b]) => `<rect class="gap" x="${x(a)}" y="${TOP}" width="${round(x(b) - x(a))}" height="${floor - TOP}"/>`,
    ),
    ...marks.map((mark) => valueMark(mark, y(mark / scale.factor), scale)),
    ...timeMarks(range.fromMs, end, 10).map((mark) => {
      const at = x(mark.atMs);
      const anchor = at > WIDTH - 30 ? 'end' : at < LEFT + 14 ? 'start' : 'middle';
      return `<path class="grid${mark.strong ? ' strong' : ''}" d="M${at} ${TOP}V${floor}"/><text class="mark" x="${at}" y="${floor + 15}" text-anchor="${anchor}">${mark.text}</text>`;
    }),
    band === undefined ? '' : bandPath(band, lines[0]?.colour ?? 0, range.stepMs, middle, y),
    ...lines.map((line) => linePath(line, range.stepMs, middle, y)),
    counts === undefined ? '' : strip(counts, range, x, floor),
    `<path class="axis" d="M${LEFT} ${bottom}H${WIDTH - RIGHT}"/>`,
    hits(plot, x, floor),
  ];
  return `<svg viewBox="0 0 ${WIDTH} ${total}" role="img" aria-label="${escapeText(plot.title)}">${parts.join('')}</svg>`;
}

function farFromZero(least: number, most: number): number {
  return most - least > Math.abs(most) / 4 ? Math.min(0, least) : least;
}

function valueMark(mark: number, at: number, { sign }: Scale): string {
  return `<path class="grid" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/><text class="mark" x="${LEFT - 8}" y="${at + 4}" text-anchor="end">${digits(mark)}${escapeText(sign.length > 7 ? '' : sign)}</text>`;
}

/** Runs of neighbouring steps become lines; a step that stands alone becomes a dot. */
function linePath(
  { colour, atMs, values }: Line,
  stepMs: number,
  x: (ms: number) => number,
  y: (v: number) => number,
): string {
  let path = '';
  let dots = '';
  let open = false;
  for (let i = 0; i < atMs.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) {
      open = false;
      continue;
    }
    const at = atMs[i] ?? 0;
    const follows = open && at - (atMs[i - 1] ?? 0) === stepMs;
    const goesOn = (atMs[i + 1] ?? 0) - at === stepMs && (values[i + 1] ?? null) !== null;
    if (follows) path += `L${x(at)} ${y(value)}`;
    else if (goesOn) path += `M${x(at)} ${y(value)}`;
    else dots += `<circle class="dot c${colour}" cx="${x(at)}" cy="${y(value)}" r="2"/>`;
    open = true;
  }
  return (path === '' ? '' : `<path class="line c${colour}" d="${path}"/>`) + dots;
}

function bandPath(
  band: NonNullable<Plot['band']>,
  colour: number,
  stepMs: number,
  x: (ms: number) => number,
  y: (v: number) => number,
): string {
  const { atMs, low, high } = band;
  let path = '';
  for (let from = 0; from < atMs.length; ) {
    let to = from;
    while (to + 1 < atMs.length && (atMs[to + 1] ?? 0) - (atMs[to] ?? 0) === stepMs) to++;
    const run = atMs.slice(from, to + 1);
    const above = run.map((at, i) => `${x(at)} ${y(high[from + i] ?? 0)}`);
    const below = run.map((at, i) => `${x(at)} ${y(low[from + i] ?? 0)}`).reverse();
    if (run.length > 1) path += `M${above.join('L')}L${below.join('L')}Z`;
    from = to + 1;
  }
  return path === '' ? '' : `<path class="band c${colour}" d="${path}"/>`;
}

/** Bars of how many values there were: percentiles of three values are not those of three thousand. */
function strip(
  { atMs, values }: NonNullable<Plot['counts']>,
  { stepMs }: Range,
  x: (ms: number) => number,
  floor: number,
): string {
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  let path = '';
  for (let i = 0; i < atMs.length; i++) {
    const at = atMs[i] ?? 0;
    const height = Math.max(1, round((STRIP * (values[i] ?? 0)) / most));
    path += `M${x(at)} ${floor}v${-height}H${round(Math.max(x(at) + 0.5, x(at + stepMs) - 0.4))}V${floor}Z`;
  }
  return `<path class="bars" d="${path}"/><text class="mark" x="${LEFT - 8}" y="${floor - STRIP / 2 + 4}" text-anchor="end">n ≤ ${digits(most)}</text>`;
}

/** Invisible columns that tell their step. */
function hits({ lines, range, scale, counts, band }: Plot, x: (ms: number) => number, floor: number): string {
  const texts = new Map<number, string[]>();
  const tell = (atMs: number, text: string): void => {
    const known = texts.get(atMs);
    if (known === undefined) texts.set(atMs, [text]);
    else known.push(text);
  };
  for (const { name, atMs, values } of lines) atMs.forEach((at, i) => tell(at, `${name} ${shown(values[i], scale)}`));
  band?.atMs.forEach((at, i) => tell(at, `${shown(band.low[i], scale)} to ${shown(band.high[i], scale)}`));
  counts?.atMs.forEach((at, i) => tell(at, `${digits(counts.values[i] ?? 0)} values`));
  return [...texts]
    .map(([at, text]) => {
      const width = round(x(at + range.stepMs) - x(at));
      const title = escapeText([`${timeText(at)} UTC`, ...text].join('\n'));
      return `<rect class="hit" x="${x(at)}" y="${TOP}" width="${width}" height="${floor - TOP}"><title>${title}</title></rect>`;
    })
    .join('');
}

export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
