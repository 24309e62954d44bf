// Reads JSON bodies within bounds of size and time: who sends slowly must not hold a request open for ever.
import type { Context, MiddlewareHandler } from 'hono';

/** Longest wait for a body in ms. */
export const BODY_MS = 5000;

export type Body = { readonly value: unknown } | { readonly problem: 'slow' | 'not-json' };

/** The size is bounded before, at the door. `setTimer` stands in for the host's (tests on virtual time). */
export async function readJson(
  c: Context,
  setTimer: (run: () => void, ms: number) => () => void = hostTimer,
): Promise<Body> {
  let cancel = () => {};
  const slow = new Promise<Body>((resolve) => {
    cancel = setTimer(() => resolve({ problem: 'slow' }), BODY_MS);
  });
  const read = c.req.json<unknown>().then(
    (value): Body => ({ value }),
    (): Body => ({ problem: 'not-json' }),
  );
  const body = await Promise.race([read, slow]);
  cancel();
  return body;
}

function hostTimer(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

export interface ChunkedBodyOptions {
  readonly maxBytes: number;
  readonly tooLarge: () => Response;
  readonly tooSlow: () => Response;
  readonly setTimer?: ((run: () => void, ms: number) => () => void) | undefined;
}

/** Reads bodies that do not say their length, within bounds of size and time, before anybody waits for their end. */
export function readChunkedBodies({ maxBytes, tooLarge, tooSlow, setTimer }: ChunkedBodyOptions): MiddlewareHandler {
  return async (c, next) => {
    const { body, headers } = c.req.raw;
    if (body === null || headers.has('content-length')) return next();
    const read = await bytesOf(body, maxBytes, setTimer ?? hostTimer);
    if (read === 'slow') return tooSlow();
    if (read === 'large') return tooLarge();
    c.req.raw = new Request(c.req.raw, { method: c.req.method, body: read });
    return next();
  };
}

async function bytesOf(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  setTimer: (run: () => void, ms: number) => () => void,
): Promise<Uint8Array<ArrayBuffer> | 'slow' | 'large'> {
  const reader = body.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  let cancel = () => {};
  const slow = new Promise<'slow'>((resolve) => {
    cancel = setTimer(() => resolve('slow'), BODY_MS);
  });
  const whole = async (): Promise<'large' | 'whole'> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 'whole';
      size += value.length;
      if (size > maxBytes) return 'large';
      parts.push(value);
    }
  };
  const verdict = await Promise.race([whole(), slow]);
  cancel();
  if (verdict !== 'whole') {
    void reader.cancel().catch(() => {});
    return verdict;
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
