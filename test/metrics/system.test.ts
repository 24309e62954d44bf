// The machine and the process: what the host tells, over time; what it does not tell has no series.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMachineFacts, networkBytes } from '../../src/hosts/machine-facts.ts';
import type { ProcessFacts } from '../../src/hosts/port.ts';
import { createRegistry, renderPrometheus, takeSnapshot } from '../../src/metrics/index.ts';
import { probeLoop } from '../../src/ops/system/loop-probe.ts';
import { queueSizes } from '../../src/ops/system/queue-size.ts';
import { startSampler } from '../../src/ops/system/sampler.ts';
import { VirtualTime } from '../simulation/virtual-time.ts';

const UNKNOWN: ProcessFacts = {
  memoryBytes: () => null,
  memoryLimitBytes: () => null,
  cpuMicros: () => null,
  cores: () => null,
  loadAverage: () => null,
  diskUsage: () => null,
};

test('a host that tells nothing has no series, and none of them is 0', () => {
  const registry = createRegistry();
  const clock = new VirtualTime();
  const sampler = startSampler({ registry, facts: UNKNOWN, clock, intervalMs: 1000, diskPath: '/', linkBitsPerS: 1e6 });
  sampler.sample();
  assert.deepEqual(takeSnapshot(registry), []);
  sampler.stop();
  assert.equal(clock.pending, 0);
});

test('shares of time come with the second look, and a counter that began anew is no negative use', async () => {
  const registry = createRegistry();
  const clock = new VirtualTime();
  const now = { cpu: 5e6, busy: 100e6, received: 1000, sent: 0 };
  const facts: ProcessFacts = {
    ...UNKNOWN,
    cpuMicros: () => now.cpu,
    cores: () => 4,
    loadAverage: () => [1, 2, 3],
    diskUsage: () => 0.75,
    machine: {
      memory: () => ({ usedBytes: 300, limitBytes: 1200 }),
      cpu: () => ({ busyMicros: now.busy, cores: 4 }),
      network: () => ({ receivedBytes: now.received, sentBytes: now.sent }),
      openFiles: () => 12,
    },
  };
  const value = (name: string) => {
    const found = takeSnapshot(registry).find((one) => one.name === `syrinx.${name}`);
    return found === undefined || found.kind === 'histogram' ? null : found.value;
  };
  const sampler = startSampler({ registry, facts, clock, intervalMs: 1000, diskPath: '/', linkBitsPerS: 1_000_000 });
  assert.equal(value('process.cpu.time'), 5);
  assert.equal(value('system.cpu'), null);
  assert.equal(value('system.memory'), 0.25);
  assert.equal(value('system.disk.free'), 0.25);
  Object.assign(now, { cpu: 7e6, busy: 103e6, received: 26_000, sent: 125_000 });
  await clock.runTo(1000);
  assert.equal(value('process.cpu'), 0.5);
  assert.equal(value('process.cpu.time'), 7);
  assert.equal(value('system.cpu'), 0.75);
  assert.equal(value('network.received'), 25_000);
  assert.equal(value('network.utilization'), 1);
  Object.assign(now, { received: 5, sent: 5 });
  await clock.runTo(2000);
  assert.equal(value('network.received'), 25_000);
  assert.equal(value('network.sent'), 125_000);
  assert.match(renderPrometheus(registry), /^syrinx_system_load\{minutes="15"\} 3$/m);
  sampler.stop();
});

test('a blocked event loop is seen by the probe', async () => {
  const registry = createRegistry();
  const time = new VirtualTime();
  let skewMs = 0;
  const stop = probeLoop(registry, {
    now: () => time.now() + skewMs,
    setTimer: (run, ms) => time.setTimer(run, ms),
  });
  await time.runTo(1000);
  // While the loop is blocked the clock goes on and no timer runs.
  skewMs += 400;
  await time.runTo(2000);
  stop();
  const [lag] = takeSnapshot(registry);
  assert.ok(lag?.kind === 'histogram' && lag.max !== null);
  assert.ok(Math.abs(lag.max - 0.4) < 1e-9 && lag.count === 40 && lag.p90 === 0, JSON.stringify(lag));
  assert.equal(time.pending, 0);
});

