// Where a value of the configuration came from.

/** Where the value of a setting came from, e.g. `{ kind: 'environment', name: 'OPENAI_API_KEY' }`. */
export interface Origin {
  readonly kind: 'default' | 'file' | 'environment' | 'flag';
  /** Empty for a default; `FILE:LINE`, the variable or the flag otherwise. */
  readonly name: string;
}
export interface Given {
  readonly key: string;
  readonly value: unknown;
  readonly origin: Origin;
  /** Of groups, where what is in them stands, by its path with dots: `high_latency.threshold`. */
  readonly inside?: ReadonlyMap<string, Origin> | undefined;
}
