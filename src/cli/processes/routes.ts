// The supervisor's HTTP: health, status, numbers and sessions of all processes as one; all else is passed to one of them.
import { type Context, Hono } from 'hono';
import { accepts } from 'hono/accepts';
import { bodyLimit } from 'hono/body-limit';
import { failure } from '../../server/answers.ts';
import { authorize, isOriginAllowed, refusal } from '../../server/auth.ts';
import { readChunkedBodies, readJson } from '../../server/bodies.ts';
import type { AuthOptions, RouteExtension } from '../../server/options.ts';
import { WEBHOOK_PATH } from '../../server/routes/livekit.ts';
import { PROBE_PATHS, prefersText } from '../../server/routes/probes.ts';
import { RATING_PATH } from '../../server/routes/ratings.ts';
import { securityHeaders } from '../../server/security-headers.ts';
import { addProcessHistory } from './history.ts';
import { mergeDashboards, mergeJsonMetrics, mergeTools, type Part, total, weighted } from './merge.ts';
import { mergePrometheus } from './metrics.ts';
import { addProcessMonitor } from './monitor.ts';
import { shareAnswers } from './shared-answers.ts';
import type { ProcessReport, ProcessWatch } from './watch.ts';

export interface ProcessRoutesOptions {
  readonly watch: ProcessWatch;
  readonly auth: AuthOptions;
  readonly version: string;
  readonly startedAtMs: number;
  /** Epoch time, ms. */
  now(): number;
  isDraining(): boolean;
  /** Share of all places at which more processes are asked for. */
  readonly scaleUpAt: number;
  /** Stands in for the host's timers (tests). */
  readonly setTimer?: ((run: () => void, ms: number) => () => void) | undefined;
  /** Prometheus text about the supervisor itself. */
  ownMetrics(): string;
  /** Watched here, for all processes. */
  readonly alerts?: RouteExtension | undefined;
  /** What `/status` says besides. */
  status(): Readonly<Record<string, unknown>>;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const PROBES: ReadonlySet<string> = new Set(PROBE_PATHS);
/** Requests that change nothing, wherever the page came from that sends them. */
const HARMLESS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** As each process has it. */
const MAX_BODY_BYTES = 64 * 1024;
/** Said by the connection to the process, not by the client's; the origin was looked at here, where the page knows the name. */
const HOP_HEADERS = [
  'host',
  'origin',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'accept-encoding',
];
/** Uploads and streams may take their time. */
const FORWARD_MS = 60_000;

export function createProcessRoutes(options: ProcessRoutesOptions): Hono {
  const { watch, auth } = options;
  const app = new Hono();
  const isTrusted = (c: Context) => authorize(c.req.raw, auth) === 'allowed';

  let requests = 0;
  app.use(async (c, next) => {
    requests++;
    await next();
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
  });
  const secured = securityHeaders();
  app.use(async (c, next) => {
    const { path } = c.req;
    const isOpen = PROBES.has(path) || path === WEBHOOK_PATH || (path === '/metrics' && auth.openMetrics === true);
    const verdict = isOpen ? 'allowed' : authorize(c.req.raw, auth);
    if (verdict !== 'allowed') return refusal(verdict, auth, options.now());
    // A webhook carries its own signature.
    if (!HARMLESS.has(c.req.method) && path !== WEBHOOK_PATH && !isOriginAllowed(c.req.raw, auth)) {
      return failure(options, 403, 'foreign_origin', 'Pages of this origin may not change anything here');
    }
    return next();
  });

  const health = (c: Context) => {
    const reports = watch.reports();
    const states = reports.map(healthOf);
    const all = together(states);
    const code = all === 'unhealthy' ? 503 : 200;
    if (prefersText(c)) return c.text(code === 200 ? 'OK' : 'UNHEALTHY', code);
    const terse = { healthy: code === 200, status: all, timestamp: isoNow() };
    if (!isTrusted(c)) return c.json(terse, code);
    const checks = reports.map((report, i) => ({
      name: `process-${report.number}`,
      status: states[i] === 'healthy' ? 'pass' : states[i] === 'degraded' ? 'warn' : 'fail',
      message: states[i] === 'healthy' ? undefined : (report.reason ?? 'degraded'),
    }));
    const processes = reports.map(({ number, pid, health }) => ({ process: number, pid, ...health }));
    return c.json({ ...terse, uptime_seconds: uptime(), version: options.version, checks, processes }, code);
  };
  app.get('/health', secured, health);
  app.get('/healthz', secured, health);

  const ready = (c: Context) => {
    const reports = watch.reports();
    // One that takes calls is enough: the others are on their way.
    const isReady = !options.isDraining() && reports.some((report) => report.ready);
    const code = isReady ? 200 : 503;
    if (prefersText(c)) return c.text(isReady ? 'READY' : 'NOT READY', code);
    const services = [...new Set(reports.flatMap((report) => report.services))];
    const terse = { ready: isReady, services, timestamp: isoNow() };
    if (!isTrusted(c)) return c.json(terse, code);
    const activeJobs = sum(reports, (report) => report.activeJobs);
    const maxJobs = sum(reports, (report) => report.maxJobs);
    const reason = options.isDraining() ? 'draining' : reports.find((report) => report.reason !== undefined)?.reason;
    return c.json(
      {
        ...terse,
        active_jobs: activeJobs,
        max_jobs: maxJobs,
        load_percentage: maxJobs > 0 ? (100 * activeJobs) / maxJobs : null,
        reason: isReady ? undefined : reason,
        processes: reports.map((one) => ({ process: one.number, ready: one.ready, reason: one.reason })),
      },
      code,
    );
  };
  app.get('/health/ready', secured, ready);
  app.get('/ready', secured, ready);
  app.get('/readyz', secured, ready);
  const live = (c: Context) =>
    prefersText(c) ? c.text('ALIVE') : c.json({ alive: true, uptime_seconds: uptime(), timestamp: isoNow() });
  app.get('/health/live', secured, live);
  app.get('/livez', secured, live);

  app.get('/status', secured, (c) => {
    const reports = watch.reports();
    const activeJobs = sum(reports, (report) => report.activeJobs);
    const maxJobs = sum(reports, (report) => report.maxJobs);
    const metric = (name: string) => total(reports.map((report) => fieldOf(report, 'metrics', name)));
    const probes = total(reports.map((report) => fieldOf(report, 'availability', 'probes')));
    const successful = total(reports.map((report) => fieldOf(report, 'availability', 'successful')));
    const rated = (name: string) => reports.map((report) => fieldOf(report, 'ratings', name));
    const [means, counts] = [rated('overall'), rated('count')];
    const wish = reports.filter((report) => fieldOf(report, 'metrics', 'scale_up') === true).length;
    return c.json({
      ...options.status(),
      status: options.isDraining() ? 'draining' : 'running',
      metrics: {
        active_sessions: metric('active_sessions'),
        queue_size: metric('queue_size'),
        memory_bytes: metric('memory_bytes'),
        load: maxJobs > 0 ? Math.round((1000 * activeJobs) / maxJobs) / 1000 : null,
        scale_up: maxJobs > 0 && (activeJobs / maxJobs >= options.scaleUpAt || wish === reports.length),
      },
      health: { status: together(reports.map(healthOf)) },
      availability: { ratio: probes && successful !== null ? successful / probes : null, probes, successful },
      ratings: {
        overall: weighted(
          means.map((mean, i) => [mean, counts[i]]),
          2,
        ),
        count: total(counts),
      },
      started_at: new Date(options.startedAtMs).toISOString(),
      uptime_seconds: uptime(),
      request_count: requests,
      version: options.version,
      timestamp: isoNow(),
      processes: reports.map(({ number, state, pid, restarts, ready: isReady, reason, status }) => ({
        process: number,
        state,
        pid: pid ?? null,
        restarts,
        ready: isReady,
        reason,
        ...(status === undefined ? {} : { report: status }),
      })),
    });
  });

  const page = shareAnswers(async () => {
    const texts = await Promise.all(
      watch.reports().map(async ({ number }) => {
        const answer = await watch.ask(number, '/metrics', { headers: { accept: 'text/plain' } });
        return { process: String(number), text: answer?.ok === true ? await answer.text().catch(() => '') : '' };
      }),
    );
    return options.ownMetrics() + mergePrometheus(texts);
  }, options.now);
  const numbers = shareAnswers(async () => mergeJsonMetrics(await askAll('/metrics')), options.now);
  app.get('/metrics', secured, async (c) => {
    const supports = ['text/plain', 'application/openmetrics-text', 'application/json'];
    if (accepts(c, { header: 'Accept', supports, default: 'text/plain' }) === 'application/json') {
      return c.json(await numbers());
    }
    return c.body(await page(), 200, { 'content-type': PROMETHEUS_TYPE });
  });

  app.get('/sessions', secured, async (c) => {
    const lists = await Promise.all(watch.reports().map(async ({ number }) => sessionsOf(watch, number)));
    const all = lists.flat();
    const [limit, offset] = [wholeNumber(c.req.query('limit') ?? '100'), wholeNumber(c.req.query('offset') ?? '0')];
    if (limit === null || limit < 1 || limit > 1000 || offset === null) {
      return failure(options, 400, 'invalid_limit', 'Give "limit" from 1 to 1000 and "offset" from 0, whole numbers');
    }
    return c.json({ sessions: all.slice(offset, offset + limit), total: all.length, limit, offset });
  });
  app.get('/sessions/:id', secured, async (c) => {
    for (const { number } of watch.reports()) {
      const answer = await watch.ask(number, `/sessions/${encodeURIComponent(c.req.param('id'))}`);
      if (answer?.ok === true) return new Response(answer.body, { headers: { 'content-type': 'application/json' } });
    }
    return failure(options, 404, 'session_not_found', 'No session has this id, or it has ended');
  });

  // The process that has, or had, the session: the others do not know it.
  const { setTimer } = options;
  const chunked = readChunkedBodies({ maxBytes: MAX_BODY_BYTES, tooLarge, tooSlow, setTimer });
  const limited = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge });
  app.post(RATING_PATH, secured, chunked, limited, async (c) => {
    const given = await readJson(c, setTimer);
    if ('problem' in given && given.problem === 'slow') return tooSlow();
    // What is no JSON is refused by the process, in its words.
    const body = 'problem' in given ? '' : JSON.stringify(given.value);
    const path = new URL(c.req.url).pathname;
    let isMissing = false;
    for (const { number } of watch.reports()) {
      const answer = await watch.ask(number, path, { method: 'POST', body, headers: JSON_TYPE });
      if (answer === null) isMissing = true;
      else if (answer.status !== 404) return new Response(answer.body, { status: answer.status, headers: JSON_TYPE });
    }
    if (isMissing) return failure(options, 503, 'unavailable', 'Not every process answers now; try again soon');
    return failure(options, 404, 'session_not_found', 'No session has this id, or it ended too long ago');
  });
  const dashboards = shareAnswers(() => askAll('/dashboard'), options.now);
  app.get('/dashboard', secured, async (c) => {
    const parts = await dashboards();
    if (parts.length === 0) return failure(options, 503, 'unavailable', 'No process answers now; try again soon');
    return c.json(mergeDashboards(parts));
  });
  app.get('/tools', secured, async (c) => {
    const parts = await askAll('/tools');
    if (parts.length === 0) return failure(options, 503, 'unavailable', 'No process answers now; try again soon');
    return c.json(mergeTools(parts));
  });

  app.use('/api/alerts/*', secured, chunked, limited);
  options.alerts?.add(app);
  addProcessMonitor(app, options, secured);
  addProcessHistory(app, options, secured);
  app.all('/processes/:number/*', (c) => {
    const number = wholeNumber(c.req.param('number'));
    const url = new URL(c.req.url);
    const path = url.pathname.slice(`/processes/${c.req.param('number')}`.length) + url.search;
    return forward(c, number ?? 0, path);
  });
  // The same one each time: what it remembers (events that it has seen, for one) counts.
  app.all('*', (c) => {
    const url = new URL(c.req.url);
    const first = watch.reports().find(({ state }) => state === 'running');
    return forward(c, first?.number ?? 0, url.pathname + url.search);
  });
  app.onError(() => failure(options, 500, 'internal_error', 'The server failed at this request; its log says why'));
  return app;

  /** What each process answers that does. */
  async function askAll(path: string): Promise<Part[]> {
    const answers = await Promise.all(
      watch.reports().map(async ({ number }): Promise<Part | null> => {
        const answer = await watch.ask(number, path, { headers: { accept: 'application/json' } });
        const body: unknown = answer?.ok === true ? await answer.json().catch(() => null) : null;
        return typeof body === 'object' && body !== null ? { process: number, body: body as Part['body'] } : null;
      }),
    );
    return answers.filter((part) => part !== null);
  }

  function tooSlow(): Response {
    return failure(options, 408, 'body_too_slow', 'The body did not come in time');
  }
  function tooLarge(): Response {
    return failure(options, 413, 'body_too_large', `Send at most ${MAX_BODY_BYTES} bytes`);
  }

  async function forward(c: Context, number: number, path: string): Promise<Response> {
    const headers = new Headers(c.req.raw.headers);
    for (const name of HOP_HEADERS) headers.delete(name);
    // A webhook proves itself; everything else has passed our own door.
    if (c.req.path !== WEBHOOK_PATH) headers.delete('authorization');
    const { method, body } = c.req.raw;
    const init = { method, headers, body, redirect: 'manual', duplex: 'half' } as RequestInit;
    const answer = await watch.ask(number, path, { ...init, signal: limitOf(c) });
    if (answer === null) return failure(options, 503, 'unavailable', 'No process answers now; try again soon');
    const back = new Headers(answer.headers);
    for (const name of ['connection', 'transfer-encoding', 'content-length', 'content-encoding', 'date'])
      back.delete(name);
    return new Response(answer.body, { status: answer.status, headers: back });
  }

  /** Streams of events are cut by their client, everything else by time. */
  function limitOf(c: Context): AbortSignal {
    const isStream = c.req.header('accept')?.includes('text/event-stream') === true;
    return isStream ? c.req.raw.signal : AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(FORWARD_MS)]);
  }

  function uptime(): number {
    return Math.floor((options.now() - options.startedAtMs) / 1000);
  }
  function isoNow(): string {
    return new Date(options.now()).toISOString();
  }
}

