// The operations beside 100 calls, and the same calls without them at the same moments beside it: processor, memory, late frames, slices of work.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chanceOf } from '../../scripts/metrics/late-frames.ts';
import { round } from '../statistics.ts';
import { type Child, runChild, spawnChild } from './child.ts';
import type { LegFigure, PartFigure } from './leg.ts';
import { CONTROL_SLICE, RULES, SERIES } from './load.ts';
import type { MemoryFigure, ThreadTimes } from './process-figures.ts';
import type { Verdicts } from './verdicts.ts';

const LEG = new URL('leg.ts', import.meta.url);
const PAGER = new URL('pager.ts', import.meta.url);
const CPU_LIMIT_PERCENT = 2;
const MEMORY_LIMIT_MB = 25;
const SLICE_LIMIT_MS = 2;
/** Below this that one leg has so many of the pauses is no chance any more. */
const CHANCE = 0.01;
/** Into the part with the full hour: everything is sealed and merged. */
export const SEALED_SECONDS = 30;
const MEGABYTE = 2 ** 20;
/** Of the control's frames. Where more are late, something else has the machine. */
const MAX_LATE_PERCENT = 0.05;
const KINDS = ['monitor', 'alerts', 'history sample', 'history minute', 'history hour', 'history day', 'notification'];
/** Half a packet's time: packets of both legs do not come in the same moment. */
const OFFSET_MS = 10;

export interface CallsOptions {
  readonly pairs: number;
  readonly warmSeconds: number;
  readonly steadySeconds: number;
  readonly hourSeconds: number;
  /** Slices that are too long by the thread's clock are looked at by the core's timer. */
  readonly sampled: boolean;
}

interface Leg extends LegFigure {
  /** What its pager has received. */
  readonly notified: number;
}
/** A leg with the operations and one without, side by side: what the machine does meets both. */
interface Pair {
  readonly on: Leg;
  readonly off: Leg;
}

export async function measureBesideCalls(options: CallsOptions, verdicts: Verdicts): Promise<Leg[]> {
  const all: Pair[] = [];
  for (let i = 0; i < options.pairs; i++) {
    const [on, off] = await sideBySide(['on', 'off'], options);
    all.push({ on, off });
    tellLeg(on, verdicts);
    tellLeg(off, verdicts);
  }
  const quiet = all.filter(({ off }) => latePercent([off]) <= MAX_LATE_PERCENT);
  if (quiet.length < all.length)
    verdicts.tell(
      `${all.length - quiet.length} of ${all.length} pairs are not judged: something else had the machine, the control itself was late`,
    );
  // All of them disturbed: then that is what there is.
  const pairs = quiet.length > 0 ? quiet : all;
  const on = pairs.map((pair) => pair.on);
  const off = pairs.map((pair) => pair.off);
  judgeProcessor(pairs, options, verdicts);
  judgeMemory(pairs, verdicts);
  judgeFrames(on, off, verdicts);
  if (options.sampled)
    verdicts.tell("what is too long by the thread's clock counts as long as its core ran, by a timer of it");
  judgeSlices(on, off, verdicts);
  tellCollections(on, off, verdicts);
  return all.flatMap((pair) => [pair.on, pair.off]);
}

/** What two legs of the same program differ by. */
export async function tellNoise(options: CallsOptions, verdicts: Verdicts): Promise<void> {
  const differences: [number, number][] = [];
  for (let i = 0; i < options.pairs; i++) {
    const [one, other] = await sideBySide(['off', 'off'], options);
    tellLeg(one, verdicts);
    tellLeg(other, verdicts);
    const megabytes = (mean(one.hour.rssBytes) - mean(other.hour.rssBytes)) / MEGABYTE;
    differences.push([one.steady.cpuPercent - other.steady.cpuPercent, megabytes]);
  }
  const text = differences.map(([percent, megabytes]) => `${round(percent)} % and ${round(megabytes, 0)} MB`);
  verdicts.tell(`both legs off, processor and memory of one less the other: ${text.join(', ')}`);
}

