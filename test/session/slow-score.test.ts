// The listener with a net's score: starts and ends by level, call tones, background talkers, pauses on a noisy line, sensitivity.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpeechEdges } from '../../src/session/listen/edges.ts';
import { SpeechDetector } from '../../src/session/listen/speech-detector.ts';
import { isTone } from '../../src/session/listen/tone.ts';
import { DEFAULT_SESSION_OPTIONS, type ListeningOptions } from '../../src/session/options.ts';

const neural: ListeningOptions = { ...DEFAULT_SESSION_OPTIONS.listening, vad: 'neural' };
const NO_SAMPLES = new Int16Array(0);

/** One sign a frame: level of both halves and the score, by `signs`. Returns the changes with the start of their frame. */
function hear(
  detector: SpeechDetector,
  pattern: string,
  signs: Readonly<Record<string, readonly [db: number, score: number, frame?: Int16Array]>>,
  fromMs = 0,
): string[] {
  return [...pattern].flatMap((sign, i) => {
    const [db, score, frame = NO_SAMPLES] = signs[sign]!;
    const atMs = fromMs + i * 20;
    const change = detector.frame({ score, rms: 0, firstHalfDb: db, secondHalfDb: db, frame }, atMs);
    return change === 'none' ? [] : [`${change} ${atMs}`];
  });
}

/** `.` nothing; `o` loud, not found yet; `#` speech; `~` silent, but the score still lasts. */
const QUIET_LINE = { '.': [-70, 0], o: [-26, 0.1], '#': [-26, 0.99], '~': [-70, 0.9], s: [-45, 0.05] } as const;
/** The same with noise at -38 dB. */
const NOISY_LINE = { '.': [-38, 0], o: [-26, 0.2], '#': [-26, 0.99], '~': [-38, 0.6], b: [-30, 0.7] } as const;
const SECOND = '.'.repeat(50);

test('a start lies where the level rose, an end where it fell, however late the score is', () => {
  const detector = new SpeechDetector(neural);
  assert.deepEqual(hear(detector, `${SECOND}oo####~~~${'.'.repeat(12)}`, QUIET_LINE), ['start 1040', 'stop 1300']);
  assert.equal(detector.onsetMs, 1000);
  assert.equal(detector.lastVoicedMs, 1120);
});

test('a weak end of a word counts on a quiet line, and not in noise', () => {
  const detector = new SpeechDetector(neural);
  hear(detector, `${SECOND}oo####ssss${'.'.repeat(12)}`, QUIET_LINE);
  assert.equal(detector.lastVoicedMs, 1200);
});

test('one window of the net that errs starts nothing, nor does a click', () => {
  const unsure = { ...QUIET_LINE, '?': [-26, 0.8] } as const;
  assert.deepEqual(hear(new SpeechDetector(neural), `${SECOND}oo?${'.'.repeat(20)}`, unsure), []);
  assert.deepEqual(hear(new SpeechDetector(neural), `${SECOND}oo??${'.'.repeat(20)}`, unsure)[0], 'start 1060');
  assert.deepEqual(hear(new SpeechDetector(neural), `${SECOND}#${'.'.repeat(20)}`, QUIET_LINE), []);
  assert.deepEqual(hear(new SpeechDetector(neural), `${SECOND}o~~~${'.'.repeat(20)}`, QUIET_LINE), []);
});

test('what does not stand out of the noise is nobody, and so are talkers in the background once the caller is known', () => {
  assert.deepEqual(hear(new SpeechDetector(neural), `${SECOND}${'~'.repeat(50)}`, NOISY_LINE), []);
  const detector = new SpeechDetector(neural);
  assert.deepEqual(hear(detector, `${SECOND}${'#'.repeat(50)}${SECOND}`, NOISY_LINE), ['start 1040', 'stop 2180']);
  assert.deepEqual(hear(detector, `${'b'.repeat(50)}${SECOND}`, NOISY_LINE, 3000), []);
  assert.equal(detector.lastVoicedMs, 2000);
});

test('on a noisy line a pause within a word ends nothing while the net hears on', () => {
  const detector = new SpeechDetector(neural);
  const changes = hear(detector, `${SECOND}${'#'.repeat(40)}${'~'.repeat(12)}${'#'.repeat(20)}${SECOND}`, NOISY_LINE);
  assert.deepEqual(
    changes.map((change) => change.split(' ')[0]),
    ['start', 'stop'],
  );
  assert.equal(detector.lastVoicedMs, 1000 + 72 * 20);
  // But not for ever: what the net hears there may be another one.
  const other = new SpeechDetector(neural);
  const [, stop] = hear(other, `${SECOND}${'#'.repeat(40)}${'~'.repeat(100)}`, NOISY_LINE);
  assert.equal(stop, 'stop 2280');
});

test('sensitivity moves the score from which a frame counts, at 0.5 by nothing', () => {
  const at = (sensitivity: number | undefined, score: number) =>
    hear(new SpeechDetector({ ...neural, sensitivity }), `${SECOND}${'x'.repeat(20)}`, {
      ...QUIET_LINE,
      x: [-26, score],
    }).length;
  for (const none of [undefined, 0.5]) assert.deepEqual([at(none, 0.49), at(none, 0.5)], [0, 1]);
  assert.deepEqual([at(1, 0.09), at(1, 0.11), at(0, 0.89), at(0, 0.91)], [0, 1, 0, 1]);
});

