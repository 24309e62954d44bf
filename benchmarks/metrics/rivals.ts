// OpenTelemetry's SDK and prom-client doing the same: three labels, the same bounds. Empty where they are not installed.

export interface Recorder {
  /** `WHO KIND`. */
  readonly name: string;
  readonly record: (i: number) => void;
}
export interface Scraper {
  readonly name: string;
  /** Fills so many series. */
  prepare(series: number): void | Promise<void>;
  scrape(): Promise<string>;
}
export interface Rivals {
  readonly recorders: readonly Recorder[];
  readonly scrapers: readonly Scraper[];
}

/** A package that need not be there, without its types. */
// oxlint-disable-next-line typescript/no-explicit-any -- installed apart, so that the root has no types of it
const load = async (name: string): Promise<any> => await import(name);

export async function loadRivals(bounds: readonly number[], values: Float64Array): Promise<Rivals> {
  const recorders: Recorder[] = [];
  const scrapers: Scraper[] = [];
  const value = (i: number) => values[i & 4095] as number;
  const missing = (name: string) => (error: Error) =>
    console.log(`not measured: ${name} (${error.message.split('\n')[0]})`);
  await openTelemetry(bounds, value, recorders, scrapers).catch(missing('OpenTelemetry'));
  await promClient(bounds, value, recorders, scrapers).catch(missing('prom-client'));
  return { recorders, scrapers };
}

async function openTelemetry(
  bounds: readonly number[],
  value: (i: number) => number,
  recorders: Recorder[],
  scrapers: Scraper[],
): Promise<void> {
  const sdk = await load('@opentelemetry/sdk-metrics');
  const { PrometheusExporter, PrometheusSerializer } = await load('@opentelemetry/exporter-prometheus');
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const meter = new sdk.MeterProvider({ readers: [exporter] }).getMeter('rival');
  const counter = meter.createCounter('c');
  const histogram = meter.createHistogram('h', { advice: { explicitBucketBoundaries: [...bounds] } });
  const labels = { agent: 'a', stage: 'llm', model: 'm' };
  recorders.push(
    { name: 'OpenTelemetry counter', record: () => counter.add(1, labels) },
    { name: 'OpenTelemetry histogram', record: (i) => histogram.record(value(i), labels) },
  );
  const reader = new PrometheusExporter({ preventServerStart: true });
  const scraped = new sdk.MeterProvider({ readers: [reader] })
    .getMeter('rival')
    .createHistogram('turn.duration', { unit: 's', advice: { explicitBucketBoundaries: [...bounds] } });
  const serializer = new PrometheusSerializer();
  scrapers.push({
    name: 'OpenTelemetry',
    prepare(series) {
      for (let i = 0; i < series; i++) {
        for (let j = 0; j < 500; j++) scraped.record(value(i * 17 + j), { series: String(i), stage: 'llm' });
      }
    },
    async scrape() {
      const { resourceMetrics } = await reader.collect();
      return serializer.serialize(resourceMetrics) as string;
    },
  });
}

async function promClient(
  bounds: readonly number[],
  value: (i: number) => number,
  recorders: Recorder[],
  scrapers: Scraper[],
): Promise<void> {
  const loaded = await load('prom-client');
  const { Counter, Histogram, Registry } = loaded.default ?? loaded;
  const labelNames = ['agent', 'stage', 'model'];
  const labels = { agent: 'a', stage: 'llm', model: 'm' };
  const registers = [new Registry()];
  const counter = new Counter({ name: 'c', help: 'C', labelNames, registers });
  const histogram = new Histogram({ name: 'h', help: 'H', labelNames, buckets: [...bounds], registers });
  recorders.push(
    { name: 'prom-client counter', record: () => counter.inc(labels) },
    { name: 'prom-client histogram', record: (i) => histogram.observe(labels, value(i)) },
  );
  const registry = new Registry();
  const scraped = new Histogram({
    name: 'turn_duration_seconds',
    help: 'Turn.',
    labelNames: ['series', 'stage'],
    buckets: [...bounds],
    registers: [registry],
  });
  scrapers.push({
    name: 'prom-client',
    prepare(series) {
      for (let i = 0; i < series; i++) {
        for (let j = 0; j < 500; j++) scraped.observe({ series: String(i), stage: 'llm' }, value(i * 17 + j));
      }
    },
    scrape: () => registry.metrics() as Promise<string>,
  });
}
