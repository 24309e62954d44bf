// The operations beside 100 calls, in turns with the same calls without them: processor, memory, late frames, slices of work.
import { round, spread } from '../statistics.ts';
import { runChild } from './child.ts';
import type { LegFigure, PartFigure } from './leg.ts';
import { CONTROL_SLICE, GARBAGE_SLICE, RULES, SERIES } from './load.ts';
import type { MemoryFigure, ThreadTimes } from './process-figures.ts';
import type { Verdicts } from './verdicts.ts';

const CPU_LIMIT_PERCENT = 2;
const MEMORY_LIMIT_MB = 25;
const SLICE_LIMIT_MS = 2;
const MEGABYTE = 2 ** 20;
const KINDS = ['monitor', 'alerts', 'history sample', 'history minute', 'history hour', 'history day', 'notification'];

export interface CallsOptions {
  readonly pairs: number;
  readonly warmSeconds: number;
  readonly steadySeconds: number;
  readonly hourSeconds: number;
  /** With the operations held every other turn of the callers, to compare with in one process; 0: not at all. */
  readonly afterSeconds: number;
}

export async function measureBesideCalls(options: CallsOptions, verdicts: Verdicts): Promise<LegFigure[]> {
  const legs: LegFigure[] = [];
  // off, on, on, off: what drifts meets both.
  const order = Array.from({ length: options.pairs }, (_, i) => (i % 2 === 0 ? ['off', 'on'] : ['on', 'off'])).flat();
  for (const mode of order) {
    const seconds = [options.steadySeconds, options.hourSeconds, options.warmSeconds, options.afterSeconds].map(String);
    const leg = await runChild<LegFigure>(new URL('leg.ts', import.meta.url), [mode, ...seconds]);
    legs.push(leg);
    tellLeg(leg, verdicts);
  }
  const on = legs.filter(({ mode }) => mode === 'on');
  const off = legs.filter(({ mode }) => mode === 'off');
  judgeProcessor(on, off, options, verdicts);
  judgeMemory(on, off, verdicts);
  judgeFrames(on, off, verdicts);
  judgeSlices(on, off, verdicts);
  tellCollections(on, off, verdicts);
  return legs;
}

function tellLeg({ mode, steady, hour, settled, series, notified }: LegFigure, verdicts: Verdicts): void {
  const parts = [steady, hour].map(
    ({ cpuPercent, threadPercent, memory }) =>
      `${round(cpuPercent, 1)} %${threadsText(threadPercent)}, ${memoryText(memory)}`,
  );
  const late = steady.framesLate + hour.framesLate;
  verdicts.tell(
    `${mode}: ${parts.join('; with the full hour ')}; collected ${memoryText(settled)}; ${late} of ${steady.frames + hour.frames} frames late; ${series} series; ${notified} notified`,
  );
}

function threadsText(threads: ThreadTimes | null): string {
  return threads === null ? '' : ` (main thread ${round(threads.main, 1)})`;
}

function memoryText({ rssBytes, heapBytes, bufferBytes }: MemoryFigure): string {
  const [rss, heap, buffers] = [rssBytes, heapBytes, bufferBytes].map((bytes) => round(bytes / MEGABYTE, 0));
  return `${rss} MB (heap ${heap}, buffers ${buffers})`;
}

function medians(on: readonly LegFigure[], off: readonly LegFigure[], figure: (leg: LegFigure) => number) {
  return [on, off].map((some) => spread(some.map(figure)).median) as [number, number];
}

