// The engine at work on virtual time: what reaches disk and channels and when, disks that fail, journals that are torn, floods of labels.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry } from '../../../src/metrics/index.ts';
import {
  AlertEngine,
  createAlertWatch,
  type Notification,
  readingsOf,
  registryCatalogue,
  type WatchNews,
} from '../../../src/ops/alerts/index.ts';
import { Journal } from '../../../src/ops/alerts/journal.ts';
import { VirtualClock } from '../notify/virtual-clock.ts';
import { type MemoryFolder, memoryFolder } from './memory-folder.ts';
import { begin, JOURNAL, type Rig, rig, RULE, states, told, WALL_MS } from './watch-rig.ts';

test('nothing runs before it is started and nothing after it was stopped', async () => {
  const one = await rig(memoryFolder());
  assert.equal(one.clock.pending, 0);
  begin(one);
  assert.equal(one.clock.pending, 1);
  one.watch.stop();
  await one.watch.close();
  assert.equal(one.clock.pending, 0);
});

test('the journal is synced before anybody is told; what is settled leaves it', async () => {
  const folder = memoryFolder();
  const one = await rig(folder);
  one.heat(80);
  let onDisk = '';
  one.watch.start((notifications) => {
    one.sent.push(...notifications);
    onDisk = folder.synced.join('');
  });
  await one.clock.advance(60_000);
  assert.deepEqual(told(one), ['firing 60']);
  assert.match(onDisk, /outbox\//);
  for (const each of one.sent) one.watch.settled(each, 'delivered');
  await one.clock.advance(1);
  const left = new AlertEngine({ journal: (folder.files.get(JOURNAL) ?? '').split('\n') });
  assert.deepEqual(left.unsettled(), []);
});

test('killed while firing: the next process tells nobody again and tells the end', async () => {
  const folder = memoryFolder();
  const first = await rig(folder);
  first.heat(80);
  begin(first);
  await first.clock.advance(90_000);
  assert.deepEqual(told(first), ['firing 60']);
  // No stop, no close: the folder is what is left of it.
  const second = await rig(memoryFolder(Object.fromEntries(folder.files)));
  begin(second);
  await second.clock.advance(20_000);
  assert.deepEqual(states(second), ['firing']);
  second.heat(80);
  await second.clock.advance(20_000);
  second.heat(10);
  await second.clock.advance(10_000);
  assert.deepEqual(
    second.sent.map(({ status }) => status),
    ['resolved'],
  );
});

test('a rule that user code sets in place of a shipped one keeps what an earlier process knew', async () => {
  const folder = memoryFolder();
  const first = await rig(folder);
  first.heat(80);
  begin(first);
  await first.clock.advance(90_000);
  const second = await rig(memoryFolder(Object.fromEntries(folder.files)));
  second.watch.engine.setAlertRule('hot', { ...RULE, threshold: 60 });
  begin(second);
  await second.clock.advance(20_000);
  assert.deepEqual([states(second), told(second)], [['firing'], []]);
});

test('what an earlier process left undelivered is sent again under its id, and is no news after six hours', async () => {
  const folder = memoryFolder();
  const first = await rig(folder, { ...RULE, duration_seconds: 0 });
  first.heat(80);
  begin(first, false);
  await first.clock.advance(5000);
  const [page] = first.sent;
  const files = Object.fromEntries(folder.files);
  const soon = await rig(memoryFolder(files));
  begin(soon);
  assert.deepEqual(
    soon.sent.map(({ id }) => id),
    [page?.id],
  );
  const late = await rig(memoryFolder(files));
  late.jump(7 * 3_600_000);
  begin(late);
  await late.clock.advance(5000);
  assert.deepEqual([late.sent, late.watch.engine.unsettled()], [[], []]);
});

test('the delivery log outlives the process, bounded', async () => {
  const folder = memoryFolder();
  const one = await rig(folder);
  begin(one);
  for (let i = 0; i < 250; i++) {
    one.watch.attempted({
      id: `n${i}`,
      channel: 'webhook',
      reason: 'test',
      attempt: 1,
      atMs: i,
      latencyMs: 1,
      outcome: 'delivered',
      status: 200,
      message: null,
    });
  }
  await one.clock.advance(1);
  const next = await rig(memoryFolder(Object.fromEntries(folder.files)));
  const log = next.watch.engine.deliveries<{ id: string }>();
  assert.deepEqual([log.length, log[0]?.id, log.at(-1)?.id], [200, 'n50', 'n249']);
});

test('a disk that is full or read-only stops no page, is said once, and is written again when it works', async () => {
  for (const code of ['ENOSPC', 'EROFS', 'EIO']) {
    const folder = memoryFolder();
    const one = await rig(folder);
    begin(one);
    await one.clock.advance(5000);
    folder.fault = { code };
    one.heat(80);
    await one.clock.advance(120_000);
    assert.deepEqual(told(one), ['firing 70'], code);
    assert.equal(one.watch.persistent, false);
    assert.deepEqual(one.problems(), ['the journal of alerts cannot be written; alerts go on in memory']);
    folder.fault = undefined;
    await one.clock.advance(15_000);
    assert.equal(one.watch.persistent, true);
    assert.equal(one.problems().at(-1), 'the journal of alerts is written again');
    // All of it is there, not only what came after.
    const next = await rig(memoryFolder(Object.fromEntries(folder.files)));
    begin(next);
    await next.clock.advance(10_000);
    assert.deepEqual([states(next), next.sent], [['firing'], []]);
  }
});

/** A second before its page is due. */
async function aboutToFire(folder: MemoryFolder): Promise<Rig> {
  const one = await rig(folder);
  begin(one);
  one.heat(80);
  await one.clock.advance(64_000);
  return one;
}

test('a disk that hangs holds a page up for a second and no longer', async () => {
  const folder = memoryFolder();
  const one = await aboutToFire(folder);
  folder.fault = 'hangs';
  await one.clock.advance(1000);
  assert.deepEqual(told(one), []);
  await one.clock.advance(1000);
  assert.deepEqual(told(one), ['firing 65']);
  folder.resume();
  await one.clock.advance(5000);
  assert.deepEqual(told(one), ['firing 65']);
});

test('killed while a sync takes its time: what happened meanwhile is written, and nobody is told again', async () => {
  const folder = memoryFolder();
  const first = await aboutToFire(folder);
  folder.slow = true;
  await first.clock.advance(2000);
  assert.deepEqual(told(first), ['firing 65']);
  assert.equal(folder.synced.join('').includes('outbox/'), false);
  const second = await rig(memoryFolder(Object.fromEntries(folder.files)));
  assert.deepEqual(second.watch.engine.unsettled(), []);
  second.heat(80);
  begin(second);
  await second.clock.advance(10_000);
  assert.deepEqual([states(second), told(second)], [['firing'], []]);
  // The disk comes back: all of it is synced, and a page waits for that again.
  folder.resume();
  await first.clock.advance(1);
  assert.match(folder.synced.join(''), /outbox\//);
  first.heat(10);
  await first.clock.advance(60_000);
  assert.equal(first.sent.at(-1)?.status, 'resolved');
  assert.deepEqual(first.problems(), []);
});

test('a sync that fails is noticed, also when lines were written beside it', async () => {
  const folder = memoryFolder();
  const one = await aboutToFire(folder);
  folder.slow = true;
  await one.clock.advance(2000);
  folder.resume();
  folder.fault = { code: 'EIO' };
  await one.clock.advance(1);
  assert.equal(one.problems().length, 1);
  assert.equal(one.watch.persistent, false);
  folder.fault = undefined;
  await one.clock.advance(20_000);
  assert.equal(one.watch.persistent, true);
});

test('a journal is made short again when it has grown', async () => {
  const folder = memoryFolder();
  const kept = ['newest'];
  const trouble = (error?: unknown): void => assert.fail(String(error));
  const journal = new Journal({
    folder,
    whole: () => kept,
    onTrouble: trouble,
    onRecovery: trouble,
    now: () => 0,
    maxAppendedBytes: 1000,
  });
  const lengths: number[] = [];
  for (let i = 0; i < 100; i++) {
    await journal.append([`line ${String(i).padStart(94)}`]);
    lengths.push((folder.files.get(JOURNAL) ?? '').length);
  }
  assert.ok(Math.max(...lengths) <= 1200, `${Math.max(...lengths)} bytes`);
  assert.ok(folder.replaced >= 8 && folder.replaced <= 12, `${folder.replaced} times`);
  assert.match(folder.files.get(JOURNAL) ?? '', /^newest\n/);
});

test('a torn tail is tolerated and said; more damage is set aside', async () => {
  const folder = memoryFolder();
  const first = await rig(folder);
  first.heat(80);
  begin(first);
  await first.clock.advance(90_000);
  const whole = folder.files.get(JOURNAL) ?? '';
  const torn = await rig(memoryFolder({ [JOURNAL]: `${whole}{"v":1,"t":17958,"k":"inst` }));
  assert.deepEqual(torn.problems(), ['lines of the journal that could not be read: 1']);
  begin(torn);
  await torn.clock.advance(10_000);
  assert.deepEqual([states(torn), torn.sent], [['firing'], []]);

  const damagedFolder = memoryFolder({ [JOURNAL]: `${whole}\u0000\u0000\n{}\n[1,2]\n` });
  const damaged = await rig(damagedFolder);
  assert.match(damaged.problems()[0] ?? '', /could not be read: 3, a copy is kept as alerts\.journal\.damaged/);
  assert.equal(damagedFolder.files.has('alerts.journal.damaged'), true);
  begin(damaged);
  await damaged.clock.advance(10_000);
  assert.deepEqual([states(damaged), damaged.sent], [['firing'], []]);
});

test('a journal of a newer version is left alone; alerts go on in memory', async () => {
  const text = '{"v":2,"t":1,"k":"instance/x","x":{}}\n';
  const folder = memoryFolder({ [JOURNAL]: text });
  const one = await rig(folder);
  assert.match(one.problems()[0] ?? '', /left as it is: .*version 2.*; alerts go on in memory/);
  one.heat(80);
  begin(one);
  await one.clock.advance(120_000);
  assert.deepEqual(told(one), ['firing 60']);
  assert.equal(folder.files.get(JOURNAL), text);
  assert.equal(one.watch.persistent, false);
});

test('a flood of labels is bounded, counted and said, and the rule goes on', async () => {
  const registry = createRegistry({ maxSeriesPerInstrument: 100_000 });
  const clock = new VirtualClock();
  const gauge = registry.gauge({ name: 'flood', help: 'x', labels: ['id'] });
  const news: WatchNews[] = [];
  const watch = await createAlertWatch({
    engine: { channels: () => ['webhook'], metrics: () => registryCatalogue(registry) },
    readings: readingsOf(registry),
    clock,
    wallNow: () => WALL_MS + clock.now(),
    intervalMs: 5000,
    folder: memoryFolder(),
    onNews: (one) => news.push(one),
  });
  watch.engine.setAlertRule('flooded', { ...RULE, metric: 'flood', duration_seconds: 0 });
  for (let i = 0; i < 5000; i++) gauge.labels({ id: `${i}` }).set(80);
  const sent: Notification[] = [];
  watch.start((notifications) => sent.push(...notifications));
  await clock.advance(20_000);
  assert.equal(watch.engine.alerts().length, 500);
  const said = news.filter((one) => one.kind === 'problem');
  assert.equal(said.length, 1, 'once, not at each evaluation');
  assert.equal(sent.length, 1);
  assert.deepEqual([sent[0]?.alerts.length, sent[0]?.truncatedAlerts], [100, 400]);
  assert.ok((watch.engine.ruleViews()[0]?.refused ?? 0) >= 1500);
});

test('a template that fails while an alert fires is said in its text, and the page goes out', async () => {
  const rule = { ...RULE, duration_seconds: 0, annotations: { summary: 'in {{ $labels.room }}: {{ $value }}' } };
  const one = await rig(memoryFolder(), rule);
  one.heat(80);
  begin(one);
  await one.clock.advance(5000);
  assert.match(one.sent[0]?.alerts[0]?.annotations['summary'] ?? '', /^<error expanding template: no label "room">$/);
  assert.equal(one.news.filter(({ kind }) => kind === 'problem').length, 1);
});

test('a test goes out marked, through the journal like every page', async () => {
  const folder = memoryFolder();
  const one = await rig(folder);
  begin(one, false);
  assert.deepEqual(one.watch.test('nothing'), []);
  assert.equal(one.watch.test('hot').length, 1);
  await one.clock.advance(1);
  assert.equal(one.sent[0]?.reason, 'test');
  assert.match(folder.files.get(JOURNAL) ?? '', /outbox\//);
  assert.deepEqual(states(one), []);
});

test('without measurements a rule says so, which is not "all is well"', async () => {
  const one = await rig(undefined);
  begin(one);
  assert.equal(one.watch.engine.ruleViews()[0]?.state, 'not measured');
  one.heat(10);
  await one.clock.advance(5000);
  assert.equal(one.watch.engine.ruleViews()[0]?.state, 'inactive');
  one.heat(80);
  await one.clock.advance(5000);
  assert.equal(one.watch.engine.ruleViews()[0]?.state, 'pending');
});
