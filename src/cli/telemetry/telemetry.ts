// Starts what measures and what sends: the probe of the event loop, the sampler of the machine, metrics over OTLP.
import type { Config } from '../../config/schema.ts';
import type { Host } from '../../hosts/port.ts';
import { appendText, describeTarget, type OtlpMetric, type Registry, renderForeign } from '../../metrics/index.ts';
import type { Logger } from '../../ops/logs.ts';
import { probeLoop } from '../../ops/system/loop-probe.ts';
import { queueSizes } from '../../ops/system/queue-size.ts';
import { startSampler } from '../../ops/system/sampler.ts';
import type { Clock } from '../../runner/clock.ts';
import { systemClock } from '../../runner/clock.ts';
import { collectApiMetrics } from './api-metrics.ts';
import { otlpSettings, resourceOf } from './otlp-settings.ts';
import { type OtlpPush, startOtlpPush } from './otlp-push.ts';

export interface TelemetryOptions {
  readonly host: Pick<Host, 'env' | 'facts' | 'name' | 'version' | 'workingDirectory'>;
  readonly config: Config;
  readonly registry: Registry;
  readonly agentName: string;
  readonly log: Logger;
  readonly version: string;
  /** What waits, by queue: part of `syrinx.queue.size`. */
  readonly queues?: Readonly<Record<string, () => number | null>> | undefined;
  readonly clock?: Clock | undefined;
}

export interface Telemetry {
  /** Who this process is, as OpenTelemetry's resource. */
  readonly resource: Readonly<Record<string, string>>;
  /** Undefined where nothing is sent. */
  readonly otlp: OtlpPush | undefined;
  /** Sends what is new, within three seconds, and stops. */
  stop(): Promise<void>;
}

const FLUSH_MS = 3000;

/** Throws `UserError` for settings that cannot work. */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { host, config, registry, log, version, clock = systemClock } = options;
  const { telemetry } = config;
  const settings = otlpSettings(config, host.env);
  const resource = resourceOf(
    {
      agentName: options.agentName,
      region: config.agent.region,
      version,
      runtime: { name: host.name, version: host.version },
      instanceId: crypto.randomUUID(),
    },
    host.env,
  );
  describeTarget(registry, resource);
  if (!telemetry.enabled) return { resource, otlp: undefined, stop: async () => {} };
  for (const [queue, length] of Object.entries(options.queues ?? {})) queueSizes(registry).add(queue, length);
  const stopProbe = probeLoop(registry, clock);
  const sampler = startSampler({
    registry,
    facts: host.facts,
    clock,
    intervalMs: telemetry.metricsIntervalMs,
    diskPath: telemetry.dataDirectory ?? host.workingDirectory,
    linkBitsPerS: telemetry.linkMbps === undefined ? undefined : telemetry.linkMbps * 1e6,
  });
  const stopForeign = serveApiMetrics(registry, clock, telemetry.metricsIntervalMs);
  const others = () => collectApiMetrics(settings?.temporality ?? 'cumulative');
  const otlp =
    settings === null
      ? undefined
      : await startOtlpPush({ settings, registry, resource, version, log, clock, epochMs: Date.now, others });
  if (settings !== null) {
    const { protocol, temporality, histograms } = settings;
    log.info('metrics are sent over OTLP', { receiver: new URL(settings.url).host, protocol, temporality, histograms });
  }
  return {
    resource,
    otlp,
    async stop() {
      stopProbe();
      sampler.stop();
      stopForeign();
      await otlp?.stop(FLUSH_MS);
    },
  };
}

/** What users measure with the OpenTelemetry API, at `/metrics` too: as it stood at the last look. */
function serveApiMetrics(registry: Registry, clock: Clock, intervalMs: number): () => void {
  const collisions = registry.counter({
    name: 'telemetry.names.collided',
    help: 'Metrics of the OpenTelemetry API that were not served, since their name is taken.',
    labels: ['instrument'],
  });
  let text = '';
  let cancel = clock.setTimer(look, intervalMs);
  appendText(registry, () => text);

  function look(): void {
    void collectApiMetrics('cumulative')
      .then((scopes) => {
        const taken = new Set(registry.families().map(({ prometheusName }) => prometheusName));
        const metrics = scopes.flatMap((scope) => scope.metrics) as unknown as OtlpMetric[];
        text = renderForeign(metrics, taken, (instrument) => collisions.labels({ instrument }).add(1));
      })
      .catch(() => {
        text = '';
      })
      .finally(() => {
        if (!stopped) cancel = clock.setTimer(look, intervalMs);
      });
  }

  let stopped = false;
  return () => {
    stopped = true;
    cancel();
  };
}
