// Handlers by id for the specification's events: replaceable, isolated from each other and from the call that emits.
import {
  type EventPath,
  eventName,
  type Measurements,
  type TelemetryEventName,
  type TelemetryEvents,
  type TelemetryMetadata,
} from './events.ts';

/** Called synchronously, on the path of the audio for `audio.processed`: be quick. What it throws is caught, said once for
 *  each id, and counted; a promise is not waited for. */
export type TelemetryHandler<M = Measurements, C = unknown> = (
  event: string,
  measurements: M,
  metadata: TelemetryMetadata,
  config: C,
) => unknown;

/** What went wrong in handlers since the start. */
export interface BusCounts {
  /** Handlers that threw or rejected. */
  readonly failures: number;
  /** Events that a handler did not get because too many of its promises were open. */
  readonly dropped: number;
}

/** Told of each failure and each dropped event; `first` is true once for each attached id. */
export interface BusObserver {
  failed?(id: string, event: string, error: unknown, first: boolean): void;
  dropped?(id: string, event: string, first: boolean): void;
}

const MAX_IDS = 100;
const MAX_EVENTS_PER_ID = 100;
const MAX_PENDING = 64;
const NOTHING: TelemetryMetadata = Object.freeze({});

interface Group {
  readonly id: string;
  readonly events: ReadonlySet<string>;
  readonly handler: TelemetryHandler<never, never>;
  readonly config: unknown;
  pending: number;
  complained: boolean;
  complainedOfDrops: boolean;
}

export class EventBus {
  readonly #groups = new Map<string, Group>();
  /** Rebuilt when somebody comes or goes, so that an event looks up one list. */
  #byEvent = new Map<string, readonly Group[]>();
  #observer: BusObserver = {};
  #failures = 0;
  #dropped = 0;

  get counts(): BusCounts {
    return { failures: this.#failures, dropped: this.#dropped };
  }

  /**
   * Calls `handler` at each of these events. The same id again replaces what was attached under it.
   *
   * @returns how to take it away again (this one only, not what replaced it).
   * @throws RangeError for names that are none, and beyond 100 ids or 100 events of one id.
   */
  attach<N extends TelemetryEventName, C = undefined>(
    id: string,
    events: N | readonly N[],
    handler: TelemetryHandler<TelemetryEvents[N], C>,
    config?: C,
  ): () => void;
  attach<C = undefined>(
    id: string,
    events: EventPath | readonly EventPath[],
    handler: TelemetryHandler<Measurements, C>,
    config?: C,
  ): () => void;
  attach(
    id: string,
    events: EventPath | readonly EventPath[],
    handler: TelemetryHandler<never, never>,
    config?: unknown,
  ): () => void {
    if (typeof id !== 'string' || id === '' || id.length > 255) throw new RangeError('An id is 1 to 255 characters');
    if (typeof handler !== 'function') throw new TypeError('A handler must be a function');
    const names = new Set(pathsOf(events).map(eventName));
    if (names.size === 0 || names.size > MAX_EVENTS_PER_ID) {
      throw new RangeError(`Give 1 to ${MAX_EVENTS_PER_ID} events`);
    }
    if (!this.#groups.has(id) && this.#groups.size >= MAX_IDS) {
      throw new RangeError(`At most ${MAX_IDS} ids can be attached; detach one first`);
    }
    const group = { id, events: names, handler, config, pending: 0, complained: false, complainedOfDrops: false };
    this.#groups.set(id, group);
    this.#index();
    return () => {
      if (this.#groups.get(id) === group) this.detach(id);
    };
  }

  /** False when nothing was attached under this id. */
  detach(id: string): boolean {
    const was = this.#groups.delete(id);
    if (was) this.#index();
    return was;
  }

  /** What is attached, by id. */
  attached(): readonly { readonly id: string; readonly events: readonly string[] }[] {
    return [...this.#groups.values()].map(({ id, events }) => ({ id, events: [...events] }));
  }

  /** Whether anybody wants this event; measurements need not be made for nobody. */
  wants(event: TelemetryEventName): boolean {
    return this.#byEvent.has(event);
  }

  /** Tells everybody who is attached. Never throws, but for a name that is none. */
  execute<N extends TelemetryEventName>(event: N, measurements: TelemetryEvents[N], metadata?: TelemetryMetadata): void;
  execute(event: EventPath, measurements: Measurements, metadata?: TelemetryMetadata): void;
  execute(event: EventPath, measurements: Measurements, metadata: TelemetryMetadata = NOTHING): void {
    const known = typeof event === 'string' && this.#byEvent.has(event);
    const name = known ? event : eventName(event);
    const groups = this.#byEvent.get(name);
    if (groups === undefined) return;
    for (let i = 0; i < groups.length; i++) this.#call(groups[i] as Group, name, measurements, metadata);
  }

  /** Who counts and logs; the newest one alone. */
  observe(observer: BusObserver): void {
    this.#observer = observer;
  }

  #call(group: Group, event: string, measurements: Measurements, metadata: TelemetryMetadata): void {
    if (group.pending >= MAX_PENDING) {
      this.#dropped++;
      const first = !group.complainedOfDrops;
      group.complainedOfDrops = true;
      this.#observer.dropped?.(group.id, event, first);
      return;
    }
    try {
      const result = group.handler(event, measurements as never, metadata, group.config as never);
      if (typeof (result as { then?: unknown } | null | undefined)?.then !== 'function') return;
      group.pending++;
      (result as Promise<unknown>).then(
        () => {
          group.pending--;
        },
        (error: unknown) => {
          group.pending--;
          this.#failed(group, event, error);
        },
      );
    } catch (error) {
      this.#failed(group, event, error);
    }
  }

  #failed(group: Group, event: string, error: unknown): void {
    this.#failures++;
    const first = !group.complained;
    group.complained = true;
    this.#observer.failed?.(group.id, event, error, first);
  }

  #index(): void {
    const byEvent = new Map<string, Group[]>();
    for (const group of this.#groups.values()) {
      for (const event of group.events) byEvent.set(event, [...(byEvent.get(event) ?? []), group]);
    }
    this.#byEvent = byEvent;
  }
}

/** One path or many: a path itself may be a list of strings. */
function pathsOf(events: EventPath | readonly EventPath[]): readonly EventPath[] {
  if (typeof events === 'string') return [events];
  const isOnePath = events.length > 0 && events.every((part) => typeof part === 'string' && !part.includes('.'));
  return isOnePath ? [events as readonly string[]] : events;
}
