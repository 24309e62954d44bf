// Proves the VADs on the evaluation set: both adapters beside the set's own reference results, long pauses, and what the listener makes of
// them. `bun scripts/prove-vad.ts [--set DIR] [--host bun|deno|node]`. Times and onnxruntime itself: benchmarks/vad.ts.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { ConditionResult, Evaluation } from '../benchmarks/vad/set.ts';
import { bun, deno, node, root, run } from './steps.ts';

const { values } = parseArgs({
  options: {
    set: { type: 'string', default: process.env['VAD_SET'] ?? join(root, '..', 'shared', 'vad') },
    host: { type: 'string', default: 'bun' },
  },
});
const folder = resolve(values.set);
let passed = 0;
let failed = 0;
if (!existsSync(join(folder, 'evaluate.mjs'))) {
  console.error(`There is no evaluation set at ${folder}: give its folder with --set or VAD_SET\n\n0 passed, 1 failed`);
  process.exit(1);
}
process.env['VAD_SET'] = folder;
const hosts: Readonly<Record<string, readonly string[]>> = {
  bun: [bun],
  deno: [deno, 'run', '-A', '--quiet'],
  node: [node],
};
const host = hosts[values.host];
if (host === undefined) {
  console.error(`Unknown host "${values.host}": use bun, deno or node\n\n0 passed, 1 failed`);
  process.exit(1);
}

interface Reference {
  readonly name: string;
  readonly summary: Evaluation['summary'];
  readonly conditions: Readonly<Record<string, ConditionResult>>;
}
const { references } = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as { references: Reference[] };
const silero = reference('Silero VAD v6');
const ten = reference('TEN VAD');

const [neural, frames, ungated, energy] = (await Promise.all([
  evaluate('test/audio/vad-neural.ts'),
  evaluate('test/audio/vad-neural.ts', { VAD_NEURAL_HOP: '320' }),
  evaluate('test/audio/vad-neural.ts', { VAD_NEURAL_GATE: 'off' }),
  evaluate('test/audio/vad-energy.ts'),
])) as [Evaluation, Evaluation, Evaluation, Evaluation];

console.log(
  `\n${'on the set'.padEnd(24)}   AUC     F1  start clean / 10 dB (p90)  end clean / 10 dB  missed  FA/min  active  us/10 ms`,
);
row('neural', neural.summary);
row('neural, 20 ms frames', frames.summary);
row('neural, gate off', ungated.summary);
row('energy', energy.summary);
row('Silero v6 (reference)', silero.summary);
row('TEN VAD (reference)', ten.summary);
console.log('');

const apart = (key: 'auc' | 'f1'): number =>
  Math.max(...speech(silero).map((name) => Math.abs(ungated.conditions[name]![key] - silero.conditions[name]![key])));
gate('neural: AUC', neural.summary.meanAuc, '>=', 0.98);
gate('neural: F1', neural.summary.meanF1, '>=', 0.94);
gate('neural: start at 10 dB, ms', neural.summary.startMedian10DbMs, '<=', 100);
gate('neural: missed from 10 dB', neural.summary.missedShareFrom10Db, '<=', 0);
gate('neural: false alarms a minute', neural.summary.falseAlarmsPerMinute, '<=', 3);
gate('neural, gate off: AUC of each condition, apart from the original', apart('auc'), '<=', 0.001);
gate('neural, gate off: F1 of each condition, apart from the original', apart('f1'), '<=', 0.002);
gate('energy: AUC', energy.summary.meanAuc, '>=', ten.summary.meanAuc - 0.015);
gate('energy: F1', energy.summary.meanF1, '>=', ten.summary.meanF1 - 0.05);
gate('energy: end clean, ms', energy.summary.endMedianCleanMs, '<=', 300);
for (const name of ['idle', 'only_white', 'only_rain'])
  gate(`energy: false alarms a minute, ${name}`, alarms(energy, name), '<=', 0);

const { starts } = await import('../benchmarks/vad/pauses.ts');
const { createNeuralVad } = await import('../src/audio/neural/index.ts');
const stream = createNeuralVad({ maxSlots: 1 }).open();
const vad = {
  hopSamples: 512,
  threshold: 0.5,
  reset: () => stream.reset(),
  process: (pcm: Int16Array) => stream.push(pcm),
};
for (const [condition, noise] of [
  ['clean', 'idle'],
  ['rain_10', 'only_rain'],
] as const) {
  const before = await starts(vad, condition);
  const after = await starts(vad, condition, noise);
  gate(`neural: start moved by pauses of 20 s, ${condition}, ms`, after.medianMs - before.medianMs, '<=', 20);
  gate(`neural: missed after pauses of 20 s, ${condition}`, after.missed, '<=', before.missed);
}

