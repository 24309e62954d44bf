// What users attach and register, before or while the program runs: one set for the process, since `agent.ts` is loaded before there is a runtime.
import type { HealthCheckOptions, UserCheck } from '../health/user-checks.ts';
import { UserChecks } from '../health/user-checks.ts';
import { type Collector, type CollectorOptions, CollectorSet } from './collectors.ts';
import { EventBus } from './event-bus.ts';
import type { Measurements } from './events.ts';
import type { HandleEvent } from './handled-events.ts';

/** Everything of the process that user code can hang itself into. */
export class ProcessTelemetry {
  readonly events = new EventBus();
  readonly collectors = new CollectorSet();
  readonly checks = new UserChecks();
  #handle: HandleEvent | null = null;

  /** The specification's handler: counts what it is attached to in the registry of the running program. */
  readonly handleEvent = (event: string, measurements: Measurements): void => {
    this.#handle?.(event, measurements);
  };

  /** The program that counts handled events; the newest one alone. */
  join(handle: HandleEvent): void {
    this.#handle = handle;
  }

  registerCollector(name: string, collect: Collector, options?: CollectorOptions): () => void {
    return this.collectors.register(name, collect, options);
  }

  registerHealthCheck(name: string, check: UserCheck, options?: HealthCheckOptions): () => void {
    return this.checks.register(name, check, options);
  }
}

export const processTelemetry: ProcessTelemetry = new ProcessTelemetry();
