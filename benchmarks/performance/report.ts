// What a report says: each baseline with its measurement and verdict, and whether it is a step back. No figure comes from here.
import { type Baseline, BASELINES } from './baselines.ts';
import type { Machine } from '../machine.ts';

export interface Measurement {
  /** Of the baseline. */
  readonly id: string;
  readonly value: number;
  readonly method: string;
  /** The same kind of work without this program, in the same run; gates compare the ratio to it. */
  readonly control?: { readonly what: string; readonly value: number } | undefined;
  /** True where simulated models decide the value: it is shown, and gates nothing. */
  readonly simulated?: boolean | undefined;
}
/** A figure for a baseline whose target can not judge it. */
export interface Remark {
  readonly id: string;
  readonly text: string;
}
export interface Findings {
  readonly measurements: readonly Measurement[];
  readonly remarks: readonly Remark[];
}
/** How long a part of the program takes to be made: the first time, and later. */
export interface Component {
  readonly name: string;
  readonly coldMs: number;
  readonly medianMs: number;
  readonly p95Ms: number;
}

export type Verdict = 'pass' | 'miss' | 'not measured' | 'external';
export interface Line {
  readonly baseline: Baseline;
  readonly measurement: Measurement | null;
  readonly verdict: Verdict;
  readonly text: string;
}

/** Throws `RangeError` for a measurement of no baseline, for two of one, and for a value that is no number. */
export function judge(findings: Findings, baselines: readonly Baseline[] = BASELINES): Line[] {
  const byId = new Map<string, Measurement>();
  for (const measurement of findings.measurements) {
    const { id, value } = measurement;
    if (!baselines.some((b) => b.id === id)) throw new RangeError(`No baseline has the id "${id}"`);
    if (byId.has(id)) throw new RangeError(`Two measurements of ${id}`);
    if (!Number.isFinite(value)) throw new RangeError(`The measurement of ${id} is no number: ${value}`);
    byId.set(id, measurement);
  }
  return baselines.map((baseline) => {
    const measurement = byId.get(baseline.id) ?? null;
    const remark = findings.remarks.find((r) => r.id === baseline.id)?.text;
    const reason = baseline.external ?? baseline.unmeasured ?? 'this run did not measure it';
    const text = [measurement?.method ?? reason, remark].filter((part) => part !== undefined).join('; ');
    return { baseline, measurement, verdict: verdictOf(baseline, measurement), text };
  });
}

function verdictOf({ bound, external }: Baseline, measurement: Measurement | null): Verdict {
  // What simulated models took says nothing about those whom the line is about.
  if (external !== undefined && (measurement === null || measurement.simulated === true)) return 'external';
  if (measurement === null) return 'not measured';
  if (bound === null) return 'pass';
  return (bound.kind === 'most' ? measurement.value <= bound.value : measurement.value >= bound.value)
    ? 'pass'
    : 'miss';
}

/** How much worse a ratio may become (style: a stored baseline and a gate of 25 %). */
const WORSE = 1.25;

export interface StoredLine {
  readonly id: string;
  readonly ratio: number;
}

export function stored(lines: readonly Line[]): StoredLine[] {
  return lines.flatMap(({ measurement }) => {
    const ratio = measurement === null ? null : ratioOf(measurement);
    return ratio === null || measurement === null ? [] : [{ id: measurement.id, ratio }];
  });
}

export function ratioOf({ value, control }: Measurement): number | null {
  return control === undefined || control.value <= 0 ? null : value / control.value;
}

/** What makes the run a failure, one sentence each. */
export function complaints(lines: readonly Line[], before: readonly StoredLine[] = []): string[] {
  const found: string[] = [];
  for (const { baseline, measurement, verdict } of lines) {
    if (measurement === null || measurement.simulated === true) continue;
    const { id, unit, target, bound } = baseline;
    if (verdict === 'miss') found.push(`${id} misses its target: ${show(measurement.value)} ${unit}, wanted ${target}`);
    const ratio = ratioOf(measurement);
    const then = before.find((s) => s.id === id)?.ratio;
    if (ratio === null || then === undefined || then <= 0) continue;
    const factor = bound?.kind === 'least' ? then / ratio : ratio / then;
    if (factor > WORSE) {
      const percent = Math.round((factor - 1) * 100);
      found.push(
        `${id} is ${percent} % worse than the stored run: ${show(ratio)} times its control, then ${show(then)}`,
      );
    }
  }
  return found;
}

/** Three digits that say something; never an exponent. */
export function show(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toFixed(digits);
}

export interface ReportHead {
  readonly machine: Machine;
  readonly seconds: number;
  readonly quick: boolean;
}

export function markdown(
  head: ReportHead,
  lines: readonly Line[],
  components: readonly Component[],
  wrong: readonly string[],
): string {
  const { machine: m } = head;
  const count = (verdict: Verdict) => lines.filter((l) => l.verdict === verdict).length;
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = lines.map(({ baseline: b, measurement, verdict, text }) => {
    const value = measurement === null ? '-' : `${show(measurement.value)} ${b.unit}`.trim();
    const simulated = measurement?.simulated === true ? ' (simulated)' : '';
    const ratio = measurement === null ? null : ratioOf(measurement);
    const control =
      ratio === null
        ? '-'
        : `${show(ratio)} x ${show(measurement?.control?.value ?? 0)} (${measurement?.control?.what})`;
    return `| ${[b.id, b.what, b.target, value + simulated, verdict, control, text].map(cell).join(' | ')} |`;
  });
  return [
    '# Performance report',
    '',
    `- date: ${m.date}`,
    `- Syrinx ${m.version}, commit ${m.commit ?? 'unknown'}, on ${m.runtime}`,
    `- machine: ${m.cpu}, ${m.cores} cores, ${m.memoryGb} GB, ${m.system}; load average ${m.loadAverage} at the start`,
    `- took ${Math.round(head.seconds)} s${head.quick ? ' (quick: short runs, coarse figures)' : ''}`,
    `- models: simulated; callers: recorded speech; all in one process unless a line says otherwise`,
    `- ${count('pass')} pass, ${count('miss')} miss, ${count('not measured')} not measured, ${count('external')} external`,
    '',
    '| id | what | target | measured | verdict | ratio x control | method, or why not |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
    '## Initialization of components',
    '',
    '| component | first time, ms | then median, ms | then p95, ms |',
    '|---|---|---|---|',
    ...components.map((c) => `| ${c.name} | ${show(c.coldMs)} | ${show(c.medianMs)} | ${show(c.p95Ms)} |`),
    '',
    wrong.length === 0 ? 'No complaint.' : `## Complaints\n\n${wrong.map((text) => `- ${text}`).join('\n')}`,
    '',
  ].join('\n');
}
