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
  const watch = new Watch(options);
  let ended = false;
  try {
    yield stream.first;
    for (;;) {
      const item = await watch.wait(stream.rest.next());
      if (item.done === true) {
        ended = true;
        return;
      }
      yield item.value;
    }
  } finally {
    watch.end();
    if (!ended) closeStream(stream);
  }
}

/** One timer and one listener for a whole stream: one of each for every item would cost more than the items. */
class Watch {
  readonly #options: ReadOptions;
  /** Fails the item that is waited for. */
  #fail: ((error: ModelError) => void) | null = null;
  #dueMs = 0;
  #cancelTimer: () => void;
  readonly #aborted = () => this.#fail?.(new ModelError('aborted', this.#options.source, 'Answer was given up'));

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#cancelTimer = options.clock.setTimer(() => this.#check(), options.idleMs);
    options.signal.addEventListener('abort', this.#aborted);
  }

  wait<I>(item: Promise<I>): Promise<I> {
    const { clock, idleMs, signal } = this.#options;
    return new Promise<I>((resolve, reject) => {
      this.#fail = reject;
      this.#dueMs = clock.now() + idleMs;
      item.then(
        (value) => {
          this.#fail = null;
          resolve(value);
        },
        (error) => {
          this.#fail = null;
          reject(error);
        },
      );
      if (signal.aborted) this.#aborted();
    });
  }

  #check(): void {
    const { clock, idleMs, source } = this.#options;
    const leftMs = this.#fail === null ? idleMs : this.#dueMs - clock.now();
    if (leftMs > 0) this.#cancelTimer = clock.setTimer(() => this.#check(), leftMs);
    else this.#fail?.(new ModelError('timeout', source, `Went silent for ${idleMs} ms in the middle of an answer`));
  }

  end(): void {
    this.#cancelTimer();
    this.#options.signal.removeEventListener('abort', this.#aborted);
  }
}
