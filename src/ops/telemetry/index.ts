// What others import of events, collectors and ratings.
export {
  type Collected,
  type CollectedPoint,
  type Collecting,
  type Collector,
  type CollectorOptions,
  CollectorSet,
  startCollecting,
} from './collectors.ts';
export { type BusCounts, type BusObserver, EventBus, type TelemetryHandler } from './event-bus.ts';
export {
  type EventPath,
  eventName,
  type Measurements,
  TELEMETRY_EVENTS,
  type TelemetryEventName,
  type TelemetryEvents,
  type TelemetryMetadata,
} from './events.ts';
export { createEventHandler } from './handled-events.ts';
export { ProcessTelemetry, processTelemetry } from './process-telemetry.ts';
export { createRatingBook, type RatingBook, type RatingOfSession } from './ratings.ts';
