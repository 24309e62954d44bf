// The history of all processes as one: each is asked for its own, sums are added and buckets merged.
import type { Hono, MiddlewareHandler } from 'hono';
import { nearest } from '../../config/nearest.ts';
import { type HistorySource, mergedSource } from '../../ops/history/index.ts';
import { systemClock } from '../../runner/clock.ts';
import { historyRoutes } from '../../server/routes/history.ts';
import { remoteHistory } from '../operations/remote-history.ts';
import type { ProcessWatch } from './watch.ts';

/** A query over a month takes its time on a busy process. */
const ANSWER_MS = 15_000;

const PACING = { now: systemClock.now, pause: () => new Promise<void>((go) => void systemClock.setTimer(go, 0)) };

export interface ProcessHistoryOptions {
  readonly watch: Pick<ProcessWatch, 'reports' | 'ask'>;
  /** Epoch time, ms. */
  now(): number;
}

export function addProcessHistory(app: Hono, { watch, now }: ProcessHistoryOptions, secured: MiddlewareHandler): void {
  const sources = new Map(
    watch
      .reports()
      .map(({ number }): [string, HistorySource] => [
        String(number),
        remoteHistory(async (path) => await askProcess(watch, number, path)),
      ]),
  );
  app.use('/api/history/*', secured);
  historyRoutes({
    now,
    nearest,
    pacing: PACING,
    origin: `${sources.size} processes`,
    source: mergedSource(sources),
  }).add(app);
}

async function askProcess(watch: ProcessHistoryOptions['watch'], number: number, path: string): Promise<unknown> {
  const answer = await watch.ask(number, path, { signal: AbortSignal.timeout(ANSWER_MS) });
  if (answer === null) throw new Error(`Process ${number} does not answer`);
  const body = (await answer.json()) as { message?: unknown };
  if (answer.ok) return body;
  // A metric that this process has not met is none, while another may have it.
  if (answer.status === 404 && path.includes('/query?')) return { ...NOTHING };
  const message = String(body.message ?? answer.status);
  throw answer.status === 400 ? new RangeError(message) : new Error(message);
}

const NOTHING = { tier: 'minutes', quantiles: [], series: [] };
