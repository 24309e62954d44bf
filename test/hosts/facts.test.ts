// What hosts tell of the process: true values on each runtime, and limits of containers as Linux writes them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cgroupLimits } from '../../src/hosts/node-facts.ts';
import { HOSTS, missing, start } from './program.ts';

for (const host of HOSTS) {
  it(`${host} measures its process`, { skip: missing(host) }, async () => {
    const { code, output } = await start(host, 'facts').exit();
    assert.equal(code, 0, output);
    const facts = JSON.parse(output.split('\n').find((line) => line.startsWith('{')) ?? '{}');
    assert.equal(facts.name, host);
    assert.ok(facts.memoryBytes > 10e6 && facts.memoryBytes < 1e9, output);
    assert.ok(facts.memoryLimitBytes > facts.memoryBytes, output);
    assert.ok(facts.cpuMicros > 1000, output);
    assert.ok(facts.cores >= 1, output);
    assert.equal(facts.loadAverage?.length, 3);
    assert.ok(facts.diskUsage > 0 && facts.diskUsage <= 1, output);
    // What cannot be known is null, never 0.
    assert.equal(facts.nowhere, null);
  });
}

describe('memory limits of control groups', () => {
  const limits = (files: Record<string, string>) => cgroupLimits((path) => files[path] ?? null);
  it('of version 2 bind the group and its parents', () => {
    const files = {
      '/proc/self/cgroup': '0::/pod/box\n',
      '/sys/fs/cgroup/pod/box/memory.max': 'max\n',
      '/sys/fs/cgroup/pod/memory.max': '536870912\n',
    };
    assert.deepEqual(limits(files), [536_870_912]);
  });
  it('of version 2 seen from inside a container are at the root', () => {
    const files = { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': '104857600\n' };
    assert.deepEqual(limits(files), [104_857_600]);
  });
  it('of version 1 are found, and its huge number for "none" is not', () => {
    const files = {
      '/proc/self/cgroup': '5:cpu,cpuacct:/x\n4:memory:/docker/abc\n',
      '/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': '268435456\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    };
    assert.deepEqual(limits(files), [268_435_456]);
  });
  it('are none where Linux tells nothing', () => {
    assert.deepEqual(limits({}), []);
    assert.deepEqual(limits({ '/proc/self/cgroup': 'garbage\n\n0::/\n', '/sys/fs/cgroup/memory.max': 'garbage' }), []);
  });
});
