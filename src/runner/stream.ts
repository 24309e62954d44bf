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

/** All items; rejects with `timeout` when one takes longer than `idleMs`. */
export async function* readAll<T>(
  stream: OpenStream<T>,
  source: string,
  clock: Clock,
  idleMs: number,
): AsyncGenerator<T, void> {
  yield stream.first;
  for (;;) {
    const item = await within(stream.rest.next(), source, clock, idleMs);
    if (item.done === true) return;
    yield item.value;
  }
}

function within<T>(promise: Promise<T>, source: string, clock: Clock, limitMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(
      () => reject(new ModelError('timeout', source, `Went silent for ${limitMs} ms in the middle of an answer`)),
      limitMs,
    );
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error) => {
        cancel();
        reject(error);
      },
    );
  });
}
