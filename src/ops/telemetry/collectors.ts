// Collectors: functions of the user that are asked for numbers at an interval. One that throws, hangs or talks rubbish harms nobody.
import type { GaugeHandle, Labels, Registry } from '../../metrics/index.ts';
import { aliasedGauge } from './aliases.ts';

/** One number under a dotted name: `{ name: 'database.connections.active', value: 7 }`. */
export interface CollectedPoint {
  readonly name: string;
  readonly value: number;
  /** Few values for each label, never ids. The keys are those of the first point of this name. */
  readonly labels?: Labels | undefined;
}
/** As an object, or as the pair that the specification writes: `['database.connections.active', 7]`. */
export type Collected = CollectedPoint | readonly [name: string, value: number];
/** Asked at an interval, one answer at a time; `signal` aborts when its time is over. */
export type Collector = (signal: AbortSignal) => readonly Collected[] | Promise<readonly Collected[]>;
/** How a collector is asked. */
export interface CollectorOptions {
  /** Longest wait for its answer in ms; default 1000, at most 60 000. */
  readonly timeoutMs?: number | undefined;
}

const MAX_COLLECTORS = 100;
const MAX_POINTS = 200;
const MAX_LABELS = 8;
const DEFAULT_TIMEOUT_MS = 1000;
const MAX_TIMEOUT_MS = 60_000;

export interface Registration {
  readonly name: string;
  readonly collect: Collector;
  readonly timeoutMs: number;
}

/** What is registered in this process. The same name again replaces. */
export class CollectorSet {
  readonly #registered = new Map<string, Registration>();

