// The HTTP application: probes and operator routes behind one door that checks tokens, bounds bodies and counts requests.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { failure } from './answers.ts';
import { authorize, isOriginAllowed, refusal } from './auth.ts';
import { readChunkedBodies } from './bodies.ts';
import type { RequestRecorder, ServerOptions } from './options.ts';
import { addLiveKitToken, addLiveKitWebhook, TOKEN_PATH, WEBHOOK_PATH } from './routes/livekit.ts';
import { addOperations } from './routes/operations.ts';
import { addProbes, PROBE_PATHS } from './routes/probes.ts';
import { addRatings, RATING_PATH } from './routes/ratings.ts';
import { securityHeaders } from './security-headers.ts';

/** Paths that Kubernetes and load balancers ask, open to everyone. */
const PROBES: ReadonlySet<string> = new Set(PROBE_PATHS);
/** Routes that everybody has; what is in no list counts as `other`. */
const ROUTES = [...PROBES, '/status', '/metrics', '/sessions', '/sessions/:id', '/tools'];
/** Routes that change something: only where LiveKit is configured. */
const LIVEKIT_ROUTES = [TOKEN_PATH, WEBHOOK_PATH];
const METHODS = 'GET, HEAD, OPTIONS';
const POST_METHODS = 'POST, OPTIONS';
/** Requests that may change nothing, wherever the page came from that sends them. */
const HARMLESS = new Set(['GET', 'HEAD', 'OPTIONS']);
const MAX_BODY_BYTES = 64 * 1024;

/** Makes the app; `app.fetch` is what a host serves and `app.request` what a test calls. */
export function createApp(options: ServerOptions): Hono {
  const app = new Hono();
  const { auth, requests } = options;
  const isOpen = (path: string) => PROBES.has(path) || (path === '/metrics' && auth.openMetrics === true);

  const patterns = routesOf(options);
  const routeOf = matcher([...patterns.keys()]);

  app.use(async (c, next) => {
    requests.began?.();
    try {
      await next();
    } finally {
      requests.ended?.();
    }
    c.res.headers.set('cache-control', 'no-store');
    requests.record(c.req.method, routeOf(c.req.path), c.res.status);
  });
  app.use(securityHeaders());
  // Carries its own signature, which is over the bytes as they came.
  if (options.livekit) addLiveKitWebhook(app, options.livekit.webhook);
  app.use(async (c, next) => {
    if (!isOpen(c.req.path)) {
      const verdict = authorize(c.req.raw, auth);
      if (verdict !== 'allowed') return refusal(verdict, auth, options.now());
    }
    if (!HARMLESS.has(c.req.method) && !isOriginAllowed(c.req.raw, auth)) {
      return failure(options, 403, 'foreign_origin', 'Pages of this origin may not change anything here');
    }
    return next();
  });
  const tooLarge = () => failure(options, 413, 'body_too_large', `Send at most ${MAX_BODY_BYTES} bytes`);
  const tooSlow = () => failure(options, 408, 'body_too_slow', 'The body did not come in time');
  app.use(readChunkedBodies({ maxBytes: MAX_BODY_BYTES, tooLarge, tooSlow }));
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }));

  addProbes(app, options, (request) => authorize(request, auth) === 'allowed');
  addOperations(app, options);
  if (options.rate) addRatings(app, { now: options.now, rate: options.rate });
  if (options.livekit) addLiveKitToken(app, options.livekit.token);
  for (const extension of options.extensions ?? []) extension.add(app);

  // Comes after the routes: a known path asked with another method.
  for (const [route, methods] of patterns) {
    app.options(route, () => new Response(null, { status: 204, headers: { allow: methods } }));
    app.all(route, () => {
      const response = failure(options, 405, 'method_not_allowed', `This path takes ${methods}`);
      response.headers.set('allow', methods);
      return response;
    });
  }
  const endpoints = [...patterns.keys()].map((route) => route.replaceAll(/:(\w+)/g, '{$1}'));
  app.notFound(() => failure(options, 404, 'not_found', 'No such path', { available_endpoints: endpoints }));
  app.onError((error) => {
    options.onError?.(error);
    return failure(options, 500, 'internal_error', 'The server failed at this request; its log says why');
  });
  return app;
}

/** What this server answers: the pattern of each route with the methods it takes. */
function routesOf(options: ServerOptions): ReadonlyMap<string, string> {
  const routes = new Map(ROUTES.map((route) => [route, METHODS]));
  if (options.dashboard) routes.set('/dashboard', METHODS);
  if (options.rate) routes.set(RATING_PATH, POST_METHODS);
  if (options.livekit) for (const route of LIVEKIT_ROUTES) routes.set(route, POST_METHODS);
  for (const extension of options.extensions ?? []) {
    for (const [route, methods] of Object.entries(extension.routes)) routes.set(route, methods);
  }
  return routes;
}

/** Finds the pattern of a path; the labels of the requests' counter are these patterns and `other`. */
function matcher(patterns: readonly string[]): (path: string) => string {
  const plain = new Set(patterns.filter((pattern) => !pattern.includes(':')));
  const others = patterns
    .filter((pattern) => pattern.includes(':'))
    .map((pattern) => ({ pattern, matches: new RegExp(`^${pattern.replaceAll(/:\w+/g, '[^/]+')}$`) }));
  return (path) => (plain.has(path) ? path : (others.find(({ matches }) => matches.test(path))?.pattern ?? 'other'));
}

/** Counts what is being answered, beside what was. */
export function countOpenRequests(requests: RequestRecorder): RequestRecorder & { readonly open: number } {
  let open = 0;
  return {
    record: (method, route, status) => requests.record(method, route, status),
    total: () => requests.total(),
    began: () => void open++,
    ended: () => void open--,
    get open() {
      return open;
    },
  };
}
