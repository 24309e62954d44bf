// Health probes: open everywhere, terse for strangers, with the specification's fields and the contract's as a superset.
import type { Context, Hono } from 'hono';
import { accepts } from 'hono/accepts';
import type { ServerOptions } from '../options.ts';
import { isoTime, uptimeSeconds } from '../answers.ts';

/** The specification's, the contract's alias of readiness, and the names that Kubernetes itself uses. */
export const PROBE_PATHS = [
  '/health',
  '/health/ready',
  '/health/live',
  '/ready',
  '/healthz',
  '/readyz',
  '/livez',
] as const;

/** `isTrusted` says whether this client may see more than the terse answer. */
export function addProbes(app: Hono, options: ServerOptions, isTrusted: (request: Request) => boolean): void {
  const health = (c: Context) => {
    const report = options.health();
    // Degraded still serves: only unhealthy is an error for a probe.
    const code = report.status === 'unhealthy' ? 503 : 200;
    if (prefersText(c)) return c.text(code === 200 ? 'OK' : 'UNHEALTHY', code);
    const terse = { healthy: code === 200, status: report.status, timestamp: isoTime(options) };
    if (!isTrusted(c.req.raw)) return c.json(terse, code);
    const { checks, system, livekit, services } = report;
    return c.json(
      { ...terse, uptime_seconds: uptimeSeconds(options), version: options.version, checks, system, services, livekit },
      code,
    );
  };
  app.get('/health', health);
  app.get('/healthz', health);

  const ready = (c: Context) => {
    const report = options.ready();
    const code = report.ready ? 200 : 503;
    if (prefersText(c)) return c.text(report.ready ? 'READY' : 'NOT READY', code);
    const terse = { ready: report.ready, services: report.services, timestamp: isoTime(options) };
    if (!isTrusted(c.req.raw)) return c.json(terse, code);
    return c.json(
      {
        ...terse,
        active_jobs: report.activeJobs,
        max_jobs: report.maxJobs,
        load_percentage: report.maxJobs > 0 ? (100 * report.activeJobs) / report.maxJobs : null,
        reason: report.reason,
      },
      code,
    );
  };
  app.get('/health/ready', ready);
  app.get('/ready', ready);
  app.get('/readyz', ready);

  // Liveness looks at nothing but this process: it is alive if it can answer.
  const live = (c: Context) => {
    if (prefersText(c)) return c.text('ALIVE');
    return c.json({ alive: true, uptime_seconds: uptimeSeconds(options), timestamp: isoTime(options) });
  };
  app.get('/health/live', live);
  app.get('/livez', live);
}

export function prefersText(c: Context): boolean {
  const supports = ['application/json', 'text/plain'];
  return accepts(c, { header: 'Accept', supports, default: 'application/json' }) === 'text/plain';
}
