// History over HTTP: which series there are, and ranges of metrics in steps, as JSON, CSV, OpenMetrics text or a report with plots.
import type { Context, Hono } from 'hono';
import {
  EXPORT_FORMATS,
  exportPieces,
  type HistoryAnswer,
  type HistoryQuery,
  historyReport,
  type HistorySource,
  Pacer,
  type PacerOptions,
  UnavailableError,
  unknownMetric,
} from '../../ops/history/index.ts';
import { failure } from '../answers.ts';
import type { RouteExtension } from '../options.ts';

export interface HistoryApi {
  /** Epoch time, ms. */
  now(): number;
  readonly source: HistorySource;
  /** The name that was probably meant. */
  nearest(name: string, among: Iterable<string>): string | undefined;
  readonly pacing: PacerOptions;
  /** Whose history it is, for readers of a report. */
  readonly origin: string;
}

const READ = 'GET, HEAD, OPTIONS';
/** Queries that run at the same time. */
const MAX_RUNNING = 4;
const MAX_NAMES = 60;
const PIECE_CHARS = 65_536;
/** The report has its own style and pictures, no script, and asks nobody for anything. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HOUR_MS = 3_600_000;
const FORMATS = ['json', 'csv', 'prometheus', 'html'] as const;
type Format = (typeof FORMATS)[number];
const PARAMETERS = new Set(['name', 'from', 'to', 'step', 'quantiles', 'buckets', 'format']);

export function historyRoutes(api: HistoryApi): RouteExtension {
  return { routes: { '/api/history': READ, '/api/history/query': READ }, add: (app) => add(app, api) };
}

function add(app: Hono, api: HistoryApi): void {
  let running = 0;
  const limited = async (work: () => Promise<Response>): Promise<Response> => {
    if (running >= MAX_RUNNING) return failure(api, 503, 'busy', `${MAX_RUNNING} queries run already; ask again`);
    running++;
    try {
      return await work();
    } catch (error) {
      if (error instanceof RangeError) return failure(api, 400, 'invalid_query', error.message);
      if (error instanceof UnavailableError) return failure(api, 503, 'unavailable', error.message);
      throw error;
    } finally {
      running--;
    }
  };
  app.get('/api/history', async (c) => {
    return await limited(async () => {
      const [{ storage, problem, bytes }, series] = await Promise.all([api.source.status(), api.source.series()]);
      return c.json({ storage, problem, bytes, series, total: series.length });
    });
  });
  app.get('/api/history/query', async (c) => await limited(async () => await answered(c, api)));
}

async function answered(c: Context, api: HistoryApi): Promise<Response> {
  const { names, format, range } = readQuery(c.req.queries(), api.now());
  const unknown = unknownMetric(names, await api.source.series(), api.nearest);
  if (unknown !== undefined) return failure(api, 404, 'unknown_metric', unknown);
  if (format === 'html') {
    const page = await historyReport(api.source, {
      ...range,
      names,
      madeAtMs: api.now(),
      origin: api.origin,
      pacing: api.pacing,
    });
    return c.html(page, 200, { 'content-security-policy': PAGE_POLICY });
  }
  const { needsBuckets, contentType } = EXPORT_FORMATS[format];
  const buckets = range.buckets || needsBuckets;
  const answers: HistoryAnswer[] = [];
  for (const name of names) answers.push(await api.source.query({ ...range, name, buckets }));
  const [first] = answers;
  if (first === undefined) throw new RangeError('"name" must be the name of a metric');
  const missing = [...new Set(answers.flatMap((answer) => answer.missing ?? []))];
  const answer = {
    ...first,
    series: answers.flatMap(({ series }) => series),
    missing: missing.length === 0 ? undefined : missing,
  };
  return c.body(inPieces(exportPieces(EXPORT_FORMATS[format], answer), api.pacing), 200, {
    'content-type': contentType,
  });
}

/** Text that is made while it is read, and lets others have their turn. */
function inPieces(pieces: Iterator<string>, pacing: PacerOptions): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const pacer = new Pacer(pacing);
  return new ReadableStream({
    async pull(controller) {
      pacer.start();
      let text = '';
      for (let next = pieces.next(); ; next = pieces.next()) {
        if (next.done === true) {
          if (text !== '') controller.enqueue(encoder.encode(text));
          return controller.close();
        }
        text += next.value;
        if (text.length >= PIECE_CHARS) return controller.enqueue(encoder.encode(text));
        if (pacer.tired) await pacer.rest();
      }
    },
  });
}

type Asked = Omit<HistoryQuery, 'name' | 'buckets'> & { readonly buckets: boolean };

function readQuery(given: Readonly<Record<string, string[]>>, nowMs: number) {
  const one = (key: string): string | undefined => given[key]?.at(-1);
  for (const key of Object.keys(given)) {
    if (!PARAMETERS.has(key) && !key.startsWith('label.'))
      throw new RangeError(
        `"${key.slice(0, 40)}" is no parameter: there are ${[...PARAMETERS].join(', ')}, label.NAME`,
      );
  }
  const format = (one('format') ?? 'json') as Format;
  if (!FORMATS.includes(format)) throw new RangeError(`"format" is one of ${FORMATS.join(', ')}`);
  const names = (given['name'] ?? []).filter((name) => name !== '');
  if (names.length > MAX_NAMES) throw new RangeError(`at most ${MAX_NAMES} names`);
  if (names.length === 0 && format !== 'html') throw new RangeError('"name" must be the name of a metric');
  const labels = Object.keys(given).flatMap((key) =>
    key.startsWith('label.') ? [[key.slice(6), one(key) ?? ''] as const] : [],
  );
  const toMs = time(one('to'), nowMs);
  const step = one('step');
  const range: Asked = {
    labels: Object.fromEntries(labels),
    fromMs: time(one('from'), toMs - HOUR_MS),
    toMs,
    stepMs: step === undefined ? undefined : Number(step) * 1000,
    quantiles: (one('quantiles') ?? '').split(',').flatMap((q) => (q === '' ? [] : [Number(q)])),
    buckets: one('buckets') === 'true' || one('buckets') === '1',
  };
  return { names, format, range };
}

/** ms since 1970, or ISO 8601. */
function time(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  return /^\d+$/.test(text) ? Number(text) : Date.parse(text);
}
