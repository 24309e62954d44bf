// The real-time monitor of several processes: their sessions as one list, and one session wherever it runs.
import type { Hono, MiddlewareHandler } from 'hono';
import { failure } from '../../server/answers.ts';
import type { ProcessWatch } from './watch.ts';

interface MonitorBody {
  readonly system?: Readonly<Record<string, unknown>>;
  readonly sessions?: readonly Readonly<Record<string, unknown>>[];
}
export interface ProcessMonitorOptions {
  readonly watch: Pick<ProcessWatch, 'reports' | 'ask'>;
  /** Epoch time, ms. */
  now(): number;
}

export function addProcessMonitor(app: Hono, options: ProcessMonitorOptions, secured: MiddlewareHandler): void {
  const { watch } = options;

  app.get('/monitor', secured, async (c) => {
    const parts = await Promise.all(
      watch.reports().map(async ({ number }) => {
        const answer = await watch.ask(number, '/monitor');
        const body = answer?.ok === true ? ((await answer.json().catch(() => null)) as MonitorBody | null) : null;
        return body === null ? null : { number, body };
      }),
    );
    const known = parts.filter((part) => part !== null);
    if (known.length === 0) return failure(options, 503, 'unavailable', 'No process watches calls now');
    return c.json({
      timestamp: new Date(options.now()).toISOString(),
      processes: known.map(({ number, body }) => ({ process: number, system: body.system })),
      sessions: known.flatMap(({ number, body }) =>
        (body.sessions ?? []).map((session) => ({ ...session, process: number })),
      ),
    });
  });
  app.get('/monitor/stream', secured, (c) => {
    const session = c.req.query('session');
    const path = `/monitor/stream?session=${encodeURIComponent(session ?? '')}`;
    // It lasts as long as its reader.
    if (session !== undefined) return ofSession(path, { signal: c.req.raw.signal });
    const message = 'Each process has a stream of its own: /processes/{number}/monitor/stream; or give "session"';
    return failure(options, 400, 'no_common_stream', message);
  });
  app.get('/monitor/:id', secured, (c) => ofSession(`/monitor/${encodeURIComponent(c.req.param('id'))}`));

  /** The first process that knows the session answers. */
  async function ofSession(path: string, init: RequestInit = {}): Promise<Response> {
    for (const { number } of watch.reports()) {
      const answer = await watch.ask(number, path, init);
      if (answer?.ok !== true) {
        await answer?.body?.cancel();
        continue;
      }
      const type = answer.headers.get('content-type') ?? 'application/json';
      return new Response(answer.body, { headers: { 'content-type': type } });
    }
    return failure(options, 404, 'session_not_found', 'No session has this id, or it has ended');
  }
}
