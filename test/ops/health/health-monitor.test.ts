// Looks at dependencies: every 5 s, one at a time, thresholds, hanging checks, staleness, availability.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry } from '../../../src/metrics/index.ts';
import { type CheckAnswer, startHealthMonitor } from '../../../src/ops/health/index.ts';
import { UserChecks } from '../../../src/ops/health/user-checks.ts';
import { VirtualTime } from '../../simulation/virtual-time.ts';

function rig() {
  const time = new VirtualTime();
  const checks = new UserChecks();
  const said: string[] = [];
  const state = { unable: null as string | null };
  const monitor = startHealthMonitor({
    checks: () => checks.list(),
    registry: createRegistry(),
    clock: time,
    epochNowMs: () => 1_000_000 + time.now(),
    unable: () => state.unable,
    warn: (_message, fields) => void said.push(`${fields.check} ${fields.status}`),
  });
  return { time, checks, said, state, monitor };
}

test('checks are looked at every 5 s, not when somebody asks', async () => {
  const { time, checks, monitor } = rig();
  let looks = 0;
  checks.register('database', () => {
    looks++;
    return true;
  });
  await time.runTo(4999);
  assert.equal(looks, 0, 'the first round was before it was registered');
  for (let i = 0; i < 1000; i++) monitor.view();
  await time.runTo(20_000);
  assert.equal(looks, 4);
  const [check] = monitor.view().checks;
  assert.deepEqual(check, {
    name: 'database',
    required: false,
    status: 'pass',
    message: null,
    durationMs: 0,
    checkedAtMs: 1_020_000,
  });
  assert.equal(monitor.view().status, 'healthy');
});

test('one failure is a warning, two are a failure; only a required one makes the program unhealthy', async () => {
  const { time, checks, said, monitor } = rig();
  let answer: CheckAnswer = 'error';
  checks.register('database', () => answer);
  await time.runTo(5000);
  assert.equal(monitor.view().checks[0]?.status, 'warn');
  await time.runTo(10_000);
  assert.equal(monitor.view().checks[0]?.status, 'fail');
  assert.equal(monitor.view().status, 'degraded');
  checks.register('database', () => answer, { required: true });
  await time.runTo(20_000);
  assert.equal(monitor.view().status, 'unhealthy');
  answer = 'ok';
  await time.runTo(25_000);
  assert.equal(monitor.view().status, 'healthy');
  assert.deepEqual(said, ['database warn', 'database fail', 'database warn', 'database fail', 'database pass']);
});

test('a check that hangs is given up after its time, never asked twice, and holds up no other', async () => {
  const { time, checks, monitor } = rig();
  let asked = 0;
  let aborted = false;
  let other = 0;
  checks.register('hangs', (signal) => {
    asked++;
    signal.addEventListener('abort', () => {
      aborted = true;
    });
    return new Promise<never>(() => {});
  });
  checks.register('works', () => void other++);
  await time.runTo(5000);
  // Answers are there at once, also while it hangs.
  assert.equal(monitor.view().checks[0]?.message, 'not checked yet');
  await time.runTo(7000);
  assert.ok(aborted);
  assert.equal(monitor.view().checks[0]?.message, 'no answer in 2000 ms');
  await time.runTo(30_000);
  assert.equal(asked, 1);
  assert.equal(other, 6);
  // What was seen once is not believed for ever.
  assert.equal(monitor.view().checks[0]?.status, 'fail');
  assert.equal(monitor.view().checks[0]?.message, 'last answer is older than 15000 ms');
});

test('whatever a check answers or throws has a meaning', async () => {
  const { time, checks, monitor } = rig();
  const answers: [string, () => unknown, string][] = [
    ['nothing', () => undefined, 'pass'],
    ['true', () => true, 'pass'],
    ['ok', async () => 'ok', 'pass'],
    ['object', () => ({ status: 'ok', message: 'fine' }), 'pass'],
    ['warning', () => 'warning', 'warn'],
    ['slow', () => ({ status: 'warning', message: 'slow' }), 'warn'],
    ['false', () => false, 'fail'],
    ['null', () => null, 'fail'],
    ['number', () => 42, 'fail'],
    [
      'throws',
      () => {
        throw new Error('refused');
      },
      'fail',
    ],
    ['rejects', () => Promise.reject(new Error('refused')), 'fail'],
  ];
  for (const [name, check] of answers) checks.register(name, check as () => CheckAnswer);
  await time.runTo(10_000);
  const seen = new Map(monitor.view().checks.map((one) => [one.name, one]));
  for (const [name, , status] of answers) assert.equal(seen.get(name)?.status, status, name);
  assert.equal(seen.get('rejects')?.message, 'refused');
  assert.equal(seen.get('slow')?.message, 'slow');
});

test('AVL-01: availability counts a look each 5 s, and is unknown before the first', async () => {
  const { time, state, monitor } = rig();
  assert.deepEqual(monitor.availability(), { ratio: null, probes: 0, successful: 0 });
  await time.runTo(15_000);
  assert.deepEqual(monitor.availability(), { ratio: 1, probes: 3, successful: 3 });
  state.unable = 'draining';
  await time.runTo(20_000);
  assert.deepEqual(monitor.availability(), { ratio: 0.75, probes: 4, successful: 3 });
  monitor.stop();
  assert.equal(time.pending, 0);
});

test('registrations are checked, bounded and replaceable', () => {
  const checks = new UserChecks();
  const stop = checks.register('db', () => true);
  checks.register('db', () => false);
  stop();
  assert.equal(checks.list().length, 1);
  assert.throws(() => checks.register('Not A Name', () => true), RangeError);
  assert.throws(() => checks.register('db', 5 as never), TypeError);
  assert.throws(() => checks.register('db', () => true, { timeoutMs: 0 }), RangeError);
  for (let i = 0; i < 49; i++) checks.register(`db${i}`, () => true);
  assert.throws(() => checks.register('one.more', () => true), /At most 50/);
});