function healthOf({ state, health }: ProcessReport): 'healthy' | 'degraded' | 'unhealthy' {
  if (state !== 'running' || health === undefined) return 'unhealthy';
  return health.status === 'healthy' || health.status === 'degraded' ? health.status : 'unhealthy';
}

async function sessionsOf(watch: ProcessWatch, number: number): Promise<unknown[]> {
  const answer = await watch.ask(number, '/sessions?limit=1000');
  const body = answer?.ok === true ? ((await answer.json().catch(() => null)) as { sessions?: unknown } | null) : null;
  if (!Array.isArray(body?.sessions)) return [];
  return body.sessions.map((session: object) => ({ ...session, process: number }));
}

function fieldOf({ status }: ProcessReport, group: string, name: string): unknown {
  const fields = status?.[group];
  return typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>)[name] : undefined;
}

function together(states: readonly ReturnType<typeof healthOf>[]): ReturnType<typeof healthOf> {
  if (states.every((state) => state === 'unhealthy')) return 'unhealthy';
  return states.every((state) => state === 'healthy') ? 'healthy' : 'degraded';
}

function sum(reports: readonly ProcessReport[], read: (report: ProcessReport) => number): number {
  return reports.reduce((all, report) => all + read(report), 0);
}

function wholeNumber(text: string): number | null {
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}
