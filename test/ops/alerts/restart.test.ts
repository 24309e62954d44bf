// A process that dies and another that goes on: nobody is paged twice, everybody hears the end, nothing in the journal can stop the start.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AlertEngine } from '../../../src/ops/alerts/engine.ts';
import { NewerRecordsError, type Notification, SampleStore } from '../../../src/ops/alerts/index.ts';

const LATENCY = 'audio.processing.latency_ms';
const RULE = {
  metric: LATENCY,
  condition: 'greater_than',
  threshold: 150,
  duration_seconds: 60,
  severity: 'critical',
  notification_channels: ['webhook'],
};

function start(journal: readonly string[] = [], rule: object = RULE): AlertEngine {
  const engine = new AlertEngine({ journal, channels: () => ['webhook'], store: new SampleStore() });
  engine.setAlertRule('latency', rule);
  return engine;
}
function step(engine: AlertEngine, journal: string[], seconds: number, value: number | null): Notification[] {
  engine.observe(value === null ? [] : [{ metric: LATENCY, labels: {}, value }], seconds * 1000);
  const { notifications } = engine.evaluate(seconds * 1000);
  journal.push(...engine.takeJournal());
  return [...notifications];
}
const states = (engine: AlertEngine): string[] => engine.alerts().map(({ state }) => state);

test('killed while firing: no second page, and the end is told under the same key', () => {
  const journal: string[] = [];
  const first = start();
  const pages = [0, 30, 60, 90].flatMap((s) => step(first, journal, s, 200));
  assert.equal(pages.length, 1);
  for (const { id } of pages) first.settled(id, 90_000);
  journal.push(...first.takeJournal());

  const second = start(journal);
  assert.deepEqual(second.unsettled(), []);
  // The first evaluations of a new process see nothing yet.
  for (const s of [100, 105]) assert.deepEqual(step(second, journal, s, null), []);
  for (const s of [110, 140, 170, 200]) assert.deepEqual(step(second, journal, s, 200), []);
  assert.deepEqual(states(second), ['firing']);
  const over = step(second, journal, 230, 20);
  assert.deepEqual(
    over.map(({ status, groupKey }) => [status, groupKey]),
    [['resolved', pages[0]?.groupKey]],
  );
  assert.notEqual(over[0]?.id, pages[0]?.id);
  assert.equal(over[0]?.alerts[0]?.fingerprint, pages[0]?.alerts[0]?.fingerprint);
});

test('it was over while nobody looked: the end is told at once', () => {
  const journal: string[] = [];
  const first = start();
  for (const s of [0, 60]) step(first, journal, s, 200);
  const second = start(journal);
  assert.deepEqual(
    step(second, journal, 600, 20).map(({ status }) => status),
    ['resolved'],
  );
});

test('its metric never comes back: held for five minutes, then over', () => {
  const journal: string[] = [];
  const first = start();
  for (const s of [0, 60]) step(first, journal, s, 200);
  const second = start(journal);
  const told = Array.from({ length: 40 }, (_, i) => step(second, journal, 100 + i * 10, null)).flat();
  assert.deepEqual(
    told.map(({ status, atMs }) => `${status} ${atMs / 1000}`),
    ['resolved 400'],
  );
});

test('its rule is gone: what was told is taken back', () => {
  const journal: string[] = [];
  const first = start();
  for (const s of [0, 60]) step(first, journal, s, 200);
  const second = new AlertEngine({ journal });
  const { notifications } = second.evaluate(90_000);
  assert.deepEqual(
    notifications.map(({ status, channel }) => `${status} ${channel}`),
    ['resolved webhook'],
  );
  assert.deepEqual(new AlertEngine({ journal: second.wholeJournal() }).evaluate(120_000).notifications, []);
});

test('time in which nobody looked does not count for a pending alert', () => {
  const journal: string[] = [];
  const first = start();
  for (const s of [0, 20, 40]) step(first, journal, s, 200);
  const second = start(journal);
  const seen = [1000, 1010, 1020, 1030, 1040].map((s) => {
    step(second, journal, s, 200);
    return states(second)[0];
  });
  // It was seen for 40 s before and needs 60.
  assert.deepEqual(seen, ['pending', 'pending', 'firing', 'firing', 'firing']);
});

