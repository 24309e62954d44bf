// Who listens to a session: handlers by event, each isolated from the call and from the others.
import {
  SESSION_EVENTS,
  type SessionEventHandler,
  type SessionEventName,
  type SessionEvents,
} from './session-events.ts';

/** What goes wrong in handlers, for logs and counters. */
export interface EmitterObserver {
  /** A handler threw or rejected. */
  failed?(event: SessionEventName, error: unknown): void;
  /** A handler was passed over: too many of its promises are open. */
  dropped?(event: SessionEventName): void;
}

/** Handlers that one session keeps. */
export const MAX_HANDLERS = 200;
/** Promises of one handler that may be open at a time. */
export const MAX_PENDING = 32;

type AnyHandler = (payload: never, name: never) => unknown;
interface Listener {
  readonly handler: AnyHandler;
  readonly once: boolean;
  pending: number;
}

export class SessionEmitter {
  readonly #observer: EmitterObserver;
  /** Made with the first handler: most sessions have none. */
  #listeners: Map<SessionEventName, Listener[]> | null = null;
  #count = 0;

  constructor(observer: EmitterObserver = {}) {
    this.#observer = observer;
  }

  /** Whether anybody listens; payloads need not be made for nobody. */
  wants(name: SessionEventName): boolean {
    return this.#listeners !== null && this.#listeners.has(name);
  }

  names(): SessionEventName[] {
    return [...(this.#listeners?.keys() ?? [])];
  }

  on<N extends SessionEventName>(name: N, handler: SessionEventHandler<N>, once = false): () => void {
    this.#add(name, handler as AnyHandler, once);
    this.emit('callback_registered', { event: name });
    return () => this.off(name, handler);
  }

  onAll(handlers: { readonly [N in SessionEventName]?: SessionEventHandler<N> }): () => void {
    const entries = Object.entries(handlers) as [SessionEventName, AnyHandler][];
    // All or none: a misspelt name must not leave half of them behind.
    for (const [name, handler] of entries) check(name, handler);
    if (this.#count + entries.length > MAX_HANDLERS) throw tooMany();
    for (const [name, handler] of entries) this.#add(name, handler, false);
    this.emit('callbacks_registered', { events: entries.map(([name]) => name) });
    return () => {
      for (const [name, handler] of entries) this.off(name, handler as SessionEventHandler<typeof name>);
    };
  }

  off<N extends SessionEventName>(name: N, handler: SessionEventHandler<N>): void {
    if (this.#remove(name, (one) => one.handler === handler)) this.emit('callback_unregistered', { event: name });
  }

  emit<N extends SessionEventName>(name: N, payload: SessionEvents[N]): void {
    const listeners = this.#listeners?.get(name);
    if (listeners === undefined) return;
    // The list is replaced, never changed: who comes or goes meanwhile counts from the next event on.
    for (let i = 0; i < listeners.length; i++) this.#call(name, listeners[i] as Listener, payload);
  }

  /** Forgets all handlers. */
  clear(): void {
    this.#listeners = null;
    this.#count = 0;
  }

  #call(name: SessionEventName, listener: Listener, payload: unknown): void {
    if (listener.once) this.#remove(name, (one) => one === listener);
    if (listener.pending >= MAX_PENDING) {
      this.#observer.dropped?.(name);
      return;
    }
    try {
      const result = listener.handler(payload as never, name as never);
      if (!isPromise(result)) return;
      listener.pending++;
      result.then(
        () => {
          listener.pending--;
        },
        (error: unknown) => {
          listener.pending--;
          this.#observer.failed?.(name, error);
        },
      );
    } catch (error) {
      this.#observer.failed?.(name, error);
    }
  }

  #add(name: SessionEventName, handler: AnyHandler, once: boolean): void {
    check(name, handler);
    if (this.#count >= MAX_HANDLERS) throw tooMany();
    this.#listeners ??= new Map();
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), { handler, once, pending: 0 }]);
    this.#count++;
  }

  #remove(name: SessionEventName, matches: (listener: Listener) => boolean): boolean {
    const listeners = this.#listeners?.get(name) ?? [];
    const at = listeners.findIndex(matches);
    if (at < 0) return false;
    const left = listeners.toSpliced(at, 1);
    if (left.length > 0) this.#listeners?.set(name, left);
    else this.#listeners?.delete(name);
    this.#count--;
    return true;
  }
}

function tooMany(): RangeError {
  return new RangeError(`A session takes at most ${MAX_HANDLERS} handlers`);
}

function check(name: string, handler: unknown): void {
  if (!(SESSION_EVENTS as readonly string[]).includes(name)) {
    const near = SESSION_EVENTS.find(
      (known) => known.replaceAll('_', '') === name.toLowerCase().replaceAll(/[^a-z]/g, ''),
    );
    const hint = near === undefined ? `the events are ${SESSION_EVENTS.join(', ')}` : `did you mean '${near}'?`;
    throw new RangeError(`No event of a session is named '${name}'; ${hint}`);
  }
  if (typeof handler !== 'function') throw new TypeError(`The handler of '${name}' must be a function`);
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
