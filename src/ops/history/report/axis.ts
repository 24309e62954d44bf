// Marks of axes: round values, and times at which people look (UTC; no locale, so that every host draws the same).

/** Rising marks that are round numbers and cover the range, 4 to 6 of them. */
export function valueMarks(least: number, most: number): number[] {
  const span = most > least ? most - least : Math.abs(most) || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10);
  const first = Math.floor(least / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(most / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
const TIME_STEPS_MS = [1, 2, 5, 10, 15, 30].flatMap((n) => [n * 1000, n * MINUTE_MS]).sort((a, b) => a - b);
const LONG_STEPS_MS = [1, 2, 3, 6, 12].map((n) => n * 60 * MINUTE_MS);
const DAY_STEPS_MS = [1, 2, 5, 7, 10].map((n) => n * DAY_MS);

export interface TimeMark {
  readonly atMs: number;
  readonly text: string;
  /** The first of a day. */
  readonly strong: boolean;
}

/** At most `most` marks. */
export function timeMarks(fromMs: number, toMs: number, most: number): TimeMark[] {
  const rough = (toMs - fromMs) / most;
  const steps = [...TIME_STEPS_MS, ...LONG_STEPS_MS, ...DAY_STEPS_MS];
  const step = steps.find((one) => one >= rough) ?? Math.ceil(rough / DAY_MS) * DAY_MS;
  const marks: TimeMark[] = [];
  for (let atMs = Math.ceil(fromMs / step) * step; atMs <= toMs; atMs += step) {
    const strong = atMs % DAY_MS === 0;
    marks.push({ atMs, strong, text: strong ? dayText(atMs) : clockText(atMs, step) });
  }
  return marks;
}

function clockText(atMs: number, stepMs: number): string {
  return new Date(atMs).toISOString().slice(11, stepMs < MINUTE_MS ? 19 : 16);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
function dayText(atMs: number): string {
  const date = new Date(atMs);
  return `${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()}`;
}

/** `2026-11-28 09:59:30`. */
export function timeText(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');
}

/** `15 s`, `2 min`, `6 h`, `3 d`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = (
    [
      [Math.floor(seconds / 86_400), 'd'],
      [Math.floor(seconds / 3600) % 24, 'h'],
      [Math.floor(seconds / 60) % 60, 'min'],
      [seconds % 60, 's'],
    ] as const
  ).filter(([n]) => n > 0);
  return parts.length === 0
    ? '0 s'
    : parts
        .slice(0, 2)
        .map(([n, unit]) => `${n} ${unit}`)
        .join(' ');
}
