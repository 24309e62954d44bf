// The monitor on virtual time: its four rhythms, what it shows and remembers, and nothing left when a session ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type MonitorEvent,
  RealtimeMonitor,
  type RealtimeMonitor as Monitor,
} from '../../../src/ops/monitor/realtime-monitor.ts';
import { takeSnapshot } from '../../../src/metrics/index.ts';
import { EPOCH_MS, EXAMPLE, Rig } from './rig.ts';

function watched(rig = new Rig()): {
  rig: Rig;
  monitor: Monitor;
  events: MonitorEvent[];
  of: (type: string) => MonitorEvent[];
} {
  rig.open();
  const monitor = rig.desk.start({ sessionPid: 's', ...EXAMPLE });
  const events: MonitorEvent[] = [];
  monitor.subscribe((event) => events.push(event));
  return { rig, monitor, events, of: (type) => events.filter((event) => event.type === type) };
}

test('MON-10 to MON-12: 250 ms, the system each second, health each 5 s, a report each minute; one timer', async () => {
  const { rig, of } = watched();
  rig.set('audio_processor', 'latency_ms', 20);
  assert.equal(rig.time.pending, 1);
  await rig.run(60_000);
  assert.equal(of('metrics').length, 240);
  assert.equal(rig.asked.sessions, 240);
  assert.equal(rig.asked.system, 60);
  // The first at once.
  assert.equal(of('health').length, 13);
  assert.equal(of('report').length, 1);
  const times = of('metrics').map((event) => (event.type === 'metrics' ? event.snapshot.atMs - EPOCH_MS : 0));
  assert.deepEqual(times.slice(0, 4), [250, 500, 750, 1000]);
  await rig.run(120_000);
  assert.deepEqual(
    of('report').map((event) => (event.type === 'report' ? [event.report.fromMs - EPOCH_MS, event.report.ticks] : [])),
    [
      [250, 240],
      [60_250, 240],
      [120_250, 240],
    ],
  );
  assert.equal(rig.time.pending, 1);
});

test('a hundred sessions with two monitors each have one timer, and one look at the sessions a turn', async () => {
  const rig = new Rig();
  for (let i = 0; i < 100; i++) rig.open(`s${i}`);
  const monitors = Array.from({ length: 100 }, (_, i) => rig.desk.start({ sessionPid: `s${i}` }));
  assert.equal(rig.time.pending, 1);
  await rig.run(1000);
  assert.equal(rig.asked.sessions, 4);
  assert.ok(monitors.every((monitor) => monitor.history().length === 4));
});

test('others have their turn between slices of a turn: sessions may end and begin there', async () => {
  const rig = new Rig();
  for (let i = 0; i < 100; i++) rig.open(`s${i}`);
  const seen = (): number => rig.desk.all().filter((monitor) => monitor.history().length > 0).length;
  const between: number[] = [];
  const look = (): void => {
    const turned = seen();
    if (between.at(-1) !== turned) between.push(turned);
    if (turned === 25 && rig.desk.size === 100) {
      rig.close('s99');
      rig.open('new');
    }
    if (turned < 99) rig.time.setTimer(look, 0);
  };
  rig.time.setTimer(look, 250);
  await rig.run(250);
  assert.deepEqual(between, [0, 25, 50, 75, 99]);
  assert.equal(rig.desk.of('new')?.snapshot(), null);
  await rig.run(250);
  assert.equal(rig.desk.of('new')?.history().length, 1);
  assert.equal(rig.desk.of('s0')?.history().length, 2);
  assert.equal(rig.asked.sessions, 2);
});

test('all sessions end amid a turn, and another begins: one timer', async () => {
  const rig = new Rig();
  for (let i = 0; i < 100; i++) rig.open(`s${i}`);
  rig.desk.of('s30')?.subscribe(() => {
    rig.desk.stop();
    rig.rows.clear();
    rig.open('new');
  });
  await rig.run(250);
  assert.equal(rig.time.pending, 1);
  await rig.run(1000);
  assert.equal(rig.desk.of('new')?.history().length, 4);
  rig.close('new');
  assert.equal(rig.time.pending, 0);
});

