// What people think of their calls: kept with the session for a while, counted in the registry by kind.
import type { HistogramHandle, Registry } from '../../metrics/index.ts';

export interface RatingOfSession {
  readonly rating: number;
  readonly kind: string;
}

const BOUNDS = [1, 2, 3, 4, 5];

export interface RatingBook {
  /** Takes a rating that was checked. */
  record(rating: RatingOfSession): void;
  /** Null while nobody has judged. */
  mean(kind: string): number | null;
  count(kind: string): number;
}

/** `kinds`: what may be judged; the labels are bounded by it. */
export function createRatingBook(registry: Registry, kinds: readonly string[]): RatingBook {
  const instrument = registry.histogram({
    name: 'syrinx.session.rating',
    help: 'Ratings of calls by people, 1 to 5, by what they judged.',
    labels: ['kind'],
    bounds: BOUNDS,
  });
  const handles = new Map<string, HistogramHandle>(kinds.map((kind) => [kind, instrument.labels({ kind })]));
  return {
    record: ({ rating, kind }) => handles.get(kind)?.record(rating),
    count: (kind) => handles.get(kind)?.sketch.count ?? 0,
    mean(kind) {
      const sketch = handles.get(kind)?.sketch;
      return sketch === undefined || sketch.count === 0 ? null : sketch.sum / sketch.count;
    },
  };
}
