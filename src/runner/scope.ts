// The tree of what runs: process, session, turn, request. Stopping a scope stops all below it.

export interface Scope {
  readonly signal: AbortSignal;
  stop(): void;
  /** A scope that ends with this one. `close` leaves nothing behind on the parent. */
  child(): Scope & { close(): void };
}

/** One for all: an exception of its own for each request costs its stack trace. */
const STOPPED = new DOMException('The work was stopped', 'AbortError');

export function createScope(): Scope & { close(): void } {
  const controller = new AbortController();
  const children = new Set<() => void>();
  const scope = {
    signal: controller.signal,
    stop() {
      if (controller.signal.aborted) return;
      controller.abort(STOPPED);
      for (const stop of [...children]) stop();
      children.clear();
    },
    child() {
      const below = createScope();
      const stop = () => below.stop();
      if (controller.signal.aborted) below.stop();
      else children.add(stop);
      return Object.assign(below, {
        close() {
          children.delete(stop);
          below.stop();
        },
      });
    },
    close() {
      scope.stop();
    },
  };
  return scope;
}
