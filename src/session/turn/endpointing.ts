// How long a silence must be to end the caller's turn.
import type { TurnOptions } from '../options.ts';

/** Silence after the last voiced sample that ends the turn, in ms. `score`: probability that the turn is over, where a model gives one. */
export function endpointingDelayMs(options: TurnOptions, score: number | null): number {
  if (score === null) return options.endpointingMs;
  // A confident model halves the wait or doubles it; in between it moves with the score.
  return Math.round(options.endpointingMs * (2 - 1.5 * Math.min(1, Math.max(0, score))));
}