test('an average that is not full again after a restart ends nothing', () => {
  const rule = { ...RULE, duration_seconds: 0, aggregation: 'avg', window_seconds: 600 };
  const journal: string[] = [];
  const first = start([], rule);
  for (let s = 0; s <= 600; s += 60) step(first, journal, s, 200);
  const second = start(journal, rule);
  const told = Array.from({ length: 12 }, (_, i) => step(second, journal, 660 + i * 60, 20)).flat();
  assert.deepEqual(
    told.map(({ status, atMs }) => `${status} ${atMs / 1000}`),
    ['resolved 1260'],
  );
});

test('killed between the decision and the delivery: sent again under the same id', () => {
  const journal: string[] = [];
  const [page] = [0, 60].flatMap((s) => step(start([], { ...RULE, duration_seconds: 0 }), journal, s, 200));
  const second = start(journal);
  assert.deepEqual(
    second
      .unsettled()
      .map(({ id }) => id)
      .includes(page?.id ?? ''),
    true,
  );
});

test('silences and acknowledgements survive', () => {
  const journal: string[] = [];
  const first = start();
  for (const s of [0, 60]) step(first, journal, s, 200);
  first.acknowledge(first.alerts()[0]?.fingerprint ?? '', 'jo', 61_000);
  first.silence(
    { matchers: [{ name: 'a', op: '=~', value: 'b.*' }], startsAtMs: 0, endsAtMs: 1e9, createdBy: 'jo', comment: '' },
    61_000,
  );
  journal.push(...first.takeJournal());
  const second = start(journal);
  second.evaluate(62_000);
  assert.equal(second.alerts()[0]?.acknowledgedBy, 'jo');
  assert.deepEqual(second.silences(), first.silences());
});

test('a torn or damaged line is skipped and counted, a newer version is refused', () => {
  const journal: string[] = [];
  const first = start();
  for (const s of [0, 60]) step(first, journal, s, 200);
  const last = journal.at(-1) ?? '';
  const second = start([...journal, last.slice(0, last.length / 2), 'not json', '[]', '{"v":1}']);
  assert.equal(second.unreadableLines, 4);
  assert.deepEqual(states(second), ['firing']);
  const odd = ['instance/x', 'group/x'].map((k) => JSON.stringify({ v: 1, t: 0, k, x: 'odd' }));
  assert.deepEqual(start(odd).evaluate(0).notifications, []);
  assert.throws(() => start(['{"v":2,"t":0,"k":"instance/x","x":{}}']), NewerRecordsError);
});

test('a journal that is written anew says the same', () => {
  const journal: string[] = [];
  const first = start();
  for (const s of [0, 60, 120]) step(first, journal, s, 200);
  const short = first.wholeJournal();
  assert.ok(short.length < journal.length);
  for (const lines of [journal, short]) {
    const second = start(lines);
    assert.deepEqual(step(second, [], 150, 200), []);
    assert.deepEqual(second.alerts(), first.alerts());
  }
});

test('whatever happens, with kills at any moment: firing and resolved take turns for each channel', () => {
  const event = fc.record({
    afterMs: fc.oneof(fc.integer({ min: 1, max: 90_000 }), fc.integer({ min: -7_200_000, max: 7_200_000 })),
    value: fc.constantFrom(20, 200, 200, null),
    kill: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 0, max: 120 }), (events, duration_seconds) => {
      const rule = { ...RULE, duration_seconds, repeat_interval_seconds: 30 * 86_400, group_interval_seconds: 0 };
      const journal: string[] = [];
      let engine = start([], rule);
      let nowMs = -5_000_000;
      const told: string[] = [];
      for (const { afterMs, value, kill } of events) {
        nowMs += afterMs;
        if (kill) engine = start(journal, rule);
        for (const one of step(engine, journal, nowMs / 1000, value)) {
          told.push(one.status);
          engine.settled(one.id, nowMs);
        }
        journal.push(...engine.takeJournal());
        const fires = states(engine).includes('firing');
        assert.equal(told.at(-1) ?? 'resolved', fires ? 'firing' : 'resolved');
      }
      told.forEach((status, i) => assert.equal(status, i % 2 === 0 ? 'firing' : 'resolved', told.join(' ')));
    }),
    { numRuns: 300, seed: 6 },
  );
});