test('a snapshot has every figure of the watched components, null where it is not measured', async () => {
  const { rig, monitor } = watched();
  assert.equal(monitor.snapshot(), null);
  rig.set('audio_processor', 'latency_ms', 12.34567);
  rig.set('session', 'turns', 3);
  rig.setSystem('memory_mb', 120);
  await rig.run(250);
  const snapshot = monitor.snapshot();
  assert.deepEqual(Object.keys(snapshot?.components ?? {}), EXAMPLE.components);
  assert.equal(snapshot?.components.audio_processor?.latency_ms, 12.3457);
  assert.equal(snapshot?.components.audio_processor?.quality_score, null);
  assert.equal(snapshot?.components.webrtc_handler?.rtt_ms, null);
  assert.equal(snapshot?.system.memory_mb, 120);
  assert.equal(snapshot?.system.cpu_percent, null);
  assert.equal(snapshot?.atMs, EPOCH_MS + 250);
});

test('a session that ends leaves nothing: no entry, no timer, no subscriber', async () => {
  const rig = new Rig();
  const ids = Array.from({ length: 1000 }, (_, i) => `s${i}`);
  for (const id of ids) rig.open(id);
  const monitors = ids.map((sessionPid) => rig.desk.start({ sessionPid }));
  const ended: string[] = [];
  for (const monitor of monitors)
    monitor.subscribe((event) => {
      if (event.type === 'ended') ended.push(event.sessionId);
    });
  await rig.run(1000);
  for (const id of ids) rig.close(id);
  assert.deepEqual(ended, ids);
  assert.equal(rig.desk.size, 0);
  assert.equal(rig.desk.isTurning, false);
  assert.equal(rig.time.pending, 0);
  assert.ok(monitors.every(({ running }) => !running));
  // What was kept can still be read by whoever holds the monitor.
  assert.equal(monitors[0]?.history().length, 4);
  const asked = rig.asked.sessions;
  await rig.run(5000);
  assert.equal(rig.asked.sessions, asked);
});

test('a session that vanished without a word is forgotten at the next turn', async () => {
  const { rig, monitor, of } = watched();
  rig.open('other');
  rig.rows.delete('s');
  await rig.run(250);
  assert.equal(monitor.running, false);
  assert.equal(of('ended').length, 1);
  assert.equal(rig.desk.size, 1);
});

test('stopping one monitor leaves the others and the session', async () => {
  const { rig, monitor, events } = watched();
  const other = rig.desk.start({ sessionPid: 's' });
  monitor.stop();
  await rig.run(1000);
  assert.equal(events.length, 0);
  assert.equal(other.history().length, 4);
  assert.equal(rig.desk.of('s')?.running, true);
});

test('history is bounded by its minutes, and the log of an hour of reports by its number', async () => {
  const rig = new Rig();
  rig.open();
  const monitor = rig.desk.start({ sessionPid: 's', historyMinutes: 2 });
  rig.set('session', 'turns', 1);
  await rig.run(70 * 60_000);
  assert.equal(monitor.history(1).length, 241);
  assert.ok(monitor.history(60).length >= 480 && monitor.history(60).length <= 540);
  assert.equal(monitor.reports.length, 60);
  assert.equal(monitor.report(60).ticks, 60 * 240);
  assert.equal(rig.desk.of('s')?.reports.length, 5);
  assert.equal(rig.desk.of('s')?.history().length, 61, 'a quarter of a minute, both ends');
});

test('a report has means, extremes and trends of what was measured, and how well resources are used', async () => {
  const { rig, monitor } = watched();
  rig.set('webrtc_handler', 'loss_percent', 1);
  rig.set('webrtc_handler', 'jitter_ms', 10);
  rig.setSystem('cpu_percent', 20);
  rig.setSystem('memory_percent', 95);
  rig.set('audio_processor', 'latency_ms', 20);
  await rig.run(30_000);
  rig.set('audio_processor', 'latency_ms', 40);
  await rig.run(30_000);
  const [report] = monitor.reports;
  assert.deepEqual(report?.metrics['audio_processor.latency_ms'], {
    count: 240,
    mean: 30,
    min: 20,
    max: 40,
    trend: 'increasing',
  });
  assert.equal(report?.metrics['webrtc_handler.jitter_ms']?.trend, 'stable');
  assert.equal(report?.metrics['audio_processor.quality_score'], undefined);
  const { network, cpu, memory } = report?.efficiency ?? {};
  assert.deepEqual([network, cpu, memory], [0.8, 0.7, 0.5]);
});

