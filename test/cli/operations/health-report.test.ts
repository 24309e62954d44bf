// Health and readiness of the program in each of its states (observability 8.1, C-16..18), on virtual time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgramHealth } from '../../../src/cli/operations/health-report.ts';
import { createRegistry } from '../../../src/metrics/index.ts';
import { type CheckAnswer, startHealthMonitor } from '../../../src/ops/health/index.ts';
import { UserChecks } from '../../../src/ops/health/user-checks.ts';
import { VirtualTime } from '../../simulation/virtual-time.ts';
import { createFakeHost } from '../fake-host.ts';

async function rig(required: boolean) {
  const time = new VirtualTime();
  const checks = new UserChecks();
  const registry = createRegistry();
  const now = {
    answer: 'ok' as CheckAnswer,
    phase: 'running' as 'starting' | 'running' | 'draining',
    closed: null as string | null,
    trouble: null as string | null,
    model: 'closed',
  };
  checks.register('database', () => now.answer, { required });
  const monitor = startHealthMonitor({
    checks: () => checks.list(),
    registry,
    clock: time,
    epochNowMs: () => time.now(),
  });
  const health = createProgramHealth({
    host: createFakeHost(),
    registry,
    monitor,
    phase: () => now.phase,
    closed: () => now.closed,
    livekit: { trouble: () => now.trouble, report: () => ({ ready: now.trouble === null }) },
    models: () => [{ name: 'openai.llm', state: now.model }],
  });
  await time.runTo(0);
  return { time, now, health };
}

test('C-18: degraded serves, unhealthy does not: an optional dependency against a required one', async () => {
  for (const required of [false, true]) {
    const { time, now, health } = await rig(required);
    assert.equal(health.report().status, 'healthy');
    now.answer = 'error';
    await time.runTo(5000);
    assert.equal(health.report().status, 'degraded', 'one failure is no outage');
    assert.equal(health.missing(), null);
    await time.runTo(10_000);
    assert.equal(health.report().status, required ? 'unhealthy' : 'degraded');
    assert.equal(health.missing(), required ? 'database is down' : null);
    assert.equal(health.report().services?.database, 'unhealthy');
    assert.ok(!health.services().includes('database'));
    now.answer = 'ok';
    await time.runTo(15_000);
    assert.equal(health.report().status, 'healthy');
    assert.ok(health.services().includes('database'));
  }
});

test('a full house, a resting model and a lost LiveKit are degraded; starting and draining are not healthy', async () => {
  const { now, health } = await rig(false);
  now.closed = 'full';
  assert.equal(health.report().status, 'degraded');
  assert.ok(health.report().checks.some(({ name, message }) => name === 'capacity' && message === 'full'));
  now.closed = null;
  now.model = 'open';
  assert.equal(health.report().status, 'degraded');
  assert.deepEqual(health.services(), ['livekit', 'database']);
  now.model = 'closed';
  now.trouble = 'connection lost';
  assert.equal(health.report().status, 'degraded');
  assert.equal(health.report().services?.livekit, 'unhealthy');
  assert.deepEqual(health.services(), ['database', 'openai.llm']);
  now.trouble = null;
  assert.equal(health.report().status, 'healthy');
  for (const phase of ['starting', 'draining'] as const) {
    now.phase = phase;
    assert.equal(health.report().status, 'unhealthy');
    assert.deepEqual(health.report().checks[0], { name: 'phase', status: 'fail', message: phase });
  }
});

test('HLT-07: what the sampler measured is told in percent, with the limits of the specification', async () => {
  const registry = createRegistry();
  const gauge = (name: string, value: number) => registry.gauge({ name, help: 'x', unit: '1' }).labels().set(value);
  gauge('syrinx.system.memory', 0.5);
  gauge('syrinx.system.cpu', 0.71);
  gauge('syrinx.process.cpu', 0.1);
  const health = createProgramHealth({
    host: createFakeHost(),
    registry,
    monitor: { view: () => ({ status: 'healthy', checks: [] }) },
    phase: () => 'running',
    closed: () => null,
    models: () => [],
  });
  const { system } = health.report();
  assert.equal(system?.memory_usage, 50);
  assert.equal(system?.cpu_usage, 71);
  assert.equal(system?.cpu_usage_percent, 10);
  assert.equal(system?.disk_usage, null);
  assert.equal(system?.status, 'degraded', 'above 70 % of the CPU');
});
