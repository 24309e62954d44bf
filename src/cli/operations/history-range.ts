// What `syrinx history` is asked for: names, labels, range, step and percentiles, from what was typed.
import type { HistoryQuery } from '../../ops/history/index.ts';
import type { OptionSpec, ParsedArguments } from '../command.ts';
import { readDuration } from '../durations.ts';
import { refuseProblems } from '../livekit/access.ts';

export const RANGE_OPTIONS: readonly OptionSpec[] = [
  { name: 'last', kind: 'string', placeholder: 'TIME', summary: 'Up to now, such as 30m, 24h, 30d (default 1h)' },
  { name: 'from', kind: 'string', placeholder: 'TIME', summary: 'ISO 8601 or ms since 1970' },
  { name: 'to', kind: 'string', placeholder: 'TIME', summary: 'The same; default now' },
  { name: 'step', kind: 'string', placeholder: 'TIME', summary: 'Length of a step, such as 1s, 1m, 1h' },
  {
    name: 'quantiles',
    kind: 'string',
    placeholder: 'LIST',
    summary: 'Percentiles as shares, such as 0.5,0.95,0.99',
  },
  {
    name: 'label',
    kind: 'string',
    placeholder: 'NAME=VALUE',
    summary: 'Only series with this label (repeatable); process=N: of one process of several',
    repeatable: true,
  },
];

export type AskedRange = Required<Pick<HistoryQuery, 'fromMs' | 'toMs'>> &
  Pick<HistoryQuery, 'stepMs' | 'quantiles'> & { readonly labels: Readonly<Record<string, string>> };

const HOUR_S = 3600;

/** Throws a `UserError` that lists all mistakes. */
export function readRange(args: ParsedArguments, nowMs: number): AskedRange {
  const problems: string[] = [];
  const length = (option: string): number | undefined => {
    const text = args.string(option);
    if (text === undefined) return undefined;
    const seconds = readDuration(text);
    if (seconds === undefined || seconds <= 0) problems.push(`--${option}: wanted a time such as 30m, 24h or 30d`);
    return seconds;
  };
  const time = (option: string): number | undefined => {
    const text = args.string(option);
    if (text === undefined) return undefined;
    const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
    if (!Number.isFinite(ms))
      problems.push(`--${option}: wanted a time such as 2026-11-28T09:00:00Z, or ms since 1970`);
    return ms;
  };
  const [last, from, to = nowMs] = [length('last'), time('from'), time('to')];
  if (last !== undefined && from !== undefined) problems.push('--last and --from: give one of them');
  const fromMs = from ?? to - 1000 * (last ?? HOUR_S);
  const isReadable = Number.isFinite(fromMs) && Number.isFinite(to);
  if (isReadable && fromMs >= to) problems.push('--from: wanted a time before --to');
  const step = length('step');
  if (step !== undefined && step > 0 && !Number.isInteger(step)) problems.push('--step: wanted whole seconds');
  const quantiles = args.string('quantiles')?.split(',').map(Number);
  if (quantiles !== undefined && (quantiles.length > 10 || quantiles.some((q) => !(q >= 0 && q <= 1))))
    problems.push('--quantiles: wanted at most 10 numbers from 0 to 1');
  const labels: Record<string, string> = {};
  for (const given of args.string('label')?.split(',') ?? []) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(given) ?? [];
    if (name === undefined || value === undefined) problems.push(`--label: wanted NAME=VALUE`);
    else labels[name] = value;
  }
  refuseProblems(problems);
  return { fromMs, toMs: to, stepMs: step === undefined ? undefined : step * 1000, quantiles, labels };
}