test('health is of the last 5 s, the mean of the parts that are measured', async () => {
  const { rig, monitor } = watched();
  rig.set('audio_processor', 'latency_ms', 75);
  rig.set('audio_processor', 'quality_score', 3);
  await rig.run(5000);
  rig.set('audio_processor', 'latency_ms', 125);
  await rig.run(5000);
  assert.deepEqual(monitor.health.parts, { latency: 0, quality: 75 });
  assert.deepEqual([monitor.health.score, monitor.health.grade], [37.5, 'critical']);
});

test('error_rate is the share of the last minute', async () => {
  const { rig } = watched();
  const rate = () => rig.desk.of('s')?.headline().errorRate;
  rig.set('session', 'requests', 0);
  rig.set('session', 'errors', 0);
  await rig.run(1000);
  assert.equal(rate(), null);
  rig.set('session', 'requests', 10);
  rig.set('session', 'errors', 1);
  await rig.run(1000);
  assert.equal(rate(), 0.1);
  await rig.run(50_000);
  assert.equal(rate(), 0.1);
  await rig.run(10_000);
  assert.equal(rate(), null);
  rig.set('session', 'requests', 14);
  await rig.run(1000);
  assert.equal(rate(), 0);
});

test('turns that were missed are not made up for, and the rhythm begins anew', async () => {
  const rig = new Rig();
  rig.open();
  const at: number[] = [];
  rig.desk.listen((event) => {
    if (event.type !== 'turn') return;
    at.push(rig.now());
    // Something holds the process up for 10 s.
    if (at.length === 2) rig.heldUpMs = 10_000;
  });
  await rig.run(1000);
  assert.deepEqual(at, [250, 500, 10_500, 10_750, 11_000]);
});

test('a wall clock that is set moves what is shown, and neither history nor reports', async () => {
  const { rig, monitor } = watched();
  rig.set('session', 'turns', 1);
  await rig.run(90_000);
  for (const setMs of [3_600_000, -7_200_000]) {
    rig.wallSetMs += setMs;
    await rig.run(30_000);
    const times = monitor.history(1).map(({ atMs }) => atMs);
    assert.equal(times.length, 241);
    assert.equal(times.at(-1), EPOCH_MS + rig.wallSetMs + rig.now());
    assert.equal((times.at(-1) as number) - (times[0] as number), 60_000);
  }
  assert.equal(monitor.reports.length, 2);
  assert.equal(monitor.report(60).ticks, 600);
});

test('a subscriber that throws is told no more and counted; the others are', async () => {
  const { rig, monitor, of } = watched();
  let told = 0;
  monitor.subscribe(() => {
    told++;
    throw new Error('broken');
  });
  await rig.run(1000);
  assert.equal(told, 1);
  assert.equal(of('metrics').length, 4);
  const failed = takeSnapshot(rig.registry).find(({ name }) => name === 'syrinx.monitor.subscribers.failed');
  assert.equal(failed?.kind === 'counter' ? failed.value : null, 1);
  const off = monitor.subscribe(() => told++);
  off();
  await rig.run(1000);
  assert.equal(told, 1);
});

test('a turn that fails is said, and the next one comes', async () => {
  const rig = new Rig();
  rig.open();
  rig.desk.listen((event) => {
    if (event.type === 'turn' && rig.asked.sessions === 2) throw new Error('broken');
  });
  await rig.run(1000);
  assert.equal(rig.asked.sessions, 4);
  assert.equal(rig.errors.length, 1);
});

test('monitors and subscribers are bounded', () => {
  const rig = new Rig();
  rig.open();
  for (let i = 0; i < 20; i++) rig.desk.start({ sessionPid: 's' });
  assert.throws(() => rig.desk.start({ sessionPid: 's' }), /has 20 monitors already/);
  const monitor = rig.desk.of('s');
  for (let i = 0; i < 100; i++) monitor?.subscribe(() => {});
  assert.throws(() => monitor?.subscribe(() => {}), /100 subscribers/);
});

test('where no program runs there is no timer, and nothing but names is looked at', () => {
  const monitor = RealtimeMonitor.start({ sessionPid: 's', ...EXAMPLE });
  assert.equal(monitor.running, false);
  assert.equal(monitor.snapshot(), null);
  assert.deepEqual(monitor.history(), []);
  assert.equal(monitor.health.score, null);
  assert.throws(() => RealtimeMonitor.start({ sessionPid: 's', components: ['audio'] }), RangeError);
});