test('what waits is one number and one for each queue; what is not known is left out', () => {
  const registry = createRegistry();
  const queues = queueSizes(registry);
  assert.equal(queueSizes(registry), queues);
  assert.doesNotMatch(renderPrometheus(registry), /queue/);
  queues.add('models', () => 3);
  queues.add('admission', () => 4);
  queues.add('notifications', () => null);
  const page = renderPrometheus(registry);
  assert.match(page, /^syrinx_queue_size 7$/m);
  assert.match(page, /^syrinx_queue_waiting\{queue="admission"\} 4$/m);
  assert.doesNotMatch(page, /queue="notifications"/);
});

const MEMINFO = 'MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\n';
const STAT = 'cpu  10 10 10 900 5 5 5 5 0 0\ncpu0 5 5 5 450 3 3 3 3 0 0\ncpu1 5 5 5 450 2 2 2 2 0 0\n';
const reading = (files: Record<string, string>) => (path: string) => files[path] ?? null;

test('memory: of the innermost group with a limit, without what can be dropped; else of the machine', () => {
  const v2 = {
    '/proc/self/cgroup': '0::/pod/app\n',
    '/sys/fs/cgroup/pod/app/memory.max': 'max',
    '/sys/fs/cgroup/pod/app/memory.current': '700',
    '/sys/fs/cgroup/pod/memory.max': '2000',
    '/sys/fs/cgroup/pod/memory.current': '900',
    '/sys/fs/cgroup/pod/memory.stat': 'active_file 5\ninactive_file 400\n',
    '/proc/meminfo': MEMINFO,
  };
  assert.deepEqual(createMachineFacts(reading(v2)).memory(), { usedBytes: 500, limitBytes: 2000 });
  const v1 = {
    '/proc/self/cgroup': '4:memory:/docker/x\n0::/\n',
    '/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes': '4000',
    '/sys/fs/cgroup/memory/docker/x/memory.usage_in_bytes': '1000',
    '/sys/fs/cgroup/memory/docker/x/memory.stat': 'total_inactive_file 100\n',
  };
  assert.deepEqual(createMachineFacts(reading(v1)).memory(), { usedBytes: 900, limitBytes: 4000 });
  const machine = { '/proc/self/cgroup': '0::/\n', '/proc/meminfo': MEMINFO };
  assert.deepEqual(createMachineFacts(reading(machine)).memory(), { usedBytes: 600 * 1024, limitBytes: 1000 * 1024 });
});

test('CPU: of the quota where there is one, else of all cores', () => {
  const v2 = {
    '/proc/self/cgroup': '0::/app\n',
    '/sys/fs/cgroup/app/cpu.max': '150000 100000\n',
    '/sys/fs/cgroup/app/cpu.stat': 'usage_usec 777\nuser_usec 1\n',
    '/proc/stat': STAT,
  };
  assert.deepEqual(createMachineFacts(reading(v2)).cpu(), { busyMicros: 777, cores: 1.5 });
  const v1 = {
    '/proc/self/cgroup': '2:cpuacct:/x\n1:cpu:/x\n',
    '/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us': '50000',
    '/sys/fs/cgroup/cpu/x/cpu.cfs_period_us': '100000',
    '/sys/fs/cgroup/cpuacct/x/cpuacct.usage': '5000000',
  };
  assert.deepEqual(createMachineFacts(reading(v1)).cpu(), { busyMicros: 5000, cores: 0.5 });
  const free = {
    '/proc/self/cgroup': '0::/app\n',
    '/sys/fs/cgroup/app/cpu.max': 'max 100000\n',
    '/proc/stat': STAT,
  };
  assert.deepEqual(createMachineFacts(reading(free)).cpu(), { busyMicros: 450_000, cores: 2 });
});

test('network: all interfaces but the loopback, and null where there is no table', () => {
  const table = `Inter-|   Receive |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes packets
    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
  eth0:100 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0
  eth1: 20 1 0 0 0 0 0 0 3 1 0 0 0 0 0 0
`;
  assert.deepEqual(networkBytes(table), { receivedBytes: 120, sentBytes: 10 });
  assert.equal(networkBytes(null), null);
  assert.equal(networkBytes('nonsense'), null);
});
