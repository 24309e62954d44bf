// The headers that tell browsers what answers may do: nothing, unless a page brings a policy of its own.
import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

const POLICY = 'content-security-policy';

export function securityHeaders(): MiddlewareHandler {
  const secured = secureHeaders({
    contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    // Whether this name is always served over TLS is for the proxy in front to say.
    strictTransportSecurity: false,
  });
  return async (c, next) => {
    let own: string | null = null;
    await secured(c, async () => {
      await next();
      own = c.res.headers.get(POLICY);
    });
    if (own !== null) c.res.headers.set(POLICY, own);
  };
}
