// Reads JSON bodies within bounds of size and time: who sends slowly must not hold a request open for ever.
import type { Context } from 'hono';

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
