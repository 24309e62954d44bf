// A registry in which every part of the program has declared what it measures, without any of it running for long.
import { defineAgent } from '../../src/agent/define-agent.ts';
import { createAdmission } from '../../src/cli/admission/admission.ts';
import { composeRuntime } from '../../src/cli/compose.ts';
import { liveKitRoutes } from '../../src/cli/livekit/routes.ts';
import { startOtlpPush } from '../../src/cli/telemetry/otlp-push.ts';
import { serveCalls } from '../../src/cli/serve.ts';
import { startTelemetry } from '../../src/cli/telemetry/telemetry.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Host, ProcessFacts } from '../../src/hosts/port.ts';
import { createWorkerInstruments, type WorkerGauges } from '../../src/livekit/instruments.ts';
import { createRoomInstruments } from '../../src/livekit/room/room-instruments.ts';
import { type CatalogueEntry, catalogueOf } from '../../src/metrics/index.ts';
import { createAlertInstruments } from '../../src/ops/alerts/index.ts';
import { createHistoryInstruments } from '../../src/ops/history/instruments.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { createMonitorInstruments } from '../../src/ops/monitor/index.ts';
import { createNotifyInstruments } from '../../src/ops/notify/instruments.ts';
import { systemClock } from '../../src/runner/clock.ts';

/** A host that tells everything, so that everything is declared. */
const facts: ProcessFacts = {
  memoryBytes: () => 1,
  memoryLimitBytes: () => 1,
  cpuMicros: () => 1,
  cores: () => 1,
  loadAverage: () => [1, 1, 1],
  diskUsage: () => 0.5,
  machine: {
    memory: () => ({ usedBytes: 1, limitBytes: 2 }),
    cpu: () => ({ busyMicros: 1, cores: 1 }),
    network: () => ({ receivedBytes: 1, sentBytes: 1 }),
    openFiles: () => 1,
  },
};
const host = {
  name: 'bun',
  version: '0',
  platform: 'none',
  pid: 1,
  env: {},
  workingDirectory: '/',
  facts,
  print() {},
  printError() {},
} as unknown as Host;

export async function everyInstrument(): Promise<CatalogueEntry[]> {
  const flag = (key: string, value: unknown) => ({ name: key, key, value });
  const { config } = loadConfig({
    flags: [flag('models.provider', 'simulated'), flag('health_server.enabled', false)],
    environment: {},
  });
  const log = createLogger({ level: 'error', format: 'json', write() {}, now: Date.now });
  const runtime = composeRuntime({ config, agent: defineAgent({ instructions: 'None.' }), log });
  const { registry } = runtime;
  const admission = createAdmission({ config, runtime, clock: systemClock });
  const telemetry = await startTelemetry({ host, config, registry, agentName: 'none', log, version: '0' });
  const service = await serveCalls({ host, config, runtime, admission, log, version: '0', record: undefined });
  const push = await startOtlpPush({
    settings: {
      url: 'http://localhost',
      headers: {},
      protocol: 'http/json',
      temporality: 'cumulative',
      histograms: 'explicit',
      gzip: false,
      timeoutMs: 1,
      intervalMs: 60_000,
    },
    registry,
    resource: {},
    version: '0',
    log,
    clock: systemClock,
    epochMs: Date.now,
    exporter: { export: (_, done) => done({ code: 0 }), shutdown: () => Promise.resolve() },
  });
  createWorkerInstruments(registry, new Proxy({} as WorkerGauges, { get: () => () => 0 }));
  createRoomInstruments(registry, undefined);
  createAlertInstruments(registry);
  createNotifyInstruments(registry);
  createHistoryInstruments(registry);
  createMonitorInstruments(registry);
  const credentials = { apiKey: 'none', apiSecret: 'none', server: 'ws://localhost' };
  liveKitRoutes({ credentials, agentName: undefined, registry, log });
  const entries = catalogueOf(registry);
  await push.stop(0);
  await telemetry.stop();
  await service.drain(0, Promise.resolve());
  admission.stop();
  return entries;
}

const NOT_IN_TEXT = new Set(['telemetry.series.dropped', 'telemetry.values.rejected']);

/** The table of docs/metrics.md. */
export function catalogueTable(entries: readonly CatalogueEntry[]): string {
  const rows = entries
    .filter(({ name }) => !NOT_IN_TEXT.has(name))
    .map(({ name, prometheusName, kind, unit, labels, help }) => {
      const names = labels.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | \`${prometheusName}\` | ${kind} | ${unit.replace('{', '').replace('}', '')} | ${names} | ${help.replaceAll('|', '\\|')} |`;
    });
  return ['| over OTLP | at `/metrics` | kind | unit | labels | meaning |', '|---|---|---|---|---|---|', ...rows].join(
    '\n',
  );
}

export const TABLE_BEGIN = '<!-- made by scripts/write-metrics-page.ts: begin -->';
export const TABLE_END = '<!-- made by scripts/write-metrics-page.ts: end -->';