async function sideBySide(
  modes: readonly [string, string],
  { steadySeconds, hourSeconds, warmSeconds, sampled }: CallsOptions,
): Promise<[Leg, Leg]> {
  const seconds = [steadySeconds, hourSeconds, warmSeconds].map(String);
  const how = sampled ? ['sampled'] : [];
  const folders = modes.map(() => mkdtempSync(join(tmpdir(), 'syrinx-ops-'))) as [string, string];
  try {
    for (const [i, mode] of modes.entries()) {
      if (mode !== 'off') await runChild(LEG, ['day', '0', '0', '0', folders[i] as string]);
    }
    const legs: Child<LegFigure>[] = [];
    const pagers: Child<number>[] = [];
    for (const [i, mode] of modes.entries()) {
      const pager = spawnChild<number>(PAGER, []);
      pagers.push(pager);
      legs.push(spawnChild<LegFigure>(LEG, [mode, ...seconds, folders[i] as string, await pager.ready, ...how]));
    }
    await Promise.all(legs.map(({ ready }) => ready));
    for (const leg of legs) {
      leg.start();
      await new Promise((go) => setTimeout(go, OFFSET_MS));
    }
    const figures = await Promise.all(legs.map(({ result }) => result));
    for (const pager of pagers) pager.start();
    const notified = await Promise.all(pagers.map(({ result }) => result));
    return figures.map((figure, i) => ({ ...figure, notified: notified[i] as number })) as [Leg, Leg];
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

function tellLeg({ mode, steady, hour, settled, series, notified }: Leg, verdicts: Verdicts): void {
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

/** In the middle of all pairs, what the operations have more. */
function more(pairs: readonly Pair[], figure: (leg: LegFigure) => number): number {
  return middle(pairs.map(({ on, off }) => figure(on) - figure(off)));
}

/** Of two in the middle, what lies between them: there are few pairs. */
function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const last = sorted.length - 1;
  return ((sorted[Math.floor(last / 2)] as number) + (sorted[Math.ceil(last / 2)] as number)) / 2;
}

function judgeProcessor(
  pairs: readonly Pair[],
  { steadySeconds, hourSeconds }: CallsOptions,
  verdicts: Verdicts,
): void {
  const slices = ({ spans }: LegFigure, isOne: (kind: string) => boolean): number =>
    spans.reduce((sum, { kind, totalMs }) => sum + (isOne(kind) ? totalMs : 0), 0) / 10 / (steadySeconds + hourSeconds);
  /** Without the control's slices of nothing. */
  const steadyOf = (leg: LegFigure): number => leg.steady.cpuPercent - slices(leg, (kind) => kind === CONTROL_SLICE);
  const hourOf = (leg: LegFigure): number => leg.hour.cpuPercent - slices(leg, (kind) => kind === CONTROL_SLICE);
  const [steady, hour] = [more(pairs, steadyOf), more(pairs, hourOf)];
  // An hour has one such part and is otherwise steady.
  const hourShare = hourSeconds / 3600;
  const cost = steady * (1 - hourShare) + hour * hourShare;
  const load = `100 calls, ${SERIES} series of the load, ${RULES} rules`;
  const off = middle(pairs.map((pair) => steadyOf(pair.off)));
  verdicts.limit(
    cost <= CPU_LIMIT_PERCENT,
    `${load}: ${round(cost)} % of a core more than off (steady ${round(steady)}, around the full hour ${round(hour)}; off ${round(off, 1)}), limit ${CPU_LIMIT_PERCENT}`,
  );
  verdicts.tell(
    `the same of each pair, steady: ${pairs.map(({ on, off }) => round(steadyOf(on) - steadyOf(off))).join(', ')}`,
  );
  if (pairs.every(({ on, off }) => on.steady.threadPercent !== null && off.steady.threadPercent !== null)) {
    const threads = (['main', 'compiler', 'collector', 'other'] as const).map(
      (kind) => `${kind} ${round(more(pairs, (leg) => leg.steady.threadPercent?.[kind] ?? 0))}`,
    );
    verdicts.tell(`steady, by threads, the control's slices included: ${threads.join(', ')} % more`);
  }
  const all = middle(pairs.map(({ on }) => slices(on, (kind) => kind !== CONTROL_SLICE)));
  verdicts.tell(`all slices together, the full hour and the merged day included: ${round(all)} % of a core`);
}

function judgeMemory(pairs: readonly Pair[], verdicts: Verdicts): void {
  /** Resident: in the middle of the pairs, and of each. */
  const resident = (bytes: (leg: LegFigure) => number): { readonly megabytes: number; readonly text: string } => {
    const megabytes = more(pairs, (leg) => bytes(leg) / MEGABYTE);
    const each = pairs.map(({ on, off }) => [on, off].map((leg) => round(bytes(leg) / MEGABYTE, 0)).join(' and '));
    return { megabytes, text: `${round(megabytes, 1)} MB more than off (${each.join(', ')})` };
  };
  const before = resident(({ steady }) => mean(steady.rssBytes));
  const after = resident(({ hour }) => mean(hour.rssBytes.slice(SEALED_SECONDS)));
  verdicts.limit(
    Math.max(before.megabytes, after.megabytes) <= MEMORY_LIMIT_MB,
    `memory: before the full hour ${before.text}, after it ${after.text}, limit ${MEMORY_LIMIT_MB}`,
  );
  verdicts.tell(`the most while it is sealed: ${resident(({ hour }) => Math.max(...hour.rssBytes)).text}`);
  const settled = resident((leg) => leg.settled.rssBytes);
  const live = more(pairs, (leg) => leg.settled.heapBytes / MEGABYTE);
  const young = more(pairs, (leg) => leg.settled.youngBytes / MEGABYTE);
  const hasYoung = pairs.some(({ on }) => on.settled.youngBytes > 0);
  const youngText = hasYoung ? `, young generation ${round(young, 1)} MB more` : '';
  verdicts.tell(`memory after collections on both sides: ${settled.text}; heap ${round(live, 1)} MB more${youngText}`);
  if (pairs.every(({ on, off }) => on.arenaBytes !== null && off.arenaBytes !== null))
    verdicts.tell(`of that in the C library's arenas: ${resident((leg) => leg.arenaBytes ?? 0).text}`);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function latePercent(legs: readonly LegFigure[]): number {
  const parts = legs.flatMap(({ steady, hour }) => [steady, hour]);
  const sum = (figure: (part: PartFigure) => number) => parts.reduce((all, part) => all + figure(part), 0);
  return (100 * sum((part) => part.framesLate)) / sum((part) => part.frames);
}

/** A pause of the machine makes a frame of each call late: pauses are what is counted, and two equal legs share them out like tosses of a coin. */
function judgeFrames(on: readonly LegFigure[], off: readonly LegFigure[], verdicts: Verdicts): void {
  const pausesOf = (legs: readonly LegFigure[]): number =>
    legs.reduce((sum, { steady, hour }) => sum + steady.pauses + hour.pauses, 0);
  const [late, control] = [latePercent(on), latePercent(off)];
  const [own, others] = [pausesOf(on), pausesOf(off)];
  const chance = late <= control ? 1 : chanceOf(own, own + others);
  verdicts.limit(
    chance >= CHANCE,
    `late frames: ${round(late, 4)} % in ${own} pauses, without the operations ${round(control, 4)} % in ${others}; by chance ${round(chance, 3)}, limit ${CHANCE}`,
  );
}

function judgeSlices(on: readonly LegFigure[], off: readonly LegFigure[], verdicts: Verdicts): void {
  const kinds = [...new Set(on.flatMap(({ spans }) => spans.map(({ kind }) => kind)))].filter(
    (kind) => kind !== CONTROL_SLICE,
  );
  for (const wanted of KINDS) if (!kinds.includes(wanted)) verdicts.limit(false, `${wanted}: no slice was seen`);
  const control = slicesOf(off, CONTROL_SLICE);
  verdicts.tell(`control, slices that do nothing for 0.3 ms: ${control.text}`);
  for (const kind of kinds) {
    const { own, over, totalMs, text } = slicesOf(on, kind);
    // How likely so many of both are, if what makes them too long met any slice as often by the time that it takes.
    const chance = chanceOf(over, over + control.over, totalMs / (totalMs + control.totalMs));
    const byChance = over === 0 ? '' : `; by chance ${round(chance, 3)}`;
    // What happens to a slice of nothing as well is not the work's.
    verdicts.limit(
      own <= Math.max(SLICE_LIMIT_MS, control.own),
      `${kind}: ${text}, limit ${SLICE_LIMIT_MS} or the control's${byChance}`,
    );
  }
}

interface Slices {
  /** The longest. */
  readonly own: number;
  /** How many were too long. */
  readonly over: number;
  readonly totalMs: number;
  readonly text: string;
}

function slicesOf(some: readonly LegFigure[], kind: string): Slices {
  const spans = some.flatMap((leg) => leg.spans.filter((span) => span.kind === kind));
  const longest = spans.reduce((a, b) => (b.longestMs > a.longestMs ? b : a));
  const own = Math.max(...spans.map(({ longestOwnMs }) => longestOwnMs));
  const sum = (figure: (span: (typeof spans)[number]) => number) => spans.reduce((all, span) => all + figure(span), 0);
  const [count, total, over] = [sum((span) => span.count), sum((span) => span.totalMs), sum((span) => span.overOwn)];
  const overByThread = sum((span) => span.overByThread);
  const byThread = overByThread === over ? '' : ` (${overByThread} by the thread's clock)`;
  const waited = longest.waitedMs === null ? '' : `, ${round(longest.waitedMs)} ms of it waiting for a core`;
  const collected = longest.collectedMs === null ? '' : `, ${round(longest.collectedMs)} ms in a collection`;
  const core = longest.coreMs === null ? '' : `, ${round(longest.coreMs)} ms with a core`;
  const clock = `on the clock ${round(longest.longestMs)} ms${waited}${collected}${core}`;
  const collecting = Math.max(...spans.map(({ longestCollectingMs }) => longestCollectingMs));
  const overCollecting = sum((span) => span.overCollecting);
  const withThem =
    longest.collectedMs === null ? '' : `; with collections ${round(collecting)} ms, ${overCollecting} too long`;
  return {
    own,
    over,
    totalMs: total,
    text: `${count} slices, ${round(total, 0)} ms in all, the longest ${round(own)} ms, ${over} too long${byThread}${withThem} (${clock})`,
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
