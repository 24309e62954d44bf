// Everything that waits in this process, as one number: each queue says how long it is.
import type { Registry } from '../../metrics/index.ts';

export interface QueueSizes {
  /** `length`: requests that wait in this queue now; null: not known. The name is a label. */
  add(queue: string, length: () => number | null): void;
}

const ofRegistry = new WeakMap<Registry, QueueSizes>();

/** One for each registry, whoever asks: `syrinx.queue.size`, and `syrinx.queue.waiting` for each queue. */
export function queueSizes(registry: Registry): QueueSizes {
  const known = ofRegistry.get(registry);
  if (known !== undefined) return known;
  const sources = new Map<string, () => number | null>();
  const waiting = registry.gauge({ name: 'syrinx.queue.waiting', help: 'What waits, by queue.', labels: ['queue'] });
  registry
    .gauge({ name: 'syrinx.queue.size', help: 'What waits: calls, requests to models, notifications.' })
    .labels()
    .observe(() => {
      let size: number | null = null;
      for (const length of sources.values()) {
        const one = length();
        if (one !== null) size = (size ?? 0) + one;
      }
      return size;
    });
  const sizes: QueueSizes = {
    add(queue, length) {
      sources.set(queue, length);
      waiting.labels({ queue }).observe(length);
    },
  };
  ofRegistry.set(registry, sizes);
  return sizes;
}
