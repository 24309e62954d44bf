// The real-time monitor over HTTP: all sessions in one look, one session in full, and both as a stream of events.
import type { Hono } from 'hono';
import {
  alertView,
  detailsView,
  healthView,
  iso,
  type MonitorDesk,
  type MonitorInstruments,
  overview,
  reportView,
  snapshotView,
} from '../../ops/monitor/index.ts';
import { failure } from '../answers.ts';
import { EventStreams, type ServerEvent } from '../event-streams.ts';
import type { RouteExtension } from '../options.ts';

export interface MonitorApi {
  /** Epoch time, ms. */
  now(): number;
  readonly desk: MonitorDesk;
  readonly instruments: Pick<MonitorInstruments, 'readers' | 'readerDropped'>;
}

const READ = 'GET, HEAD, OPTIONS';
const MAX_READERS = 32;
/** Besides what the system's own buffers hold: two seconds of a hundred sessions. */
const MAX_WAITING_BYTES = 128 * 1024;

export function monitorRoutes({ now, desk, instruments }: MonitorApi): RouteExtension {
  /** Keys are ids of sessions; undefined: all of them. */
  const streams = new EventStreams<string | undefined>({
    maxReaders: MAX_READERS,
    maxWaitingBytes: MAX_WAITING_BYTES,
    readers: instruments.readers,
    dropped: instruments.readerDropped,
  });
  /** For the readers of all sessions, until the next turn: what happens to many sessions at once must not look like a slow reader. */
  const waiting: ServerEvent[] = [];
  let unlisten = () => {};
  let isClosing = false;

  function listen(): void {
    unlisten = desk.listen((event) => {
      switch (event.type) {
        case 'turn':
          return turn(event.atMs);
        case 'alert':
          return tell('alert', event.alert.sessionId, alertView(event.alert), true);
        case 'health': {
          const { sessionId: id, atMs, health } = event;
          return tell('health', id, { session_id: id, timestamp: iso(atMs), ...healthView(health) });
        }
        case 'minute': {
          const { sessionId: id } = event;
          const monitor = streams.has(id) ? desk.of(id) : undefined;
          if (monitor !== undefined) tell('report', id, reportView(monitor.minute()));
          return;
        }
        case 'ended': {
          const { sessionId: id } = event;
          tell('ended', id, { session_id: id }, true);
          // Nothing more comes of a session that has ended.
          streams.end((key) => key === id);
        }
      }
    });
  }

  /** Readers of all sessions are spared health, which they read in the lines of all, and reports. */
  function tell(event: string, id: string, data: unknown, isForAll = false): void {
    streams.send([{ event, data }], (key) => key === id);
    if (isForAll && streams.has(undefined)) waiting.push({ event, data });
  }

  function turn(atMs: number): void {
    for (const key of streams.keys()) {
      if (key === undefined) {
        streams.send([...waiting.splice(0), { event: 'metrics', data: overview(desk, atMs) }], (one) => one === key);
        continue;
      }
      const snapshot = desk.of(key)?.snapshot();
      if (snapshot) streams.send([{ event: 'metrics', data: snapshotView(snapshot) }], (one) => one === key);
    }
  }

  function add(app: Hono): void {
    app.get('/monitor', (c) => c.json(overview(desk, now())));
    app.get('/monitor/stream', (c) => {
      const session = c.req.query('session');
      if (session !== undefined && desk.of(session) === undefined) return missing();
      if (isClosing) return failure({ now }, 503, 'stopping', 'The server is stopping');
      if (streams.isFull) return failure({ now }, 503, 'busy', `${MAX_READERS} readers are here already`);
      if (c.req.raw.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' });
      if (streams.size === 0) listen();
      return streams.open(session, () => {
        if (streams.size > 0) return;
        unlisten();
        waiting.length = 0;
      });
    });
    app.get('/monitor/:id', (c) => {
      const monitor = desk.of(c.req.param('id'));
      return monitor === undefined ? missing() : c.json(detailsView(monitor));
    });
  }

  function missing(): Response {
    return failure({ now }, 404, 'session_not_found', 'No session has this id, or it has ended');
  }

  return {
    routes: { '/monitor': READ, '/monitor/stream': READ, '/monitor/:id': READ },
    add,
    close() {
      isClosing = true;
      streams.end(() => true);
    },
  };
}
