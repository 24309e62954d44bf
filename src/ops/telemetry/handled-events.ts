// The specification's own handler (TEL-02): what it is attached to appears in the registry, under names of its own.
import type { Registry } from '../../metrics/index.ts';
import type { Measurements } from './events.ts';

/** Numbers that are times in ms, by the field of the event. */
const TIMES = ['duration_ms', 'latency_ms', 'setup_time_ms'] as const;
/** Events that may be series: more are counted together. */
const MAX_EVENTS = 100;

export type HandleEvent = (event: string, measurements: Measurements) => void;

/** Counts events by name, and the times they carry. Nothing that the program measures by itself is counted twice. */
export function createEventHandler(registry: Registry): HandleEvent {
  const events = registry.counter({
    name: 'syrinx.events.handled',
    help: 'Events that Metrics.handleEvent was attached to, by event.',
    labels: ['event'],
  });
  const times = registry.histogram({
    name: 'syrinx.events.duration',
    help: 'Times that handled events carry (duration, latency, setup), by event.',
    unit: 's',
    labels: ['event'],
  });
  const known = new Set<string>();
  return (name, measurements) => {
    if (!known.has(name) && known.size < MAX_EVENTS) known.add(name);
    const event = known.has(name) ? name : '_other';
    events.labels({ event }).add(1);
    for (const field of TIMES) {
      const value = measurements[field];
      if (typeof value === 'number' && value >= 0) times.labels({ event }).record(value / 1000);
    }
  };
}
