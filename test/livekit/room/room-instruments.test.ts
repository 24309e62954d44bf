// What is measured of lines: counters and distributions with the region, and the summary that the ledger shows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionSample } from '../../../src/livekit/room/connection-quality.ts';
import { LineSummary } from '../../../src/livekit/room/line-report.ts';
import { createRoomInstruments } from '../../../src/livekit/room/room-instruments.ts';
import type { RoomEvent } from '../../../src/livekit/room/room-observer.ts';
import { createRegistry, renderPrometheus } from '../../../src/metrics/index.ts';
import { createScene, talking } from './virtual-room.ts';

const SAMPLE: ConnectionSample = {
  atMs: 1000,
  rttMs: 20,
  jitterInMs: 4,
  lossIn: 0.02,
  jitterOutMs: null,
  lossOut: null,
  concealed: 0.01,
  jitterBufferMs: 45,
  bitrateInBps: 30_000,
  bitrateOutBps: 24_000,
  route: 'direct',
  silentMs: 0,
  callerSilentMs: 0,
};
const EVENTS: readonly RoomEvent[] = [
  { type: 'established', atMs: 0, setupMs: 120 },
  { type: 'reconnecting', atMs: 1000 },
  { type: 'lost', atMs: 28_000, reason: 'connection lost', wasReconnecting: true },
  { type: 'rejoin-failed', atMs: 28_500, attempt: 1, message: 'refused' },
  { type: 'recovered', atMs: 61_000, outageMs: 60_000, by: 'rejoin' },
  { type: 'repeated', atMs: 61_100, voiceMs: 1500 },
  { type: 'lost', atMs: 70_000, reason: 'server shutdown', wasReconnecting: false },
  { type: 'ended', atMs: 80_000, reason: 'connection lost' },
];

test('metrics of a line, with the region as a label', () => {
  const registry = createRegistry();
  const instruments = createRoomInstruments(registry, 'eu-west');
  for (const event of EVENTS) instruments.event(event);
  instruments.event({ type: 'join-failed', atMs: 0 });
  instruments.sample(SAMPLE);
  const text = renderPrometheus(registry);
  for (const line of [
    'syrinx_connections_total{region="eu-west",outcome="established"} 1',
    'syrinx_connections_total{region="eu-west",outcome="failed"} 2',
    'syrinx_connection_outages_total{region="eu-west"} 2',
    'syrinx_connection_recoveries_total{region="eu-west",by="rejoin"} 1',
    'syrinx_connection_rejoins_failed_total{region="eu-west"} 1',
    'syrinx_connection_outage_seconds_sum{region="eu-west"} 60',
    'syrinx_connection_repeated_seconds_total{region="eu-west"} 1.5',
    'syrinx_connection_rtt_seconds_count{region="eu-west"} 1',
    'syrinx_connection_jitter_seconds_count{region="eu-west",direction="in"} 1',
  ])
    assert.ok(text.includes(`${line}\n`), `${line} in\n${text}`);
  assert.match(
    text,
    /syrinx_connection_loss_ratio_sum\{region="eu-west",direction="in"\} 0\.02\n|syrinx_connection_loss_sum\{region="eu-west",direction="in"\} 0\.02\n/,
  );
  assert.doesNotMatch(text, /direction="out"\} [1-9].*jitter/, 'what was not measured is not there');
});

test('without a region there is no label', () => {
  const registry = createRegistry();
  createRoomInstruments(registry, undefined).event({ type: 'established', atMs: 0, setupMs: 1 });
  assert.match(renderPrometheus(registry), /^syrinx_connections_total\{outcome="established"\} 1$/m);
});

test('the summary of a call: outages from their first sign on, means and worst seconds, null where nothing was measured', () => {
  const summary = new LineSummary('eu-west');
  assert.deepEqual([summary.report(0).setupMs, summary.report(0).rttMs, summary.report(0).route], [null, null, null]);
  for (const event of EVENTS.slice(0, -1)) summary.event(event);
  summary.sample(SAMPLE);
  summary.sample({ ...SAMPLE, rttMs: 60, bitrateInBps: 10_000, route: null });
  const report = summary.report(75_000);
  assert.equal(report.region, 'eu-west');
  assert.equal(report.setupMs, 120);
  assert.equal(report.outages, 2);
  assert.equal(report.outageMs, 65_000, 'the one that lasts counts until now');
  assert.equal(report.repeatedMs, 1500);
  assert.equal(report.route, 'direct');
  assert.deepEqual(report.rttMs, { mean: 40, worst: 60 });
  assert.deepEqual(report.bitrateInBps, { mean: 20_000, worst: 10_000 });
  assert.equal(report.lossOut, null);
});

test('a transport reports its line, and tells when a room could not be joined', async () => {
  const { scene } = await talking({ region: 'eu-west' });
  const { transport, clock, connection } = scene;
  connection.events.reconnecting();
  await clock.pass(400);
  connection.events.reconnected();
  const report = transport.report();
  assert.deepEqual([report.region, report.outages, report.outageMs], ['eu-west', 1, 400]);
  const refused = createScene();
  refused.next.push('refused');
  await assert.rejects(refused.transport.open(), /refused/);
  assert.deepEqual(
    refused.events.map((e) => e.type),
    ['join-failed'],
  );
});
