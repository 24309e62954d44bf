// Looks at what this process depends on, every 5 s and one look at a time; probes read what was seen and never wait.
import type { Registry } from '../../metrics/index.ts';
import type { CheckAnswer, RegisteredCheck } from './user-checks.ts';

export interface HealthMonitorOptions {
  /** The checks as they are now; asked at each round. */
  checks(): readonly RegisteredCheck[];
  readonly registry: Registry;
  readonly clock: { now(): number; setTimer(run: () => void, delayMs: number): () => void };
  /** ms since 1970. */
  epochNowMs(): number;
  readonly intervalMs?: number | undefined;
  /** What else makes this process unable to serve, such as `draining`; null: nothing. Counted into availability. */
  unable?(): string | null;
  warn?(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** What was last seen of one dependency. */
export interface CheckView {
  readonly name: string;
  readonly required: boolean;
  /** `pending`: not looked at yet. */
  readonly status: 'pass' | 'warn' | 'fail' | 'pending';
  readonly message: string | null;
  readonly durationMs: number | null;
  /** ms since 1970 of the look; null before the first. */
  readonly checkedAtMs: number | null;
}

export interface HealthView {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly checks: readonly CheckView[];
}

export interface Availability {
  /** successful / probes; null before the first. */
  readonly ratio: number | null;
  readonly probes: number;
  readonly successful: number;
}

export interface HealthMonitor {
  view(): HealthView;
  availability(): Availability;
  /** Looks now, at what is not being looked at already; resolves when all have answered or run out of time. */
  round(): Promise<void>;
  stop(): void;
}

export const HEALTH_INTERVAL_MS = 5000;
/** Looks in a row that must fail before a dependency counts as down: one lost packet is no outage. */
const FAILURES_FOR_DOWN = 2;
/** Intervals after which what was seen is too old to be believed. */
const STALE_INTERVALS = 3;

interface Seen {
  status: 'pass' | 'warn' | 'fail';
  message: string | null;
  durationMs: number;
  checkedMs: number;
  checkedAtMs: number;
}
interface State {
  busy: boolean;
  failures: number;
  seen: Seen | null;
  firstMs: number;
}

export function startHealthMonitor(options: HealthMonitorOptions): HealthMonitor {
  const { registry, clock, intervalMs = HEALTH_INTERVAL_MS } = options;
  const probes = registry.counter({
    name: 'syrinx.health.probes',
    help: 'Looks at the health of this process, one each 5 s, by result; their ratio is the availability.',
    labels: ['result'],
  });
  const [good, bad] = [probes.labels({ result: 'success' }), probes.labels({ result: 'failure' })];
  const seconds = registry.histogram({
    name: 'syrinx.health.check.duration',
    help: 'Time that looks at dependencies took, by check.',
    unit: 's',
    labels: ['check'],
  });
  const states = new Map<string, { of: RegisteredCheck; state: State }>();
  let cancel = clock.setTimer(tick, intervalMs);
  let stopped = false;

  function tick(): void {
    void round();
    if (view().status !== 'unhealthy' && (options.unable?.() ?? null) === null) good.add(1);
    else bad.add(1);
    if (!stopped) cancel = clock.setTimer(tick, intervalMs);
  }

  function stateOf(check: RegisteredCheck): State {
    const known = states.get(check.name);
    if (known?.of === check) return known.state;
    const state = { busy: false, failures: 0, seen: null, firstMs: clock.now() };
    states.set(check.name, { of: check, state });
    return state;
  }

  async function round(): Promise<void> {
    const checks = options.checks();
    for (const name of states.keys()) if (!checks.some((one) => one.name === name)) states.delete(name);
    await Promise.all(checks.map((check) => look(check, stateOf(check))));
  }

  async function look({ name, check, timeoutMs }: RegisteredCheck, state: State): Promise<void> {
    // One that hangs is not asked a second time.
    if (state.busy || stopped) return;
    state.busy = true;
    const startMs = clock.now();
    const controller = new AbortController();
    let open = true;
    const conclude = (answer: CheckAnswer) => {
      if (!open) return;
      open = false;
      cancelLimit();
      record(name, state, answer, clock.now() - startMs);
    };
    let release: () => void = () => {};
    const over = new Promise<void>((resolve) => {
      release = resolve;
    });
    const cancelLimit = clock.setTimer(() => {
      conclude({ status: 'error', message: `no answer in ${timeoutMs} ms` });
      controller.abort();
      release();
    }, timeoutMs);
    void Promise.resolve()
      .then(() => check(controller.signal))
      .then(conclude, (error: unknown) => conclude({ status: 'error', message: textOf(error) }))
      .finally(() => {
        state.busy = false;
        release();
      });
    await over;
  }

  function record(name: string, state: State, answer: CheckAnswer, durationMs: number): void {
    const { status, message } = plain(answer);
    seconds.labels({ check: name }).record(Math.max(0, durationMs) / 1000);
    const before = state.seen?.status ?? null;
    state.failures = status === 'fail' ? state.failures + 1 : 0;
    const isDown = state.failures >= FAILURES_FOR_DOWN;
    const now = { message, durationMs, checkedMs: clock.now(), checkedAtMs: options.epochNowMs() };
    state.seen = { ...now, status: status === 'fail' && !isDown ? 'warn' : status };
    if (before !== state.seen.status && (before !== null || status !== 'pass')) {
      options.warn?.('health check changed', { check: name, status: state.seen.status, reason: message });
    }
  }

  function viewOf(check: RegisteredCheck): CheckView {
    const { name, required } = check;
    const { seen, firstMs } = stateOf(check);
    const oldestMs = STALE_INTERVALS * intervalMs;
    const isStale = clock.now() - (seen?.checkedMs ?? firstMs) > oldestMs;
    if (seen === null) {
      const message = isStale ? `no answer for more than ${oldestMs} ms` : 'not checked yet';
      return { name, required, status: isStale ? 'fail' : 'pending', message, durationMs: null, checkedAtMs: null };
    }
    const { status, message, durationMs, checkedAtMs } = seen;
    if (!isStale) return { name, required, status, message, durationMs, checkedAtMs };
    const old = `last answer is older than ${oldestMs} ms`;
    return { name, required, status: 'fail', message: old, durationMs, checkedAtMs };
  }

  function view(): HealthView {
    const checks = options.checks().map(viewOf);
    const isDown = checks.some(({ required, status }) => required && status === 'fail');
    const isIll = checks.some(({ status }) => status === 'fail' || status === 'warn');
    return { status: isDown ? 'unhealthy' : isIll ? 'degraded' : 'healthy', checks };
  }

  void round();
  return {
    view,
    availability() {
      const successful = good.value;
      const all = successful + bad.value;
      return { ratio: all === 0 ? null : successful / all, probes: all, successful };
    },
    round,
    stop() {
      stopped = true;
      cancel();
    },
  };
}

function plain(answer: CheckAnswer): { status: 'pass' | 'warn' | 'fail'; message: string | null } {
  if (answer === undefined || answer === true || answer === 'ok') return { status: 'pass', message: null };
  if (answer === false || answer === 'error') return { status: 'fail', message: null };
  if (answer === 'warning') return { status: 'warn', message: null };
  const { status, message } = (answer ?? {}) as { status?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message.slice(0, 500) : null;
  if (status === 'ok') return { status: 'pass', message: text };
  if (status === 'warning') return { status: 'warn', message: text };
  return { status: 'fail', message: status === 'error' ? text : 'the check answered with something unknown' };
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}