  register(name: string, collect: Collector, { timeoutMs = DEFAULT_TIMEOUT_MS }: CollectorOptions = {}): () => void {
    if (typeof name !== 'string' || name === '' || name.length > 255) {
      throw new RangeError('A collector needs a name of 1 to 255 characters');
    }
    if (typeof collect !== 'function') throw new TypeError(`The collector '${name}' must be a function`);
    if (!(timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS)) {
      throw new RangeError(`"timeoutMs" must be from 1 to ${MAX_TIMEOUT_MS}`);
    }
    if (!this.#registered.has(name) && this.#registered.size >= MAX_COLLECTORS) {
      throw new RangeError(`At most ${MAX_COLLECTORS} collectors can be registered`);
    }
    const registration = { name, collect, timeoutMs };
    this.#registered.set(name, registration);
    return () => {
      if (this.#registered.get(name) === registration) this.#registered.delete(name);
    };
  }

  unregister(name: string): boolean {
    return this.#registered.delete(name);
  }

  /** Still registered, and not replaced. */
  has(registration: Registration): boolean {
    return this.#registered.get(registration.name) === registration;
  }

  list(): readonly Registration[] {
    return [...this.#registered.values()];
  }
}

export interface CollectingOptions {
  readonly set: CollectorSet;
  readonly registry: Registry;
  readonly clock: { now(): number; setTimer(run: () => void, delayMs: number): () => void };
  readonly intervalMs: number;
  /** Said once for each collector and kind of trouble. */
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

type Trouble = 'threw' | 'timeout' | 'rubbish' | 'refused';

/** State of one registration while it is asked again and again. */
interface Asked {
  busy: boolean;
  readonly gauges: Set<GaugeHandle>;
  readonly told: Set<Trouble>;
}

export interface Collecting {
  /** Asks all that are not being asked already; resolves when each has answered or run out of time. */
  collect(): Promise<void>;
  stop(): void;
}

/** Asks the collectors of `set` at the interval, for as long as it is not stopped. */
export function startCollecting(options: CollectingOptions): Collecting {
  const { set, registry, clock, intervalMs } = options;
  const failures = registry.counter({
    name: 'syrinx.collectors.failures',
    help: 'Rounds of collectors that threw, took too long, or gave what is no list of numbers, by kind.',
    labels: ['kind'],
  });
  const refused = registry
    .counter({ name: 'syrinx.collectors.refused', help: 'Points of collectors that could not be taken.' })
    .labels();
  const states = new WeakMap<Registration, Asked>();
  const declared = new Map<string, readonly string[]>();
  let stopped = false;
  let cancel = clock.setTimer(tick, intervalMs);

  function tick(): void {
    void collect();
    if (!stopped) cancel = clock.setTimer(tick, intervalMs);
  }

  async function collect(): Promise<void> {
    await Promise.all(set.list().map(ask));
  }

  async function ask(registration: Registration): Promise<void> {
    const state = states.get(registration) ?? { busy: false, gauges: new Set(), told: new Set() };
    states.set(registration, state);
    // A hanging one is not asked again: it would pile up.
    if (state.busy || stopped) return;
    state.busy = true;
    const controller = new AbortController();
    const answer = Promise.resolve().then(() => registration.collect(controller.signal));
    void answer
      .catch(() => {})
      .finally(() => {
        state.busy = false;
      });
    let cancelLimit = () => {};
    const limit = new Promise<'timeout'>((resolve) => {
      cancelLimit = clock.setTimer(() => resolve('timeout'), registration.timeoutMs);
    });
    try {
      const result = await Promise.race([answer, limit]);
      if (stopped || !set.has(registration)) return forget(state);
      if (result === 'timeout') {
        controller.abort();
        fail(registration, state, 'timeout', `gave no answer in ${registration.timeoutMs} ms`);
      } else take(registration, state, result);
    } catch (error) {
      fail(registration, state, 'threw', error);
    } finally {
      cancelLimit();
    }
  }

  function take(registration: Registration, state: Asked, result: unknown): void {
    if (!Array.isArray(result)) {
      return fail(registration, state, 'rubbish', 'the answer must be a list of { name, value }');
    }
    const before = new Set(state.gauges);
    state.gauges.clear();
    const wrong: string[] = [];
    for (const given of result.slice(0, MAX_POINTS)) {
      const problem = setPoint(given, state);
      if (problem !== null) wrong.push(problem);
    }
    if (result.length > MAX_POINTS) wrong.push(`only ${MAX_POINTS} points are taken of one answer`);
    // What is not told any more is not known any more.
    for (const gauge of before) if (!state.gauges.has(gauge)) gauge.unset();
    const [first] = wrong;
    if (first === undefined) return;
    refused.add(wrong.length + Math.max(0, result.length - MAX_POINTS - 1));
    tell(registration, state, 'refused', first);
  }

  /** Sets one point; returns what is wrong with it. */
  function setPoint(given: unknown, state: Asked): string | null {
    const point = pointOf(given);
    if (typeof point === 'string') return point;
    const alias = aliasedGauge(registry, point.name);
    if (alias?.refused !== undefined) return alias.refused;
    if (alias?.gauge !== undefined) {
      alias.gauge.set(point.value / alias.factor);
      state.gauges.add(alias.gauge);
      return null;
    }
    const labels = point.labels ?? {};
    const keys = Object.keys(labels);
    const known = declared.get(point.name) ?? keys;
    if (keys.some((key) => !known.includes(key))) return `${point.name}: its labels are ${known.join(', ') || 'none'}`;
    try {
      const gauge = registry.gauge({ name: point.name, help: 'From a collector.', labels: known }).labels(labels);
      declared.set(point.name, known);
      gauge.set(point.value);
      state.gauges.add(gauge);
      return null;
    } catch (error) {
      // A name that is another metric's, or would be after its signs were replaced.
      return error instanceof Error ? error.message : String(error);
    }
  }

  function fail(registration: Registration, state: Asked, kind: Trouble, error: unknown): void {
    failures.labels({ kind }).add(1);
    forget(state);
    tell(registration, state, kind, error);
  }

  function tell({ name }: Registration, state: Asked, kind: Trouble, error: unknown): void {
    if (state.told.has(kind)) return;
    state.told.add(kind);
    options.warn('collector in trouble, said once', { collector: name, kind, error });
  }

  function forget(state: Asked): void {
    for (const gauge of state.gauges) gauge.unset();
    state.gauges.clear();
  }

  return {
    collect,
    stop() {
      stopped = true;
      cancel();
    },
  };
}

/** A point in either form, or what is wrong with it. */
function pointOf(given: unknown): CollectedPoint | string {
  const [name, value, labels] = Array.isArray(given)
    ? [given[0] as unknown, given[1] as unknown, undefined]
    : given !== null && typeof given === 'object'
      ? [(given as CollectedPoint).name, (given as CollectedPoint).value, (given as CollectedPoint).labels]
      : [undefined, undefined, undefined];
  if (typeof name !== 'string' || !/^[a-zA-Z][a-zA-Z0-9_.]{0,127}$/.test(name)) {
    return 'a point needs a name of letters, digits, dots and underscores';
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) return `${name}: its value is no finite number`;
  if (labels === undefined) return { name, value };
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels))
    return `${name}: labels must be an object`;
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) return `${name}: at most ${MAX_LABELS} labels`;
  if (entries.some(([key, text]) => !/^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/.test(key) || typeof text !== 'string')) {
    return `${name}: labels must be texts under plain names`;
  }
  return { name, value, labels: labels as Labels };
}
