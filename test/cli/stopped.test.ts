// Signals: the first asks, the second insists, the third waits for nothing; in a process of several only the supervisor insists.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NUMBER_VARIABLE } from '../../src/cli/processes/processes.ts';
import { untilStopped } from '../../src/cli/stopped.ts';
import type { Host } from '../../src/hosts/port.ts';
import { createFakeHost } from './fake-host.ts';

type SignalListener = Parameters<Host['onSignal']>[0];

function rig(env: Record<string, string> = {}) {
  const codes: number[] = [];
  let listener: SignalListener = () => {};
  let line: (text: string) => void = () => {};
  const host: Host = {
    ...createFakeHost({ env }),
    onSignal(heard) {
      listener = heard;
      return () => {};
    },
    followParent(heard) {
      line = heard;
    },
    exit(code) {
      codes.push(code);
      throw new Error('the program is over');
    },
  };
  const stopped = untilStopped(host);
  const told: string[] = [];
  void stopped.first.then(() => told.push('first'));
  void stopped.second.then(() => told.push('second'));
  const settle = async () => {
    for (let i = 0; i < 4; i++) await Promise.resolve();
    return [...told];
  };
  const signal: SignalListener = (name) => listener(name);
  return { stopped, signal, hear: (text: string) => line(text), settle, codes };
}

test('one signal asks, two insist, three end the program at once', async () => {
  const { stopped, signal, settle, codes } = rig();
  assert.equal(stopped.signalled(), false);
  signal('SIGTERM');
  assert.deepEqual(await settle(), ['first']);
  assert.equal(stopped.signalled(), true);
  signal('SIGINT');
  assert.deepEqual(await settle(), ['first', 'second']);
  assert.deepEqual(codes, []);
  assert.throws(() => signal('SIGTERM'), /the program is over/);
  assert.deepEqual(codes, [1]);
});

test('a process under a supervisor is asked by a signal and hurried by its supervisor only', async () => {
  const { signal, hear, settle, codes } = rig({ [NUMBER_VARIABLE]: '1' });
  signal('SIGINT');
  assert.deepEqual(await settle(), []);
  for (let i = 0; i < 4; i++) signal('SIGTERM');
  assert.deepEqual(await settle(), ['first']);
  hear('something else');
  assert.deepEqual(await settle(), ['first']);
  hear('hurry');
  assert.deepEqual([await settle(), codes], [['first', 'second'], []]);
});
