// Everything that is declared, as a table: what a page of documentation and a check of dashboards are made from.
import type { Kind } from './names.ts';
import type { Registry } from './registry.ts';

export interface CatalogueEntry {
  /** As over OTLP. */
  readonly name: string;
  /** As at `/metrics`. */
  readonly prometheusName: string;
  readonly kind: Kind;
  readonly unit: string;
  readonly labels: readonly string[];
  readonly bounds: readonly number[];
  readonly help: string;
}

/** Sorted by name. */
export function catalogueOf(registry: Registry): CatalogueEntry[] {
  return registry
    .families()
    .map(({ name, prometheusName, kind, unit, labelNames, bounds, help }) => ({
      name,
      prometheusName,
      kind,
      unit,
      labels: labelNames,
      bounds,
      help,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
