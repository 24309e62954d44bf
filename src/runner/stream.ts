// Reads a model's stream with a time limit for every item.
import { ModelError } from '../models/port.ts';
import type { Clock } from './clock.ts';

/** A stream of which the first item has come. */
export interface OpenStream<T> {
  readonly first: T;
  readonly rest: AsyncIterator<T>;
}

/** Waits for the first item; an empty stream is a `protocol` error. */
export async function openStream<T>(stream: AsyncIterable<T>, source: string): Promise<OpenStream<T>> {
  const rest = stream[Symbol.asyncIterator]();
  const head = await rest.next();
  if (head.done === true) throw new ModelError('protocol', source, 'Ended without an answer');
  return { first: head.value, rest };
}

/** Gives a stream back that is not read to its end. */
export function closeStream(stream: OpenStream<unknown>): void {
  // A stream that waits for its model answers only when that does: nobody waits for it.
  stream.rest.return?.()?.then(undefined, () => {});
}

export interface ReadOptions {
  /** Named in errors. */
  readonly source: string;
  readonly clock: Clock;
  /** Limit for one item, in ms. */
  readonly idleMs: number;
  /** Ends the reading at once, also of a stream that does not heed its own signal. */
  readonly signal: AbortSignal;
}

/** All items; rejects with `timeout` when one takes too long and with `aborted` when nobody wants more. The stream is closed in any case. */
export async function* readAll<T>(stream: OpenStream<T>, options: ReadOptions): AsyncGenerator<T, void> {
  let ended = false;
  try {
    yield stream.first;
    for (;;) {
      const item = await within(stream.rest.next(), options);
      if (item.done === true) {
        ended = true;
        return;
      }
      yield item.value;
    }
  } finally {
    if (!ended) closeStream(stream);
  }
}

function within<T>(promise: Promise<T>, { source, clock, idleMs, signal }: ReadOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => settle(() => reject(new ModelError('aborted', source, 'Answer was given up')));
    const cancel = clock.setTimer(() => {
      settle(() =>
        reject(new ModelError('timeout', source, `Went silent for ${idleMs} ms in the middle of an answer`)),
      );
    }, idleMs);
    const settle = (done: () => void) => {
      cancel();
      signal.removeEventListener('abort', aborted);
      done();
    };
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted);
    promise.then(
      (value) => settle(() => resolve(value)),
      (error) => settle(() => reject(error)),
    );
  });
}
