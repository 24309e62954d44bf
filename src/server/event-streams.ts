// Server-sent events to a bounded number of readers, each with a bounded queue: who does not keep up is cut off and counted.

export interface EventStreamsOptions {
  readonly maxReaders: number;
  /** Bytes that may wait for one reader when there is something to send; from there on it is too slow. */
  readonly maxWaitingBytes: number;
  readers?(change: 1 | -1): void;
  dropped?(): void;
}

export interface ServerEvent {
  readonly event: string;
  /** Written as JSON. */
  readonly data: unknown;
}

interface Reader<Key> {
  readonly key: Key;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** It reads no more. */
  leave(): void;
}

const encoder = new TextEncoder();
/** A reader that is cut off comes back after so long. */
const RETRY = encoder.encode('retry: 2000\n\n');

/** `Key`: what a reader wants to hear of. */
export class EventStreams<Key> {
  readonly #o: EventStreamsOptions;
  readonly #readers = new Set<Reader<Key>>();

  constructor(options: EventStreamsOptions) {
    this.#o = options;
  }

  get size(): number {
    return this.#readers.size;
  }
  get isFull(): boolean {
    return this.#readers.size >= this.#o.maxReaders;
  }
  has(key: Key): boolean {
    return [...this.#readers].some((reader) => reader.key === key);
  }
  keys(): Iterable<Key> {
    return new Set([...this.#readers].map(({ key }) => key));
  }

  /** A reader's answer; `gone` is called once when it reads no more, whoever ended it. */
  open(key: Key, gone: () => void): Response {
    const left = (reader: Reader<Key>): void => {
      if (!this.#readers.delete(reader)) return;
      this.#o.readers?.(-1);
      gone();
    };
    let reader: Reader<Key> | undefined;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          const one: Reader<Key> = { key, controller, leave: () => left(one) };
          reader = one;
          this.#readers.add(one);
          this.#o.readers?.(1);
          controller.enqueue(RETRY);
        },
        cancel: () => reader?.leave(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: this.#o.maxWaitingBytes }),
    );
    // Proxies must not collect what is to be seen at once.
    return new Response(body, { headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' } });
  }

  /** To everyone whose key is `wanted`, all events at once. */
  send(events: readonly ServerEvent[], wanted: (key: Key) => boolean): void {
    let bytes: Uint8Array | undefined;
    for (const reader of [...this.#readers]) {
      if (!wanted(reader.key)) continue;
      bytes ??= encoder.encode(
        events.map(({ event, data }) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join(''),
      );
      if ((reader.controller.desiredSize ?? 0) > 0) reader.controller.enqueue(bytes);
      else {
        this.#o.dropped?.();
        this.#end(reader);
      }
    }
  }

  /** Ends those whose key is `wanted`; what waits is still sent. */
  end(wanted: (key: Key) => boolean): void {
    for (const reader of [...this.#readers]) {
      if (!wanted(reader.key)) continue;
      this.#end(reader);
    }
  }

  /** An error instead would be logged by hosts as one of ours. */
  #end(reader: Reader<Key>): void {
    reader.leave();
    reader.controller.close();
  }
}
