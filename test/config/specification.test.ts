// CFG-01..12, R-10: the specification's production configuration is taken as it stands and each key can be read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';

/** The specification's `config :livekitex_agent`, key by key, as JSON. */
const PRODUCTION = {
  telemetry: {
    enabled: true,
    metrics_interval_ms: 1000,
    export_interval_ms: 60_000,
    retention_hours: 24,
  },
  health_server: { enabled: true, port: 8080, host: '0.0.0.0' },
  monitoring: {
    real_time_enabled: true,
    alert_thresholds: { latency_ms: 150, error_rate: 0.05, memory_percent: 80, cpu_percent: 70 },
  },
};
/** The same keys with other values, so that no default can stand in for what was read. */
const OTHER = {
  telemetry: { enabled: false, metrics_interval_ms: 2000, export_interval_ms: 30_000, retention_hours: 48 },
  health_server: { enabled: false, port: 9090, host: '::1' },
  monitoring: {
    real_time_enabled: false,
    alert_thresholds: { latency_ms: 151, error_rate: 0.06, memory_percent: 81, cpu_percent: 71 },
  },
};
const load = (value: unknown) => loadConfig({ file: { path: 'prod.json', text: JSON.stringify(value, null, 2) } });

function camel(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase()),
      camel(inner),
    ]),
  );
}
function leaves(value: unknown, path: string[] = []): [string[], unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

for (const [name, given] of Object.entries({ 'as it stands': PRODUCTION, 'with other values': OTHER })) {
  const spellings = { plain: given, camelCase: camel(given), 'under livekitex_agent': { livekitex_agent: given } };
  for (const [spelling, value] of Object.entries(spellings)) {
    test(`R-10: the production configuration ${name}, ${spelling}, is accepted and each key read`, () => {
      const { config, origins } = load(value);
      const read = leaves(camel(given));
      assert.equal(read.length, 12);
      for (const [path, expected] of read) {
        const got = path.reduce<unknown>((group, key) => (group as Record<string, unknown>)[key], config);
        assert.equal(got, expected, path.join('.'));
      }
      for (const [path] of leaves(given)) assert.equal(origins.get(path.join('.'))?.kind, 'file', path.join('.'));
    });
  }
}

test('the defaults are those of the requirements', () => {
  const { config } = loadConfig({});
  assert.equal(config.capacity.maxSessions, 100);
  assert.equal(config.capacity.scaleUpAt, 0.75);
  assert.equal(config.capacity.drainTimeoutMs, 30_000);
  assert.deepEqual(config.monitoring.alertThresholds, {
    latencyMs: 150,
    qualityScore: 3,
    memoryMb: 500,
    sessionMemoryMb: 10,
    memoryPercent: 80,
    cpuPercent: 70,
    errorRate: 0.05,
  });
  assert.equal(config.telemetry.exportIntervalMs, 60_000);
  assert.equal(config.telemetry.aggregatedRetentionDays, 30);
  assert.deepEqual([config.healthServer.port, config.healthServer.host], [8080, '127.0.0.1']);
  assert.deepEqual([config.session.idleTimeoutMs, config.session.maxTurns], [300_000, 100]);
});
