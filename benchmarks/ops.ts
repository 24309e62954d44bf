// What the operations cost: monitor, history and alerts over 100 calls, 500 series and 50 rules, beside the same load without them. Each leg is a process
// of its own, in turns; a leg ends a full hour and a day of history, and purges. `bun benchmarks/ops.ts [--pairs N --steady S --hour S]`, on Node with
// `--expose-gc` or without, on Deno with `-A`; ends with `N passed, N failed`.
import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import type { LegFigure, PartFigure } from './ops/leg.ts';
import { CONTROL_SLICE, RULES, SERIES } from './ops/load.ts';
import { round, spread } from './statistics.ts';

const CPU_LIMIT_PERCENT = 2;
const MEMORY_LIMIT_MB = 25;
const SLICE_LIMIT_MS = 2;
const MEGABYTE = 2 ** 20;

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '1' },
    steady: { type: 'string', default: '30' },
    hour: { type: 'string', default: '30' },
  },
});
const isDeno = (process.versions as Record<string, string | undefined>).deno !== undefined;
const flags = isDeno ? ['run', '-A', '--v8-flags=--expose-gc'] : ['--expose-gc'];
const script = fileURLToPath(new URL('ops/leg.ts', import.meta.url));
let passed = 0;
let failed = 0;
function limit(holds: boolean, text: string): void {
  if (holds) passed++;
  else failed++;
  console.log(`${holds ? 'ok  ' : 'MISS'} ${text}`);
}

function runLeg(mode: 'on' | 'off'): Promise<LegFigure> {
  const child = spawn(process.execPath, [...flags, script, mode, values.steady, values.hour], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      const last = text.trim().split('\n').at(-1) ?? '';
      if (code === 0) done(JSON.parse(last) as LegFigure);
      else fail(new Error(`A leg (${mode}) ended with ${code}: ${last}`));
    });
  });
}

console.log(JSON.stringify(describeMachine()));
const legs: LegFigure[] = [];
// off, on, on, off: what drifts meets both.
const order = Array.from({ length: Number(values.pairs) }, (_, i) =>
  i % 2 === 0 ? ['off', 'on'] : ['on', 'off'],
).flat();
for (const mode of order as ('on' | 'off')[]) {
  const leg = await runLeg(mode);
  legs.push(leg);
  const { steady, hour } = leg;
  const late = steady.framesLate + hour.framesLate;
  const parts = [steady, hour].map(
    (part) => `${round(part.cpuPercent, 1)} %, ${round(part.rssBytes / MEGABYTE, 0)} MB`,
  );
  console.log(
    `     ${mode}: ${parts.join('; with the full hour ')}; ${late} of ${steady.frames + hour.frames} frames late; ${leg.series} series; ${leg.notified} notified`,
  );
}

const on = legs.filter(({ mode }) => mode === 'on');
const off = legs.filter(({ mode }) => mode === 'off');
/** The control's slices of nothing, of a core. */
const nothing = (leg: LegFigure): number => {
  const seconds = Number(values.steady) + Number(values.hour);
  return leg.spans.reduce((sum, { kind, totalMs }) => sum + (kind === CONTROL_SLICE ? totalMs / 10 / seconds : 0), 0);
};
const medians = (figure: (leg: LegFigure) => number) =>
  [on, off].map((some) => spread(some.map(figure)).median) as [number, number];
const [cpuOn, cpuOff] = medians((leg) => leg.steady.cpuPercent - nothing(leg));
const [hourOn, hourOff] = medians((leg) => leg.hour.cpuPercent - nothing(leg));
/** An hour has one such part and is otherwise steady. */
const hourShare = Number(values.hour) / 3600;
const cost = (cpuOn - cpuOff) * (1 - hourShare) + (hourOn - hourOff) * hourShare;
const load = `100 calls, ${SERIES} series of the load, ${RULES} rules`;
limit(
  cost <= CPU_LIMIT_PERCENT,
  `${load}: ${round(cost)} % of a core more than off (steady ${round(cpuOn - cpuOff)}, around the full hour ${round(hourOn - hourOff)}; off ${round(cpuOff, 1)}), limit ${CPU_LIMIT_PERCENT}`,
);
const [rssOn, rssOff] = medians((leg) => leg.hour.rssBytes / MEGABYTE);
limit(
  rssOn - rssOff <= MEMORY_LIMIT_MB,
  `memory: ${round(rssOn - rssOff, 1)} MB more than off (${round(rssOn, 0)} and ${round(rssOff, 0)}), limit ${MEMORY_LIMIT_MB}`,
);
const shareOf = (some: readonly LegFigure[]): number => {
  const parts = some.flatMap(({ steady, hour }) => [steady, hour]);
  const sum = (figure: (part: PartFigure) => number) => parts.reduce((all, part) => all + figure(part), 0);
  return (100 * sum((part) => part.framesLate)) / sum((part) => part.frames);
};
limit(
  shareOf(on) <= Math.max(shareOf(off), 0.01),
  `late frames: ${round(shareOf(on), 3)} %, without the operations ${round(shareOf(off), 3)} % (fewer than one in ten thousand counts as none)`,
);
const kinds = [...new Set(on.flatMap(({ spans }) => spans.map(({ kind }) => kind)))];
for (const wanted of ['monitor', 'alerts', 'history sample', 'history minute', 'history hour', 'history day']) {
  if (!kinds.includes(wanted)) limit(false, `${wanted}: no slice was seen`);
}
interface Slices {
  readonly own: number;
  readonly text: string;
}
function slicesOf(some: readonly LegFigure[], kind: string): Slices {
  const spans = some.flatMap((leg) => leg.spans.filter((span) => span.kind === kind));
  const longest = spans.reduce((a, b) => (b.longestMs > a.longestMs ? b : a));
  const own = Math.max(...spans.map(({ longestOwnMs }) => longestOwnMs));
  const sum = (figure: (span: (typeof spans)[number]) => number) => spans.reduce((all, span) => all + figure(span), 0);
  const [count, total, over] = [sum((span) => span.count), sum((span) => span.totalMs), sum((span) => span.overOwn)];
  const waited = longest.waitedMs === null ? '' : `, ${round(longest.waitedMs)} ms of it waiting for a core`;
  const collected = longest.collectedMs === null ? '' : `, ${round(longest.collectedMs)} ms in a collection`;
  const clock = `on the clock ${round(longest.longestMs)} ms${waited}${collected}`;
  return {
    own,
    text: `${count} slices, ${round(total, 0)} ms in all, the longest ${round(own)} ms (${clock}), ${over} too long`,
  };
}
const control = slicesOf(off, CONTROL_SLICE);
console.log(`     control, slices that do nothing for 0.3 ms: ${control.text}`);
for (const kind of kinds) {
  const { own, text } = slicesOf(on, kind);
  // What happens to a slice of nothing as well is not the work's.
  limit(own <= Math.max(SLICE_LIMIT_MS, control.own), `${kind}: ${text}, limit ${SLICE_LIMIT_MS} or the control's`);
}
console.log(`\n${JSON.stringify({ benchmark: 'ops', legs: legs.map(({ blocks: _, ...leg }) => leg) })}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
