// The specification's dotted names where a collector uses them: which instrument in base units is meant, and which are not for it to set.
import { GaugeHandle } from '../../metrics/handles.ts';
import type { Registry } from '../../metrics/index.ts';
import { DERIVED_METRICS, RENAMED_METRICS } from '../alerts/registry-feed.ts';

export interface AliasedGauge {
  readonly gauge?: GaugeHandle | undefined;
  /** Value in the specification's unit / value in base units. */
  readonly factor: number;
  /** Why a collector may not set it. */
  readonly refused?: string | undefined;
}

/** Null for a name that is no alias, and for an alias whose instrument this process does not have. */
export function aliasedGauge(registry: Registry, name: string): AliasedGauge | null {
  if (DERIVED_METRICS.some((derived) => derived.name === name)) {
    return { factor: 1, refused: `${name} is worked out by this program; choose another name` };
  }
  const renamed = RENAMED_METRICS.find((one) => one.name === name);
  if (renamed === undefined) return null;
  const family = registry.families().find((one) => one.name === renamed.metric);
  const handle = family?.series.find(({ text }) => text === '')?.handle;
  return handle instanceof GaugeHandle ? { gauge: handle, factor: renamed.factor } : null;
}
