// The HTTP application: probes and operator routes behind one door that checks tokens, bounds bodies and counts requests.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import { failure } from './answers.ts';
import { authorize, refusal } from './auth.ts';
import type { ServerOptions } from './options.ts';
import { addLiveKitToken, addLiveKitWebhook, TOKEN_PATH, WEBHOOK_PATH } from './routes/livekit.ts';
import { addOperations } from './routes/operations.ts';
import { addProbes } from './routes/probes.ts';

/** Paths that Kubernetes and load balancers ask, open to everyone. */
const PROBES = new Set(['/health', '/health/ready', '/health/live', '/ready']);
/** All routes; what is not in here counts as `other`. */
const ROUTES = [...PROBES, '/status', '/metrics', '/sessions', '/sessions/:id', '/tools'];
/** Routes that change something: only where LiveKit is configured. */
const LIVEKIT_ROUTES = [TOKEN_PATH, WEBHOOK_PATH];
const METHODS = 'GET, HEAD, OPTIONS';
const POST_METHODS = 'POST, OPTIONS';
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
  // Carries its own signature, which is over the bytes as they came.
  if (options.livekit) addLiveKitWebhook(app, options.livekit.webhook);
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
  if (options.livekit) addLiveKitToken(app, options.livekit.token);

  // Comes after the routes: a known path asked with another method.
  const posted = options.livekit ? LIVEKIT_ROUTES : [];
  for (const route of [...ROUTES, ...posted]) {
    const methods = posted.includes(route) ? POST_METHODS : METHODS;
    app.options(route, () => new Response(null, { status: 204, headers: { allow: methods } }));
    app.all(route, () => {
      const response = failure(options, 405, 'method_not_allowed', `This path takes ${methods}`);
      response.headers.set('allow', methods);
      return response;
    });
  }
  const endpoints = [...ROUTES, ...posted].map((route) => route.replace(':id', '{id}'));
  app.notFound(() => failure(options, 404, 'not_found', 'No such path', { available_endpoints: endpoints }));
  app.onError((error) => {
    options.onError?.(error);
    return failure(options, 500, 'internal_error', 'The server failed at this request; its log says why');
  });
  return app;
}

function routeOf(path: string): string {
  if (path.startsWith('/sessions/') && path.indexOf('/', 10) < 0 && path.length > 10) return '/sessions/:id';
  return ROUTES.includes(path) || LIVEKIT_ROUTES.includes(path) ? path : 'other';
}
