// Telemetry by its configuration: off means that nothing runs and nothing is collected; on, at the interval that was asked for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHistory } from '../../src/cli/operations/history.ts';
import { otlpSettings } from '../../src/cli/telemetry/otlp-settings.ts';
import { startTelemetry } from '../../src/cli/telemetry/telemetry.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createRegistry, takeSnapshot } from '../../src/metrics/index.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { createFakeHost } from '../cli/fake-host.ts';
import { VirtualTime } from '../simulation/virtual-time.ts';

const log = createLogger({ level: 'error', format: 'json', write() {}, now: () => 0 });
const ENVIRONMENT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };

function rig(telemetry: Readonly<Record<string, unknown>>) {
  const text = JSON.stringify({ telemetry, models: { provider: 'simulated' } });
  const { config } = loadConfig({ file: { path: 'syrinx.json', text }, environment: {} });
  const host = createFakeHost();
  let looks = 0;
  const facts = { ...host.facts, cores: () => (looks++, 2) };
  const clock = new VirtualTime();
  const registry = createRegistry();
  const options = { config, registry, log, clock, agentName: 'a', version: '0' };
  return {
    config,
    clock,
    registry,
    looks: () => looks,
    start: (env: Record<string, string> = {}) => startTelemetry({ ...options, host: { ...host, facts, env } }),
    history: () => startHistory({ host, config, registry, log, clock }),
  };
}

test('CFG-01: telemetry.enabled false: no timer, no look at the machine, nothing sent, no history', async () => {
  const off = rig({ enabled: false });
  const telemetry = await off.start(ENVIRONMENT);
  assert.equal(telemetry.otlp, undefined);
  assert.equal(off.history(), null);
  assert.equal(off.clock.pending, 0);
  assert.equal(off.looks(), 0);
  // Who this is can still be told; nothing is measured.
  assert.deepEqual(takeSnapshot(off.registry), []);
  await telemetry.stop();
});

test('CFG-02: the machine is looked at each telemetry.metrics_interval_ms, 1000 by default', async () => {
  for (const [given, intervalMs] of [
    [{}, 1000],
    [{ metrics_interval_ms: 250 }, 250],
  ] as const) {
    const on = rig(given);
    const telemetry = await on.start();
    await on.clock.runTo(intervalMs * 0.9);
    const before = on.looks();
    const counts: number[] = [];
    for (let i = 1; i <= 4; i++) {
      await on.clock.runTo(i * intervalMs);
      counts.push(on.looks());
    }
    const each = (counts[0] ?? 0) - before;
    assert.ok(each > 0, `${each}`);
    assert.deepEqual(
      counts,
      [1, 2, 3, 4].map((n) => before + n * each),
    );
    await telemetry.stop();
    assert.equal(on.clock.pending, 0);
  }
});

test('CFG-03: deliveries come each telemetry.export_interval_ms, 60,000 by default', () => {
  assert.equal(otlpSettings(rig({}).config, ENVIRONMENT)?.intervalMs, 60_000);
  assert.equal(otlpSettings(rig({ export_interval_ms: 15_000 }).config, ENVIRONMENT)?.intervalMs, 15_000);
});
