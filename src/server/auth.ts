// Who may see what: bearer token, loopback, and the origin of WebSockets.
import type { AuthOptions } from './options.ts';

export type Verdict = 'allowed' | 'no-token' | 'wrong-token' | 'not-configured' | 'foreign-host';

/** Whether a request may pass. `queryToken` also takes `?access_token=`, which browsers need for WebSockets. */
export function authorize(request: Request, auth: AuthOptions, queryToken = false): Verdict {
  if (auth.token === undefined || auth.token === '') {
    if (!auth.loopback) return 'not-configured';
    // A page of any site can make its own name point to 127.0.0.1 and read what it finds there (DNS rebinding).
    return isKnownHost(hostOf(request), auth.hostnames ?? []) ? 'allowed' : 'foreign-host';
  }
  const given = givenToken(request, queryToken);
  if (given === null) return 'no-token';
  return equalInConstantTime(given, auth.token) ? 'allowed' : 'wrong-token';
}

/** True for clients that are no browser (no Origin), pages of this server, and listed origins. */
export function isOriginAllowed(request: Request, auth: AuthOptions): boolean {
  const origin = request.headers.get('origin');
  if (origin === null) return true;
  if (auth.origins?.includes(origin)) return true;
  // `null` (sandboxed frames, files) and whatever is no URL is foreign.
  if (!URL.canParse(origin)) return false;
  return new URL(origin).host === hostOf(request);
}

/** What the client is told, and the header that says which token is wanted. */
export function refusal(verdict: Exclude<Verdict, 'allowed'>, auth: AuthOptions, nowMs: number): Response {
  const message = {
    'no-token': 'Send the header "Authorization: Bearer <token>" (sockets may use ?access_token=<token>)',
    'wrong-token': 'The token is not the one that this server was given',
    'not-configured':
      auth.hint ?? 'This server is reachable from outside and has no token: configure one, or bind it to 127.0.0.1',
    'foreign-host': 'This server answers to localhost and to addresses only: configure a token, or allow the host name',
  }[verdict];
  const isForbidden = verdict === 'foreign-host';
  const body = {
    error: isForbidden ? 'forbidden' : 'unauthorized',
    message,
    timestamp: new Date(nowMs).toISOString(),
  };
  const response = Response.json(body, { status: isForbidden ? 403 : 401 });
  if (!isForbidden) {
    const detail = verdict === 'wrong-token' ? ', error="invalid_token"' : '';
    response.headers.set('www-authenticate', `Bearer realm="syrinx"${detail}`);
  }
  return response;
}

function givenToken(request: Request, queryToken: boolean): string | null {
  const header = /^bearer +(\S+) *$/i.exec(request.headers.get('authorization') ?? '');
  if (header?.[1]) return header[1];
  return queryToken ? new URL(request.url).searchParams.get('access_token') : null;
}

/** Takes the same time wherever the two differ; only the length of the expected one shows. */
export function equalInConstantTime(given: string, expected: string): boolean {
  const encoder = new TextEncoder();
  const a = encoder.encode(given);
  const b = encoder.encode(expected);
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

function hostOf(request: Request): string {
  return request.headers.get('host') ?? new URL(request.url).host;
}

function isKnownHost(host: string, allowed: readonly string[]): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  // An address cannot be made to point elsewhere.
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name) || /^\[[0-9a-f:.]+\]$/.test(name)) return true;
  return allowed.some((entry) => entry.toLowerCase() === name);
}
