// Instruments that users make with the OpenTelemetry API: a meter provider of our own, whose metrics go wherever ours go.
import type { MeterProvider } from '@opentelemetry/api';
import type { MetricReader, ScopeMetrics } from '@opentelemetry/sdk-metrics';

/** How the provider of `openMeterProvider` is used. */
export interface MeterProviderOptions {
  /** Makes it the one that `metrics.getMeter()` of `@opentelemetry/api` asks. Default false: nothing of yours is touched. */
  readonly global?: boolean | undefined;
}

interface Opened {
  readonly provider: MeterProvider;
  readonly cumulative: MetricReader;
  readonly delta: MetricReader;
}

let opened: Promise<Opened> | undefined;

/** The meter provider whose metrics are served at `/metrics` and sent over OTLP with those of the program; one for each process.
 *  Its names must differ from the program's own. */
export async function openMeterProvider({ global = false }: MeterProviderOptions = {}): Promise<MeterProvider> {
  opened ??= open();
  const { provider } = await opened;
  if (global) {
    const { metrics } = await import('@opentelemetry/api');
    metrics.setGlobalMeterProvider(provider);
  }
  return provider;
}

async function open(): Promise<Opened> {
  const sdk = await import('@opentelemetry/sdk-metrics');
  class Reader extends sdk.MetricReader {
    protected override async onForceFlush(): Promise<void> {}
    protected override async onShutdown(): Promise<void> {}
  }
  const { CUMULATIVE, DELTA } = sdk.AggregationTemporality;
  const upDown = new Set<unknown>([sdk.InstrumentType.UP_DOWN_COUNTER, sdk.InstrumentType.OBSERVABLE_UP_DOWN_COUNTER]);
  const cumulative = new Reader({ aggregationTemporalitySelector: () => CUMULATIVE });
  const delta = new Reader({ aggregationTemporalitySelector: (type) => (upDown.has(type) ? CUMULATIVE : DELTA) });
  return { provider: new sdk.MeterProvider({ readers: [cumulative, delta] }), cumulative, delta };
}

const COLLECT_MS = 1000;

/** What users have recorded; nothing while nobody has asked for a provider. */
export async function collectApiMetrics(temporality: 'cumulative' | 'delta'): Promise<readonly ScopeMetrics[]> {
  if (opened === undefined) return [];
  const { [temporality]: reader } = await opened;
  const { resourceMetrics } = await reader.collect({ timeoutMillis: COLLECT_MS });
  return resourceMetrics.scopeMetrics;
}
