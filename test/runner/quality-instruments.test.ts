// Quality gauges: mean and lowest of the calls that run, absent without one; windows are counted by what was in them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry } from '../../src/metrics/index.ts';
import { createQualityInstruments } from '../../src/runner/quality-instruments.ts';
import type { QualityReport } from '../../src/session/listen/quality-log.ts';

function report(score: number | null, degraded = false): QualityReport {
  const nothing = { clarity: null, levelDb: null, snrDb: null, clipFraction: null, gapFraction: null };
  const window = { atMs: 4000, windowMs: 4000, speechMs: 2000, bandwidthHz: null, dc: null, connection: null };
  return { type: 'quality', score, degraded, ...window, ...nothing };
}

const COUNTS = {
  lostMs: 40,
  concealedMs: 30,
  lateMs: 0,
  holes: 2,
  duplicates: 1,
  reordered: 0,
  underruns: 0,
  overruns: 0,
};
const LINE = { score: 4.1, lossPercent: 1, jitterMs: 3, depthMs: 60, ...COUNTS };

test('gauges follow the running calls', () => {
  const registry = createRegistry();
  const instruments = createQualityInstruments(registry);
  const value = (name: string) => registry.gauge({ name: `syrinx.${name}`, help: '' }).labels().value;
  assert.equal(value('audio.quality.score'), null);
  const [a, b] = [instruments.started(), instruments.started()];
  a.report(report(4));
  b.report(report(2, true));
  b.report(report(null));
  assert.equal(value('audio.quality.score'), 3);
  assert.equal(value('audio.quality.lowest'), 2);
  assert.equal(value('connection.score'), null);
  b.report({ ...report(3), connection: LINE });
  assert.equal(value('audio.quality.score'), 3.5);
  assert.equal(value('connection.score'), 4.1);
  b.ended();
  assert.equal(value('audio.quality.score'), 4);
  assert.equal(value('connection.score'), null);
  a.ended();
  assert.equal(value('audio.quality.score'), null);
  assert.equal(value('audio.quality.lowest'), null);
  const count = (name: string, labels: Record<string, string>) =>
    registry.counter({ name: `syrinx.${name}`, help: '', labels: Object.keys(labels) }).labels(labels).value;
  assert.equal(count('audio.quality.windows', { speech: 'true' }), 3);
  assert.equal(count('audio.quality.windows', { speech: 'false' }), 1);
  assert.equal(count('audio.quality.degraded', {}), 1);
  assert.equal(count('jitter.events', { what: 'holes' }), 2);
  const sound = registry.counter({ name: 'syrinx.jitter.audio', help: '', unit: 's', labels: ['what'] });
  assert.equal(sound.labels({ what: 'lost' }).value, 0.04);
});