const CALL_TONES: readonly (readonly number[])[] = [
  [350, 440],
  [440, 480],
  [480, 620],
  [400, 450],
  [425],
  [950],
  [1000],
  [1400],
  [1776],
  [2100],
  ...[697, 770, 852, 941].flatMap((low) => [1209, 1336, 1477, 1633].map((high) => [low, high])),
];

/** A frame of sines of equal level, in a little noise. */
function tone(hertz: readonly number[], db: number, number = 0): Int16Array {
  const amplitude = (32_767 * 10 ** (db / 20)) / hertz.length;
  return Int16Array.from({ length: 320 }, (_, i) => {
    const n = i + number * 320;
    const sum = hertz.reduce((x, hz) => x + Math.sin((2 * Math.PI * hz * n) / 16_000 + hz), 0);
    return Math.round(amplitude * sum + (((n * 7919) % 13) - 6) / 6);
  });
}

test('every call tone is one, from -50 dBFS on', () => {
  for (const hertz of CALL_TONES) {
    for (const db of [-6, -20, -50]) {
      for (let number = 0; number < 5; number++)
        assert.ok(isTone(tone(hertz, db, number)), `${hertz.join(' + ')} Hz at ${db} dB`);
    }
  }
});

test('a voice is no tone, nor is noise, silence, or a piece of a frame', () => {
  const voice = (pitchHz: number, number: number) => {
    const harmonics = Array.from({ length: 12 }, (_, k) => [pitchHz * (k + 1), 1 / (1 + ((k - 2) / 2) ** 2)] as const);
    return Int16Array.from({ length: 320 }, (_, i) => {
      const n = i + number * 320;
      return Math.round(3000 * harmonics.reduce((x, [hz, a]) => x + a * Math.sin((2 * Math.PI * hz * n) / 16_000), 0));
    });
  };
  for (let pitchHz = 90; pitchHz <= 260; pitchHz += 10)
    for (let number = 0; number < 5; number++) assert.equal(isTone(voice(pitchHz, number)), false, `${pitchHz} Hz`);
  // A hum: the fundamental and a little of its first harmonic are two sinusoids, too.
  for (const pitchHz of [110, 160, 220])
    assert.equal(isTone(tone([pitchHz, pitchHz, pitchHz, 2 * pitchHz], -20)), false);
  let state = 7;
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  for (let i = 0; i < 100; i++) assert.equal(isTone(Int16Array.from({ length: 320 }, () => random() * 8000)), false);
  assert.equal(isTone(new Int16Array(320)), false);
  assert.equal(isTone(tone([1000], -20).subarray(0, 319)), false);
});

test('call tones start nothing and stop what goes before, whatever the score says of them', () => {
  for (const vad of ['neural', 'energy'] as const) {
    const options = { ...neural, vad };
    const signs = { ...QUIET_LINE, t: [-20, 0.99, tone([697, 1209], -20)] } as const;
    // Ringback, then digits of 60 ms: the score does not fall in between.
    const ring = `${SECOND}${'t'.repeat(100)}${SECOND}${'ttt~~'.repeat(20)}${SECOND}`;
    assert.deepEqual(hear(new SpeechDetector(options), ring, { ...signs, '~': [-70, vad === 'neural' ? 0.9 : 0] }), []);
    const detector = new SpeechDetector(options);
    hear(detector, `${SECOND}${'#'.repeat(20)}${'t'.repeat(40)}`, signs);
    assert.equal(detector.lastVoicedMs, 1400, vad);
    assert.equal(detector.speaking, false);
  }
});

test('whatever comes, times are in order and finite', () => {
  const level = fc.double({ min: -100, max: 0, noNaN: true });
  const score = fc.oneof(fc.constantFrom(0, 0.3, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true }));
  fc.assert(
    fc.property(fc.array(fc.tuple(level, level, score), { maxLength: 200 }), (frames) => {
      const detector = new SpeechDetector(neural);
      let started = 0;
      frames.forEach(([firstHalfDb, secondHalfDb, s], i) => {
        const was = detector.speaking;
        const change = detector.frame({ score: s, rms: 0, firstHalfDb, secondHalfDb, frame: NO_SAMPLES }, i * 20);
        started += change === 'start' ? 1 : change === 'stop' ? -1 : 0;
        assert.equal(change === 'start', !was && detector.speaking);
        assert.ok(detector.voicedMs >= 0 && detector.lastVoicedMs <= i * 20 + 20 && detector.onsetMs <= i * 20 + 20);
        if (detector.speaking) assert.ok(detector.lastVoicedMs > detector.onsetMs);
      });
      assert.ok(started === 0 || started === 1);
    }),
    { seed: 23, numRuns: 300 },
  );
});

test('the noise is what it is while nobody speaks: it neither learns from speech nor from tones', () => {
  const edges = new SpeechEdges();
  for (let i = 0; i < 100; i++) edges.frame(-60, -60, false);
  const before = edges.thresholdDb;
  for (let i = 0; i < 100; i++) edges.frame(-20, -20, true);
  for (let i = 0; i < 100; i++) edges.tone();
  assert.ok(Math.abs(before + 56) < 0.5, `${before}`);
  assert.ok(Math.abs(edges.distanceDb - 40) < 0.5, `${edges.distanceDb}`);
  for (let i = 0; i < 150; i++) edges.frame(-40, -40, false);
  assert.ok(Math.abs(edges.distanceDb - 20) < 1, `${edges.distanceDb}`);
});
