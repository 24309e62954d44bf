// What a session makes of the windows that the audio core has measured: without a voice in them they are no bad speech.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAudioCore, type SignalQuality } from '../../src/audio/index.ts';
import { createNeuralVad, withNeuralEars } from '../../src/audio/neural/index.ts';
import { QualityLog } from '../../src/session/listen/quality-log.ts';
import { clampPcm, speechLike, whiteNoise } from '../audio/signals.ts';

const WINDOW: SignalQuality = {
  windows: 1,
  frames: 200,
  activeFrames: 150,
  score: 1.2,
  clarity: 4,
  levelDb: -45,
  snrDb: 1,
  clipFraction: 0,
  gapFraction: 0,
  dc: 0.001,
  bandwidthHz: 7500,
};

/** A window of 200 frames, of which the VAD calls `voiced` speech. */
function windowOf(vad: 'energy' | 'neural', voiced: number) {
  const quality = { ...WINDOW, windows: 0 };
  const ear = { vad, quality, score: 0 };
  const log = new QualityLog(ear, null);
  for (let frame = 1; frame <= 200; frame++) {
    ear.score = frame <= voiced ? 0.5 : 0.49;
    if (frame === 200) Object.assign(quality, WINDOW);
    const report = log.frame(frame * 20);
    if (report !== null) return { report, summary: log.summary };
  }
  return assert.fail('no report');
}

test('where the net heard nobody the window held no speech, whatever moved in it', () => {
  for (const voiced of [0, 4]) {
    const { report, summary } = windowOf('neural', voiced);
    const { score, clarity, levelDb, snrDb, clipFraction, gapFraction, bandwidthHz } = report;
    const figures = [score, clarity, levelDb, snrDb, clipFraction, gapFraction, bandwidthHz];
    assert.deepEqual(new Set(figures), new Set([null]));
    assert.deepEqual([report.speechMs, report.windowMs, report.dc, report.degraded], [0, 4000, 0.001, false]);
    assert.deepEqual([summary.windows, summary.score, summary.degradedWindows], [0, null, 0]);
  }
});

test('from 100 ms of voice on, and without a net, the figures of the core count', () => {
  for (const { report, summary } of [windowOf('neural', 5), windowOf('energy', 0)]) {
    assert.deepEqual([report.score, report.snrDb, report.speechMs, report.degraded], [1.2, 1, 3000, true]);
    assert.deepEqual([summary.windows, summary.lowest, summary.degradedWindows], [1, 1.2, 1]);
  }
});

test('a window begins anew: voice in the one before says nothing of the next', () => {
  const core = withNeuralEars(createAudioCore({ maxSlots: 1 }), createNeuralVad({ maxSlots: 1 }));
  const ear = core.openAnalyzer(16_000);
  const log = new QualityLog(ear, null);
  // Speech, then bursts of noise: they move as speech does, and the sensors take them for it.
  const bursts = whiteNoise(16_000 * 12, -30, 4).map((x, i) => ((i >> 11) % 5 < 2 ? x : x / 200));
  const pcm = Int16Array.from([...speechLike({ seconds: 8, seed: 5, noiseDb: -70 }), ...bursts], clampPcm);
  const scores: (number | null)[] = [];
  for (let at = 0, frames = 0; at + 320 <= pcm.length; at += 320) {
    ear.write(new Uint8Array(pcm.buffer, at * 2, 640));
    while (ear.next()) {
      const report = log.frame(++frames * 20);
      if (report !== null) scores.push(report.score);
    }
  }
  assert.ok(scores.length >= 3 && scores.at(-1) === null, `${scores}`);
});
