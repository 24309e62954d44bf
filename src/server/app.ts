// The HTTP application: probes and operator routes behind one door that checks tokens, bounds bodies and counts requests.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import { failure } from './answers.ts';
import { authorize, refusal } from './auth.ts';
import type { ServerOptions } from './options.ts';
import { addOperations } from './routes/operations.ts';
import { addProbes } from './routes/probes.ts';

/** Paths that Kubernetes and load balancers ask, open to everyone. */
const PROBES = new Set(['/health', '/health/ready', '/health/live', '/ready']);
/** All routes; what is not in here counts as `other`. */
const ROUTES = [...PROBES, '/status', '/metrics', '/sessions', '/sessions/:id', '/tools'];
const METHODS = 'GET, HEAD, OPTIONS';
const MAX_BODY_BYTES = 64 * 1024;

/** Makes the app; `app.fetch` is what a host serves and `app.request` what a test calls. */
export function createApp(options: ServerOptions): Hono {
  const app = new Hono();
  const { auth, requests } = options;
  const isOpen = (path: string) => PROBES.has(path) || (path === '/metrics' && auth.openMetrics === true);

  app.use(async (c, next) => {
    await next();
    c.res.headers.set('cache-control', 'no-store');
    requests.record(c.req.method, routeOf(c.req.path), c.res.status);
  });
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      // Whether this name is always served over TLS is for the proxy in front to say.
      strictTransportSecurity: false,
    }),
  );
  app.use(async (c, next) => {
    if (!isOpen(c.req.path)) {
      const verdict = authorize(c.req.raw, auth);
      if (verdict !== 'allowed') return refusal(verdict, auth, options.now());
    }
    return next();
  });
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => failure(options, 413, 'body_too_large', `Send at most ${MAX_BODY_BYTES} bytes`),
    }),
  );

  addProbes(app, options, (request) => authorize(request, auth) === 'allowed');
  addOperations(app, options);

  // Comes after the routes: a known path asked with another method.
  for (const route of ROUTES) {
    app.options(route, () => new Response(null, { status: 204, headers: { allow: METHODS } }));
    app.all(route, () => {
      const response = failure(options, 405, 'method_not_allowed', `This path takes ${METHODS}`);
      response.headers.set('allow', METHODS);
      return response;
    });
  }
  app.notFound(() => failure(options, 404, 'not_found', 'No such path', { available_endpoints: endpoints() }));
  app.onError((error) => {
    options.onError?.(error);
    return failure(options, 500, 'internal_error', 'The server failed at this request; its log says why');
  });
  return app;
}

function routeOf(path: string): string {
  if (path.startsWith('/sessions/') && path.indexOf('/', 10) < 0 && path.length > 10) return '/sessions/:id';
  return ROUTES.includes(path) ? path : 'other';
}

function endpoints(): string[] {
  return ROUTES.map((route) => route.replace(':id', '{id}'));
}
