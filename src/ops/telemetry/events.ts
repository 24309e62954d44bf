// The events of the specification with their fields (EVT-01..07), and the ways in which their names may be written.

/** Measurements by event, named and united as in the specification. A field that is unknown is left out. */
export interface TelemetryEvents {
  'session.started': { readonly session_id: string; readonly timestamp: number };
  'session.turn_completed': {
    readonly session_id: string;
    readonly duration_ms: number;
    readonly messages_count: number;
  };
  'session.completed': {
    readonly session_id: string;
    readonly duration_ms: number;
    readonly turns: number;
    readonly reason: string;
  };
  /** A packet of the caller. The object is borrowed: valid only during the handler. */
  'audio.processed': {
    readonly latency_ms: number;
    readonly quality_score?: number | undefined;
    readonly chunk_size_bytes: number;
  };
  'connection.quality': {
    readonly latency_ms?: number | undefined;
    readonly packet_loss_percent?: number | undefined;
    readonly bandwidth_kbps?: number | undefined;
  };
  'connection.established': { readonly setup_time_ms: number };
  'tool.executed': { readonly duration_ms: number; readonly success: boolean };
}
/** The name of an event of the specification. */
export type TelemetryEventName = keyof TelemetryEvents;
/** What an event is about, beside its numbers. */
export interface TelemetryMetadata {
  readonly session_id?: string | undefined;
  readonly transport?: string | undefined;
  readonly tool_name?: string | undefined;
  readonly turn?: number | undefined;
  readonly [field: string]: unknown;
}
/** `'session.started'`, or as the specification writes it: `['livekitex_agent', 'session', 'started']`. */
export type EventPath = string | readonly string[];
/** What an event carries, by field. */
export type Measurements = Readonly<Record<string, unknown>>;

/** All seven. */
export const TELEMETRY_EVENTS: readonly TelemetryEventName[] = [
  'session.started',
  'session.turn_completed',
  'session.completed',
  'audio.processed',
  'connection.quality',
  'connection.established',
  'tool.executed',
];

const PREFIXES = new Set(['livekitex_agent', 'syrinx']);
const NAME = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/;

/** The dotted name without the program's own prefix. Throws `RangeError` for what can be no event's name. */
export function eventName(path: EventPath): string {
  const parts = typeof path === 'string' ? path.split('.') : [...path];
  if (PREFIXES.has(parts[0] ?? '')) parts.shift();
  const name = parts.join('.');
  if (!NAME.test(name) || name.length > 128) {
    throw new RangeError(`'${name.slice(0, 128)}' is no event's name; it looks like 'session.started'`);
  }
  return name;
}
