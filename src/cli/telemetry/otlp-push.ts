// Sends the registry over OTLP at an interval. One delivery at a time; whatever the receiver does, it is counted and said once.
import type { PushMetricExporter, ResourceMetrics, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { createOtlpProducer, type Registry } from '../../metrics/index.ts';
import type { Logger } from '../../ops/logs.ts';
import type { Clock } from '../../runner/clock.ts';
import type { OtlpSettings } from './otlp-settings.ts';

export interface OtlpPushOptions {
  readonly settings: OtlpSettings;
  readonly registry: Registry;
  readonly resource: Readonly<Record<string, string>>;
  readonly version: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** ms since 1970. */
  readonly epochMs: () => number;
  /** Metrics of others that go along. */
  readonly others?: (() => Promise<readonly ScopeMetrics[]>) | undefined;
  /** Instead of the exporter that the settings name. */
  readonly exporter?: Pick<PushMetricExporter, 'export' | 'shutdown'> | undefined;
}

export interface OtlpPush {
  /** Sends now; resolves with whether it has arrived. Never rejects. */
  push(): Promise<boolean>;
  /** Sends what is new and stops; resolves after `limitMs` at the latest. */
  stop(limitMs: number): Promise<void>;
}

/** A delivery that takes longer than its time limit by this is given up by us: the exporter has forgotten it. */
const GRACE_MS = 2000;
/** Batches of others that are kept for a receiver that does not answer; the oldest are given up. */
const MAX_OWED = 20;

export async function startOtlpPush(options: OtlpPushOptions): Promise<OtlpPush> {
  const { settings, registry, log, clock } = options;
  const exporter = options.exporter ?? (await loadExporter(settings));
  const producer = createOtlpProducer(registry, {
    temporality: settings.temporality,
    histograms: settings.histograms,
    now: options.epochMs,
  });
  const exports = registry.counter({
    name: 'syrinx.otlp.exports',
    help: 'Deliveries of metrics over OTLP; skipped ones came while another was under way.',
    labels: ['outcome'],
  });
  const outcomes = {
    ok: exports.labels({ outcome: 'ok' }),
    failed: exports.labels({ outcome: 'failed' }),
    skipped: exports.labels({ outcome: 'skipped' }),
  };
  const points = registry.counter({ name: 'syrinx.otlp.points', help: 'Data points that were delivered.' }).labels();
  const took = registry.histogram({ name: 'syrinx.otlp.duration', unit: 's', help: 'Time of a delivery.' }).labels();
  const resource = await resourceFrom(options.resource);
  const scope = { name: 'syrinx', version: options.version };
  /** Deltas of others are given once: what did not arrive goes along again. */
  let owed: readonly ScopeMetrics[] = [];
  let underWay: Promise<boolean> | null = null;
  let isFailing = false;
  let stopped = false;
  let cancel = clock.setTimer(tick, settings.intervalMs);

  function tick(): void {
    if (stopped) return;
    if (underWay !== null) outcomes.skipped.add(1);
    else void push();
    cancel = clock.setTimer(tick, settings.intervalMs);
  }

  function push(): Promise<boolean> {
    underWay ??= deliver().finally(() => {
      underWay = null;
    });
    return underWay;
  }

  async function deliver(): Promise<boolean> {
    const startMs = clock.now();
    try {
      const others = [...owed, ...((await options.others?.().catch(() => [])) ?? [])];
      if (settings.temporality === 'delta') owed = others.slice(-MAX_OWED);
      const batch = producer.collect();
      const metrics = { resource, scopeMetrics: [{ scope, metrics: batch.metrics }, ...others] };
      await exported(metrics as unknown as ResourceMetrics);
      batch.delivered();
      owed = [];
      points.add(batch.points);
      outcomes.ok.add(1);
      took.record((clock.now() - startMs) / 1000);
      if (isFailing) log.info('metrics arrive again', { receiver: new URL(settings.url).host });
      isFailing = false;
      return true;
    } catch (error) {
      outcomes.failed.add(1);
      // Once until it works again: a dead collector would fill the log.
      if (!isFailing) {
        log.warn('metrics do not arrive', { receiver: new URL(settings.url).host, reason: reasonOf(error) });
      }
      isFailing = true;
      return false;
    }
  }

  function exported(metrics: ResourceMetrics): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancelLimit = clock.setTimer(
        () => reject(new Error('The receiver has not answered in its time')),
        settings.timeoutMs + GRACE_MS,
      );
      exporter.export(metrics, ({ code, error }) => {
        cancelLimit();
        if (code === 0) resolve();
        else reject(error ?? new Error('The exporter has failed'));
      });
    });
  }

  return {
    push,
    async stop(limitMs) {
      if (stopped) return;
      stopped = true;
      cancel();
      const last = async () => {
        await underWay;
        await push();
        await exporter.shutdown();
      };
      let cancelLimit = () => {};
      const limit = new Promise<void>((resolve) => {
        cancelLimit = clock.setTimer(resolve, limitMs);
      });
      await Promise.race([last().catch(() => {}), limit]);
      cancelLimit();
    },
  };
}

/** Loaded only where metrics are sent; protobuf only where it is wanted. */
async function loadExporter({ url, headers, protocol, gzip, timeoutMs }: OtlpSettings): Promise<PushMetricExporter> {
  const config = {
    url,
    headers: { ...headers },
    timeoutMillis: timeoutMs,
    compression: (gzip ? 'gzip' : 'none') as never,
    concurrencyLimit: 2,
  };
  if (protocol === 'http/protobuf') {
    const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-proto');
    return new OTLPMetricExporter(config);
  }
  const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-http');
  return new OTLPMetricExporter(config);
}

async function resourceFrom(attributes: Readonly<Record<string, string>>) {
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  return resourceFromAttributes({ ...attributes });
}

/** Answers of strangers are cut: they go into the log. */
function reasonOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: unknown };
  const text = [code, message].filter((part) => part !== undefined && part !== '').join(' ');
  return (text || 'unknown').slice(0, 200);
}
