// Reads the body of an answer piece by piece, and leaves its connection fit for the next request where it can.
import type { OpenRequest } from './client.ts';

/** A body that has said its last word may take this long to end before its connection is given up. */
const DRAIN_MS = 1000;

export interface BodyReader {
  /** The next bytes, undefined at the end. Throws when the request was aborted or timed out, or the connection broke. */
  read(): Promise<Uint8Array | undefined>;
  /** Stops reading. `drain`: nothing of interest follows, but a body that is cut off costs the connection, so its end is awaited
   *  in the background: servers send the end of a chunked body a moment after the last event. */
  close(how: 'drain' | 'cancel'): void;
}

export function readBody(response: Response, request: OpenRequest): BodyReader {
  const reader = response.body?.getReader();
  let ended = reader === undefined;
  const cancel = (): void => {
    if (ended) return;
    ended = true;
    reader?.cancel().catch(() => {});
  };
  // A `fetch` in this process may know nothing of the signal once it has answered.
  request.signal.addEventListener('abort', cancel, { once: true });
  request.arrived();
  return {
    async read() {
      if (!reader) return undefined;
      request.waiting();
      const piece = await reader.read();
      request.check();
      request.arrived();
      if (!piece.done) return piece.value;
      ended = true;
      return undefined;
    },
    close(how) {
      request.signal.removeEventListener('abort', cancel);
      if (ended || how === 'cancel' || !reader) return cancel();
      const stop = setTimeout(cancel, DRAIN_MS);
      const drain = async (): Promise<void> => {
        while (!(await reader.read()).done);
        ended = true;
      };
      drain()
        .catch(() => {})
        .finally(() => clearTimeout(stop));
    },
  };
}