const { hear } = await import('../benchmarks/vad/listening.ts');
console.log(
  `\n${'what the listener hears'.padEnd(30)} turns  missed  false  start off p50 / p90  end off p50 / p90  start known after p50 / p90, ms`,
);
for (const kind of ['neural', 'energy'] as const) {
  for (const group of ['clean', '20 dB', '10 dB'] as const) {
    const heard = hear(kind, group);
    console.log(
      `${`${kind}, ${group}`.padEnd(30)} ${String(heard.turns).padStart(5)}  ${String(heard.missed).padStart(6)}  ${String(heard.falseStarts).padStart(5)}  ` +
        `${heard.startOffMs.map(signed).join(' / ').padStart(19)}  ${heard.endOffMs.map(signed).join(' / ').padStart(17)}  ${heard.decidedMs.map(signed).join(' / ').padStart(27)}`,
    );
    if (kind === 'neural') gate(`listener, neural, ${group}: missed`, heard.missed, '<=', 0);
    if (kind === 'neural') gate(`listener, neural, ${group}: turns of nobody`, heard.falseStarts, '<=', 1);
    if (kind === 'neural')
      gate(
        `listener, neural, ${group}: start known after, p50, ms`,
        heard.decidedMs[0]!,
        '<=',
        group === '10 dB' ? 120 : 100,
      );
    if (group === 'clean') gate(`listener, ${kind}, clean: end off, p50, ms`, Math.abs(heard.endOffMs[0]!), '<=', 20);
    if (group === 'clean') gate(`listener, ${kind}, clean: end off, p90, ms`, Math.abs(heard.endOffMs[1]!), '<=', 60);
  }
  const tones = hear(kind, 'tones');
  gate(`listener, ${kind}: turns made of call tones`, tones.falseStarts, '<=', 0);
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function reference(name: string): Reference {
  const found = references.find((each) => each.name.startsWith(name));
  if (found === undefined) throw new Error(`${folder}/results.json has no ${name}`);
  return found;
}

async function evaluate(adapter: string, env: Record<string, string> = {}): Promise<Evaluation | null> {
  const { code, output } = await run([...host!, join(folder, 'evaluate.mjs'), adapter], { limitSeconds: 110, env });
  // The table comes before the JSON, which begins a line.
  const at = output.search(/^\{/m);
  const end = output.lastIndexOf('\n}');
  if (code !== 0 || at < 0) {
    console.error(`${adapter} on ${values.host} ended with ${code}\n${output.slice(-2000)}\n\n0 passed, 1 failed`);
    process.exit(1);
  }
  return JSON.parse(output.slice(at, end + 2)) as Evaluation;
}

function speech({ conditions }: Reference): string[] {
  return Object.keys(conditions).filter((name) => typeof conditions[name]!.auc === 'number');
}

function alarms({ noiseOnly }: Evaluation, name: string): number {
  return noiseOnly[name]?.falseAlarmsPerMinute ?? Number.NaN;
}

function row(name: string, s: Evaluation['summary']): void {
  console.log(
    `${name.padEnd(24)} ${s.meanAuc.toFixed(4)} ${s.meanF1.toFixed(4)}  ${`${s.startMedianCleanMs} / ${s.startMedian10DbMs.toFixed(0)} (${s.startP9010DbMs.toFixed(0)})`.padStart(25)}  ` +
      `${`${s.endMedianCleanMs} / ${s.endMedian10DbMs.toFixed(0)}`.padStart(17)}  ${s.missedShareFrom10Db.toFixed(3).padStart(6)}  ${s.falseAlarmsPerMinute.toFixed(1).padStart(6)}  ${s.activeShare.toFixed(3).padStart(6)}  ${s.microsecondsPer10Ms.toFixed(1).padStart(8)}`,
  );
}

function signed(ms: number): string {
  return ms > 0 ? `+${ms}` : String(ms);
}

function gate(what: string, value: number, sign: '<=' | '>=', limit: number): void {
  const ok = sign === '<=' ? value <= limit + 1e-9 : value >= limit - 1e-9;
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${what}: ${Number(value.toFixed(4))} (${sign} ${Number(limit.toFixed(4))})`);
}
