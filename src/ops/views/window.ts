// A short memory of the few sums that the dashboard needs: this window, and the one before it.
import type { MetricSnapshot } from '../../metrics/index.ts';
import { Readings } from './readings.ts';

/** Sums since the start of the process. */
interface Sums {
  readonly atMs: number;
  readonly started: number;
  readonly ended: number;
  readonly failed: number;
  readonly turns: number;
  readonly responses: number;
  readonly responseSeconds: number;
  readonly interruptions: number;
}
type Field = Exclude<keyof Sums, 'atMs'>;

/** What happened in a window. Rates are fractions of 1, null where nothing of the kind has happened. */
export interface WindowView {
  readonly seconds: number;
  readonly sessionsStarted: number;
  readonly sessionsEnded: number;
  readonly sessionsFailed: number;
  readonly successRate: number | null;
  readonly errorRate: number | null;
  readonly turns: number;
  /** Turns whose response time is known. */
  readonly responses: number;
  /** Mean of `conversation.response_ms`. */
  readonly avgResponseMs: number | null;
  readonly interruptions: number;
}

export interface Windows {
  /** Looks at the registry; to be called at an interval, and before a view is wanted. */
  look(snapshot: readonly MetricSnapshot[], nowMs: number): void;
  current(): WindowView;
  /** Null while the process is not old enough to have had one. */
  previous(): WindowView | null;
}

/** What `look` must be given. */
export const WINDOW_METRICS: ReadonlySet<string> = new Set([
  'syrinx.sessions.started',
  'syrinx.sessions.ended',
  'syrinx.turns.completed',
  'syrinx.conversation.response',
  'syrinx.interruptions',
]);

/** Looks that a window is made of. */
const STEPS = 60;

export function createWindows(windowMs = 300_000): Windows {
  const past: Sums[] = [];

  const at = (beforeMs: number): Sums | null => past.findLast((sums) => sums.atMs <= beforeMs) ?? null;
  const newest = (): Sums | null => past.at(-1) ?? null;

  return {
    look(snapshot, nowMs) {
      const last = newest();
      // A clock that goes back begins anew.
      if (last !== null && nowMs < last.atMs) past.length = 0;
      const sums = sumsOf(new Readings(snapshot), nowMs);
      const lastButOne = past.at(-2);
      if (lastButOne !== undefined && nowMs - lastButOne.atMs < windowMs / STEPS) past[past.length - 1] = sums;
      else past.push(sums);
      while ((past[1]?.atMs ?? nowMs) <= nowMs - 2 * windowMs) past.shift();
    },
    current() {
      const now = newest();
      if (now === null) return between(ZERO, ZERO);
      return between(at(now.atMs - windowMs) ?? { ...ZERO, atMs: past[0]?.atMs ?? now.atMs }, now);
    },
    previous() {
      const now = newest();
      const end = now === null ? null : at(now.atMs - windowMs);
      const start = now === null ? null : at(now.atMs - 2 * windowMs);
      if (now === null || end === null) return null;
      return between(start ?? { ...ZERO, atMs: past[0]?.atMs ?? end.atMs }, end);
    },
  };
}

const ZERO: Sums = {
  atMs: 0,
  started: 0,
  ended: 0,
  failed: 0,
  turns: 0,
  responses: 0,
  responseSeconds: 0,
  interruptions: 0,
};

function sumsOf(read: Readings, atMs: number): Sums {
  const response = read.total('syrinx.conversation.response');
  return {
    atMs,
    started: read.value('syrinx.sessions.started') ?? 0,
    ended: read.value('syrinx.sessions.ended') ?? 0,
    failed: read.value('syrinx.sessions.ended', { outcome: 'failed' }) ?? 0,
    turns: read.value('syrinx.turns.completed') ?? 0,
    responses: response?.count ?? 0,
    responseSeconds: response?.sum ?? 0,
    interruptions: read.value('syrinx.interruptions') ?? 0,
  };
}

function between(from: Sums, to: Sums): WindowView {
  const grown = (field: Field) => to[field] - from[field];
  const ended = grown('ended');
  const responses = grown('responses');
  return {
    seconds: (to.atMs - from.atMs) / 1000,
    sessionsStarted: grown('started'),
    sessionsEnded: ended,
    sessionsFailed: grown('failed'),
    successRate: ended === 0 ? null : 1 - grown('failed') / ended,
    errorRate: ended === 0 ? null : grown('failed') / ended,
    turns: grown('turns'),
    responses,
    avgResponseMs: responses === 0 ? null : (1000 * grown('responseSeconds')) / responses,
    interruptions: grown('interruptions'),
  };
}
