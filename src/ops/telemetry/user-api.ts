// The functions by which user code joins the numbers of this process: events, collectors, health checks.
import { setAlertRule } from '../alerts/user-rules.ts';
import type { HealthCheckOptions, UserCheck } from '../health/user-checks.ts';
import type { Collector, CollectorOptions } from './collectors.ts';
import type { EventBus } from './event-bus.ts';
import { processTelemetry } from './process-telemetry.ts';

const { events, collectors } = processTelemetry;

/** Calls a handler at events of the specification, or of your own; the same id again replaces. See `EventBus.attach`. */
export const attach: EventBus['attach'] = events.attach.bind(events);
/** The same, under the specification's name. */
export const attachMany: EventBus['attach'] = attach;
/** Takes away what is attached under an id; false when nothing was. */
export const detach = (id: string): boolean => events.detach(id);
/** Emits an event to all who are attached to it, with measurements and what they are about. */
export const execute: EventBus['execute'] = events.execute.bind(events);

/** Asks a function for numbers at each `telemetry.metrics_interval_ms`; returns how to stop. The same name again replaces.
 *
 * @throws RangeError for a name or a time limit that cannot be. */
export const registerCollector = (name: string, collect: Collector, options?: CollectorOptions): (() => void) =>
  collectors.register(name, collect, options);
/** Asks it no more; false when there was none of this name. */
export const unregisterCollector = (name: string): boolean => collectors.unregister(name);

/** Looks at something outside every 5 s, such as a database; `/health` and readiness tell what was seen.
 *
 * @throws RangeError for a name or a time limit that cannot be. */
export const registerHealthCheck = (name: string, check: UserCheck, options?: HealthCheckOptions): (() => void) =>
  processTelemetry.registerHealthCheck(name, check, options);

/** The specification's `Telemetry.Metrics`, as far as it is for users: a handler to attach, collectors, alert rules. */
export const Metrics: {
  /** Counts what it is attached to: `syrinx.events.handled`, `syrinx.events.duration`. */
  readonly handleEvent: typeof processTelemetry.handleEvent;
  readonly registerCollector: typeof registerCollector;
  readonly unregisterCollector: typeof unregisterCollector;
  readonly setAlertRule: typeof setAlertRule;
} = { handleEvent: processTelemetry.handleEvent, registerCollector, unregisterCollector, setAlertRule };
