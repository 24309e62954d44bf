// What the alerts of a program are about: the instruments of this process, or of several processes as one.
import type { Registry } from '../../metrics/index.ts';
import {
  type Catalogue,
  readingsOf,
  registryCatalogue,
  takeUserRules,
  type TakeReadings,
} from '../../ops/alerts/index.ts';

export interface Measured {
  /** Metrics that rules may name. */
  metrics(): Catalogue;
  readonly readings: TakeReadings;
  /** Gives the rules that user code has set, and sets from now on; returns how to end that. Throws what the first refused rule throws. */
  takeUserRules(take: (name: string, rule: unknown) => void): () => void;
}

export const measuredHere = (registry: Registry): Measured => ({
  metrics: () => registryCatalogue(registry),
  readings: readingsOf(registry),
  takeUserRules,
});
