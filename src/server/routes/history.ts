// History over HTTP: which series there are, and ranges of one metric in steps, as JSON or CSV.
import type { Hono } from 'hono';
import type { HistoryAnswer, HistoryQuery, HistorySeries, HistoryState } from '../../ops/history/index.ts';
import { failure } from '../answers.ts';
import type { RouteExtension } from '../options.ts';

export interface HistoryApi {
  /** Epoch time, ms. */
  now(): number;
  state(): HistoryState;
  series(): readonly HistorySeries['info'][];
  /** Rejects with a `RangeError` that says what is wrong. */
  query(query: HistoryQuery): Promise<HistoryAnswer>;
}

const READ = 'GET, HEAD, OPTIONS';
/** Queries that run at the same time. */
const MAX_RUNNING = 4;
const HOUR_MS = 3_600_000;

export function historyRoutes(api: HistoryApi): RouteExtension {
  return { routes: { '/api/history': READ, '/api/history/query': READ }, add: (app) => add(app, api) };
}

function add(app: Hono, api: HistoryApi): void {
  let running = 0;
  app.get('/api/history', (c) => {
    const { storage, problem, bytes } = api.state();
    const series = api.series();
    return c.json({ storage, problem, bytes, series, total: series.length });
  });
  app.get('/api/history/query', async (c) => {
    if (running >= MAX_RUNNING) return failure(api, 503, 'busy', `${MAX_RUNNING} queries run already; ask again`);
    running++;
    try {
      const answer = await api.query(readQuery(c.req.query(), api.now()));
      if (c.req.query('format') === 'csv') return c.body(csv(answer), 200, { 'content-type': 'text/csv' });
      return c.json(answer);
    } catch (error) {
      if (error instanceof RangeError) return failure(api, 400, 'invalid_query', error.message);
      throw error;
    } finally {
      running--;
    }
  });
}

function readQuery(given: Record<string, string>, nowMs: number): HistoryQuery {
  const { name, from, to, step, quantiles, format } = given;
  if (name === undefined || name === '') throw new RangeError('"name" must be the name of a metric');
  if (format !== undefined && format !== 'json' && format !== 'csv') throw new RangeError('"format" is json or csv');
  const labels = Object.entries(given).flatMap(([key, value]) =>
    key.startsWith('label.') ? [[key.slice(6), value] as const] : [],
  );
  const toMs = time(to, nowMs);
  return {
    name,
    labels: Object.fromEntries(labels),
    fromMs: time(from, toMs - HOUR_MS),
    toMs,
    stepMs: step === undefined ? undefined : Number(step) * 1000,
    quantiles: (quantiles ?? '').split(',').flatMap((q) => (q === '' ? [] : [Number(q)])),
  };
}

/** ms since 1970, or ISO 8601. */
function time(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  return /^\d+$/.test(text) ? Number(text) : Date.parse(text);
}

function csv({ series, quantiles }: HistoryAnswer): string {
  const head = ['time', 'name', 'labels', 'count', 'sum', 'min', 'max', ...quantiles.map((q) => `q${q}`)];
  const rows = series.flatMap((one) =>
    one.atMs.map((atMs, i) => [
      new Date(atMs).toISOString(),
      cell(one.info.name),
      cell(JSON.stringify(one.info.labels)),
      ...[one.count, one.sum, one.min, one.max, ...one.quantiles].map((column) => String(column[i] ?? '')),
    ]),
  );
  return [head, ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}

function cell(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
