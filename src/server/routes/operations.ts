// What operators look at: status, metrics, sessions and tools.
import type { Hono } from 'hono';
import { accepts } from 'hono/accepts';
import { failure, isoTime, uptimeSeconds } from '../answers.ts';
import type { ServerOptions } from '../options.ts';

const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const OPENMETRICS_OR_TEXT = ['text/plain', 'application/openmetrics-text', 'application/json'];

export function addOperations(app: Hono, options: ServerOptions): void {
  app.get('/status', (c) =>
    c.json({
      ...options.status(),
      health: options.health(),
      started_at: new Date(options.startedAtMs).toISOString(),
      uptime_seconds: uptimeSeconds(options),
      request_count: options.requests.total(),
      version: options.version,
      timestamp: isoTime(options),
    }),
  );

  app.get('/metrics', (c) => {
    const wanted = accepts(c, { header: 'Accept', supports: OPENMETRICS_OR_TEXT, default: 'text/plain' });
    if (wanted === 'application/json' && options.metricsJson) return c.json(options.metricsJson());
    return c.body(options.metricsText(), 200, { 'content-type': PROMETHEUS_TYPE });
  });

  app.get('/sessions', (c) => {
    const limit = wholeNumber(c.req.query('limit') ?? '100');
    const offset = wholeNumber(c.req.query('offset') ?? '0');
    if (limit === null || limit < 1 || limit > 1000) {
      return failure(options, 400, 'invalid_limit', 'Give "limit" as a whole number from 1 to 1000');
    }
    if (offset === null) return failure(options, 400, 'invalid_offset', 'Give "offset" as a whole number from 0');
    const all = options.sessions.list();
    return c.json({ sessions: all.slice(offset, offset + limit), total: all.length, limit, offset });
  });

  app.get('/sessions/:id', (c) => {
    const session = options.sessions.get(c.req.param('id'));
    if (session) return c.json(session);
    return failure(options, 404, 'session_not_found', 'No session has this id, or it has ended');
  });

  const { dashboard } = options;
  if (dashboard) app.get('/dashboard', (c) => c.json(dashboard()));

  app.get('/tools', (c) => {
    const tools = options.tools();
    return c.json({ tools, total: tools.length });
  });
}

function wholeNumber(text: string): number | null {
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}
