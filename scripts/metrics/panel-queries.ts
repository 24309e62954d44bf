// What a panel is made of, and the expressions that many panels share. `$S` stands for the selection of processes.

export interface Query {
  readonly legend: string;
  readonly promql: string;
}
export interface Panel {
  readonly title: string;
  readonly description: string;
  /** Grafana's name of the unit. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** The same in Datadog's language; a panel without is in Grafana only. */
  readonly datadog?: readonly string[];
}
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export const rate = (metric: string, labels = ''): string => `rate(${metric}{${labels}$S}[$__rate_interval])`;
export const total = (metric: string, labels = ''): string => `sum(${rate(metric, labels)})`;
export const by = (label: string, metric: string): string => `sum by (${label}) (${rate(metric)})`;
export const quantile = (q: number, metric: string, also = ''): string =>
  `histogram_quantile(${q}, sum by (${['le', also].filter(Boolean).join(', ')}) (${rate(`${metric}_bucket`)}))`;
export const mean = (label: string, metric: string): string =>
  `${by(label, `${metric}_sum`)} / ${by(label, `${metric}_count`)}`;
const PERCENTILES = [
  ['P50', 0.5],
  ['P90', 0.9],
  ['P95', 0.95],
  ['P99', 0.99],
] as const;
export const percentiles = (metric: string): Query[] =>
  PERCENTILES.map(([legend, q]) => ({ legend, promql: quantile(q, metric) }));
export const datadogPercentiles = (metric: string): string[] =>
  PERCENTILES.map(([legend]) => `${legend.toLowerCase()}:${metric}{$service,$env}`);
