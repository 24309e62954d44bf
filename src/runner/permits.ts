// How many requests to models may run at one time, over all calls; the rest wait in the order in which they came.
import { ModelError } from '../models/port.ts';

export interface Permits {
  /** Resolves with how to give the permit back (once; more does nothing). Rejects with a `ModelError` when `signal` aborts first. */
  take(signal: AbortSignal): Promise<() => void>;
  /** Requests that wait. */
  readonly waiting: number;
}

/** `limit` undefined: nobody waits. */
export function createPermits(limit?: number | undefined): Permits {
  const queue: (() => void)[] = [];
  let free = limit ?? Number.POSITIVE_INFINITY;

  function give(): () => void {
    free--;
    let given = true;
    return () => {
      if (!given) return;
      given = false;
      free++;
      queue.shift()?.();
    };
  }

  return {
    take(signal) {
      if (signal.aborted) return Promise.reject(givenUp());
      if (free > 0) return Promise.resolve(give());
      return new Promise((resolve, reject) => {
        const enter = () => {
          signal.removeEventListener('abort', leave);
          resolve(give());
        };
        const leave = () => {
          queue.splice(queue.indexOf(enter), 1);
          reject(givenUp());
        };
        signal.addEventListener('abort', leave, { once: true });
        queue.push(enter);
      });
    },
    get waiting() {
      return queue.length;
    },
  };
}

function givenUp(): ModelError {
  return new ModelError('aborted', 'runner', 'Request was given up while it waited for its turn');
}