function judgeProcessor(
  on: readonly LegFigure[],
  off: readonly LegFigure[],
  { steadySeconds, hourSeconds, afterSeconds }: CallsOptions,
  verdicts: Verdicts,
): void {
  /** The control's slices of nothing, of a core. */
  const nothing = (leg: LegFigure): number => {
    const seconds = steadySeconds + hourSeconds;
    return leg.spans.reduce((sum, { kind, totalMs }) => sum + (kind === CONTROL_SLICE ? totalMs / 10 / seconds : 0), 0);
  };
  const [steadyOn, steadyOff] = medians(on, off, (leg) => leg.steady.cpuPercent - nothing(leg));
  const [hourOn, hourOff] = medians(on, off, (leg) => leg.hour.cpuPercent - nothing(leg));
  // An hour has one such part and is otherwise steady.
  const hourShare = hourSeconds / 3600;
  const cost = (steadyOn - steadyOff) * (1 - hourShare) + (hourOn - hourOff) * hourShare;
  const load = `100 calls, ${SERIES} series of the load, ${RULES} rules`;
  verdicts.limit(
    cost <= CPU_LIMIT_PERCENT,
    `${load}: ${round(cost)} % of a core more than off (steady ${round(steadyOn - steadyOff)}, around the full hour ${round(hourOn - hourOff)}; off ${round(steadyOff, 1)}), limit ${CPU_LIMIT_PERCENT}`,
  );
  const steady = (leg: LegFigure | undefined): number =>
    leg === undefined ? Number.NaN : leg.steady.cpuPercent - nothing(leg);
  verdicts.tell(
    `the same of each pair of legs, steady: ${on.map((leg, pair) => round(steady(leg) - steady(off[pair]))).join(', ')}`,
  );
  const slices = spread(
    on.map(({ spans }) => spans.reduce((sum, { totalMs }) => sum + totalMs, 0) / 10 / (steadySeconds + hourSeconds)),
  ).median;
  if ([...on, ...off].every((leg) => leg.steady.threadPercent !== null)) {
    const more = (['main', 'compiler', 'collector', 'other'] as const).map((kind) => {
      const [threadsOn, threadsOff] = medians(on, off, (leg) => leg.steady.threadPercent?.[kind] ?? 0);
      return `${kind} ${round(threadsOn - threadsOff)}`;
    });
    verdicts.tell(`steady, by threads, the control's slices included: ${more.join(', ')} % more`);
  }
  verdicts.tell(`all slices together, the full hour and the merged day included: ${round(slices)} % of a core`);
  if (afterSeconds === 0) return;
  const [own, none] = [on, off].map((legs) =>
    meanOf(legs.flatMap(({ pairs }) => pairs.map(({ working, held }) => working.cpuPercent - held.cpuPercent))),
  ) as [Mean, Mean];
  verdicts.tell(
    `in one process, ${own.count} turns less ${own.count} in which the operations were held: ${meanText(own)} % of a core, where there were none ${meanText(none)} %`,
  );
}

interface Mean {
  readonly mean: number;
  readonly error: number;
  readonly count: number;
}

function meanOf(values: readonly number[]): Mean {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (count - 1) / count), count };
}

function meanText({ mean, error, count }: Mean): string {
  return count < 2 ? String(round(mean)) : `${round(mean)} (standard error ${round(error)})`;
}

function judgeMemory(on: readonly LegFigure[], off: readonly LegFigure[], verdicts: Verdicts): void {
  const more = (figure: (leg: LegFigure) => MemoryFigure): { readonly megabytes: number; readonly text: string } => {
    const [rssOn, rssOff] = medians(on, off, (leg) => figure(leg).rssBytes / MEGABYTE);
    const [liveOn, liveOff] = medians(on, off, (leg) => figure(leg).heapBytes / MEGABYTE);
    const [youngOn, youngOff] = medians(on, off, (leg) => figure(leg).youngBytes / MEGABYTE);
    const young = youngOn + youngOff === 0 ? '' : `, young generation ${round(youngOn - youngOff, 1)} MB more`;
    const live = `heap ${round(liveOn - liveOff, 1)} MB more${young}`;
    return {
      megabytes: rssOn - rssOff,
      text: `${round(rssOn - rssOff, 1)} MB more than off (${round(rssOn, 0)} and ${round(rssOff, 0)}; ${live})`,
    };
  };
  const before = more((leg) => leg.steady.memory);
  const after = more((leg) => leg.hour.memory);
  const settled = more((leg) => leg.settled);
  verdicts.limit(
    Math.max(before.megabytes, after.megabytes) <= MEMORY_LIMIT_MB,
    `memory: before the full hour ${before.text}, after it ${after.text}, limit ${MEMORY_LIMIT_MB}`,
  );
  verdicts.tell(`memory after collections on both sides: ${settled.text}`);
}

function judgeFrames(on: readonly LegFigure[], off: readonly LegFigure[], verdicts: Verdicts): void {
  const shareOf = (some: readonly LegFigure[]): number => {
    const parts = some.flatMap(({ steady, hour }) => [steady, hour]);
    const sum = (figure: (part: PartFigure) => number) => parts.reduce((all, part) => all + figure(part), 0);
    return (100 * sum((part) => part.framesLate)) / sum((part) => part.frames);
  };
  verdicts.limit(
    shareOf(on) <= Math.max(shareOf(off), 0.01),
    `late frames: ${round(shareOf(on), 3)} %, without the operations ${round(shareOf(off), 3)} % (fewer than one in ten thousand counts as none)`,
  );
}

function judgeSlices(on: readonly LegFigure[], off: readonly LegFigure[], verdicts: Verdicts): void {
  const kinds = [...new Set(on.flatMap(({ spans }) => spans.map(({ kind }) => kind)))];
  for (const wanted of KINDS) if (!kinds.includes(wanted)) verdicts.limit(false, `${wanted}: no slice was seen`);
  const control = slicesOf(off, CONTROL_SLICE);
  verdicts.tell(`control, slices that do nothing for 0.3 ms: ${control.text}`);
  if (off.some(({ spans }) => spans.some(({ kind }) => kind === GARBAGE_SLICE)))
    verdicts.tell(`control, slices that only allocate, 60 kB each: ${slicesOf(off, GARBAGE_SLICE).text}`);
  for (const kind of kinds) {
    const { own, text } = slicesOf(on, kind);
    // What happens to a slice of nothing as well is not the work's.
    verdicts.limit(
      own <= Math.max(SLICE_LIMIT_MS, control.own),
      `${kind}: ${text}, limit ${SLICE_LIMIT_MS} or the control's`,
    );
  }
}

function slicesOf(some: readonly LegFigure[], kind: string): { readonly own: number; readonly text: string } {
  const spans = some.flatMap((leg) => leg.spans.filter((span) => span.kind === kind));
  const longest = spans.reduce((a, b) => (b.longestMs > a.longestMs ? b : a));
  const own = Math.max(...spans.map(({ longestOwnMs }) => longestOwnMs));
  const sum = (figure: (span: (typeof spans)[number]) => number) => spans.reduce((all, span) => all + figure(span), 0);
  const [count, total, over] = [sum((span) => span.count), sum((span) => span.totalMs), sum((span) => span.overOwn)];
  const waited = longest.waitedMs === null ? '' : `, ${round(longest.waitedMs)} ms of it waiting for a core`;
  const collected = longest.collectedMs === null ? '' : `, ${round(longest.collectedMs)} ms in a collection`;
  const clock = `on the clock ${round(longest.longestMs)} ms${waited}${collected}`;
  const collecting = Math.max(...spans.map(({ longestCollectingMs }) => longestCollectingMs));
  const overCollecting = sum((span) => span.overCollecting);
  const withThem =
    longest.collectedMs === null ? '' : `; with collections ${round(collecting)} ms, ${overCollecting} too long`;
  return {
    own,
    text: `${count} slices, ${round(total, 0)} ms in all, the longest ${round(own)} ms, ${over} too long${withThem} (${clock})`,
  };
}

/** What the operations' garbage costs everybody: it is in no slice's own time. */
function tellCollections(on: readonly LegFigure[], off: readonly LegFigure[], verdicts: Verdicts): void {
  const text = (some: readonly LegFigure[]): string => {
    const parts = some.flatMap(({ steady, hour }) => [steady, hour]);
    const seconds = parts.reduce((sum, part) => sum + part.seconds, 0);
    const figures = parts.flatMap(({ collections }) => collections ?? []);
    const count = figures.reduce((sum, one) => sum + one.count, 0);
    const stoppedMs = figures.reduce((sum, one) => sum + one.stoppedMs, 0);
    const longest = Math.max(...figures.map(({ longestStopMs }) => longestStopMs));
    return `${round((60 * count) / seconds, 1)} a minute, ${round(stoppedMs / seconds)} ms of stops a second, the longest ${round(longest)} ms`;
  };
  if ([...on, ...off].some(({ steady }) => steady.collections === null)) return;
  verdicts.tell(`collections: ${text(on)}; off ${text(off)}`);
}
