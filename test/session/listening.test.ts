// What the caller's side hears: starts and stops of speech in both modes, the kept audio, endpoints and interruptions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FrameMeasurements, SpeechDetector } from '../../src/session/listen/speech-detector.ts';
import { Listener } from '../../src/session/listen/listener.ts';
import { Utterance } from '../../src/session/listen/utterance.ts';
import { DEFAULT_SESSION_OPTIONS, type ListeningOptions } from '../../src/session/options.ts';
import { isBargeIn } from '../../src/session/turn/barge-in.ts';
import { endpointingDelayMs } from '../../src/session/turn/endpointing.ts';
import { FakeAnalyzer } from '../simulation/fake-core.ts';

const { listening, turns } = DEFAULT_SESSION_OPTIONS;

test('endpointing: the option without a score, half or double of it with one', () => {
  assert.equal(endpointingDelayMs(turns, null), 500);
  assert.equal(endpointingDelayMs(turns, 1), 250);
  assert.equal(endpointingDelayMs(turns, 0), 1000);
  assert.equal(endpointingDelayMs(turns, 7), 250);
  assert.equal(endpointingDelayMs(turns, -7), 1000);
});

test('barge-in: exactly from its limit on', () => {
  assert.equal(isBargeIn(turns, 99), false);
  assert.equal(isBargeIn(turns, 100), true);
});

function frame(over: Partial<FrameMeasurements>): FrameMeasurements {
  return { score: 0, rms: 0, firstHalfDb: -60, secondHalfDb: -60, frame: new Int16Array(0), ...over };
}

/** Feeds frames; `#` voiced, `.` silent. Returns the changes with the index of their frame. */
function changes(
  detector: SpeechDetector,
  pattern: string,
  of = { '#': frame({ score: 1, rms: 0.1 }), '.': frame({}) },
) {
  return [...pattern].flatMap((sign, i) => {
    const change = detector.frame(of[sign as '#' | '.'], i * 20);
    return change === 'none' ? [] : [`${change} ${i}`];
  });
}

test('energy: speech starts after its shortest length, and stops after the hang-over', () => {
  const detector = new SpeechDetector(listening);
  assert.deepEqual(changes(detector, '..###..........'), ['start 4', 'stop 14']);
  assert.equal(detector.onsetMs, 40);
  assert.equal(detector.lastVoicedMs, 100);
});

test('energy: a click is no speech, a hole of a stop consonant does not split a word', () => {
  assert.deepEqual(changes(new SpeechDetector(listening), '..##......##......'), []);
  const detector = new SpeechDetector(listening);
  assert.deepEqual(changes(detector, '#..#..#'), ['start 6']);
  assert.equal(detector.onsetMs, 0);
  assert.deepEqual(changes(new SpeechDetector(listening), '#....#....#'), []);
});

test('energy: clicks after speech do not move its end', () => {
  const detector = new SpeechDetector(listening);
  changes(detector, '###............#.....##....');
  assert.equal(detector.lastVoicedMs, 60);
  assert.equal(detector.speaking, false);
});

test('energy: an edge inside a frame is found by its halves', () => {
  const detector = new SpeechDetector(listening);
  const loud = frame({ score: 1, firstHalfDb: -20, secondHalfDb: -20 });
  detector.frame(frame({ score: 1, firstHalfDb: -60, secondHalfDb: -20 }), 0);
  detector.frame(loud, 20);
  detector.frame(loud, 40);
  detector.frame(frame({ score: 1, firstHalfDb: -20, secondHalfDb: -60 }), 60);
  assert.equal(detector.onsetMs, 10);
  assert.equal(detector.lastVoicedMs, 70);
});

test('energy: a line that goes quiet stops speech by the clock alone', () => {
  const detector = new SpeechDetector(listening);
  changes(detector, '#####');
  assert.equal(detector.silence(299), 'none');
  assert.equal(detector.silence(300), 'stop');
});

/** Requirements 11.1, word for word. */
function energyVad(options: ListeningOptions) {
  let speaking = false;
  let silenceMs = 0;
  return (rms: number): string => {
    if (!speaking) {
      if (rms < options.startThreshold) return 'none';
      speaking = true;
      silenceMs = 0;
      return 'start';
    }
    if (rms >= options.endThreshold) {
      silenceMs = 0;
      return 'none';
    }
    silenceMs += 20;
    if (silenceMs < options.hangoverMs) return 'none';
    speaking = false;
    return 'stop';
  };
}
const twoThreshold: ListeningOptions = { ...listening, vad: 'two-threshold', hangoverMs: 300 };

test('two-threshold: one loud frame starts, exactly 15 silent frames stop, anything louder begins them anew', () => {
  const of = { '#': frame({ rms: 0.02 }), '.': frame({ rms: 0.0099 }) };
  assert.deepEqual(changes(new SpeechDetector(twoThreshold), `#${'.'.repeat(15)}`, of), ['start 0', 'stop 15']);
  assert.deepEqual(changes(new SpeechDetector(twoThreshold), `#${'.'.repeat(14)}`, of), ['start 0']);
  const between = { '#': frame({ rms: 0.01 }), '.': frame({ rms: 0.0099 }) };
  const detector = new SpeechDetector(twoThreshold);
  detector.frame(frame({ rms: 0.02 }), 0);
  assert.deepEqual(changes(detector, `${'.'.repeat(14)}#${'.'.repeat(14)}`, between), []);
  assert.deepEqual(changes(new SpeechDetector(twoThreshold), '####', between), []);
});

test('two-threshold: the same as the specification for any levels and any hang-over', () => {
  const level = fc.constantFrom(0, 0.005, 0.0099, 0.01, 0.015, 0.0199, 0.02, 0.3);
  fc.assert(
    fc.property(fc.array(level, { maxLength: 200 }), fc.integer({ min: 20, max: 500 }), (levels, hangoverMs) => {
      const options = { ...twoThreshold, hangoverMs };
      const detector = new SpeechDetector(options);
      const reference = energyVad(options);
      levels.forEach((rms, i) => assert.equal(detector.frame(frame({ rms }), i * 20), reference(rms), `frame ${i}`));
    }),
    { seed: 11, numRuns: 300 },
  );
});

/** Frames whose samples are their own numbers. */
function numbered(frames: number): Int16Array[] {
  return Array.from({ length: frames }, (_, f) =>
    Int16Array.from({ length: 320 }, (_s, i) => ((f * 320 + i) % 30_000) + 1),
  );
}

test('the kept audio is what was said, from the pre-roll to the tail, wherever a turn begins and ends', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 0, max: 2000 }),
      fc.integer({ min: 0, max: 260 }),
      fc.integer({ min: -100, max: 6000 }),
      (before, backMs, more, untilMs) => {
        const utterance = new Utterance(60_000);
        const frames = numbered(before + more);
        for (const f of frames.slice(0, before)) utterance.push(f);
        utterance.begin(before * 20 - backMs, before * 20);
        for (const f of frames.slice(before)) utterance.push(f);
        const kept = utterance.copy(untilMs);
        const fromMs = Math.max(0, before * 20 - Math.min(backMs, 1500));
        const end = Math.max(fromMs, Math.min(untilMs, (before + more) * 20));
        assert.equal(kept.length, (end - fromMs) * 16);
        for (let i = 0; i < kept.length; i += 97) assert.equal(kept[i], ((fromMs * 16 + i) % 30_000) + 1);
      },
    ),
    { seed: 12, numRuns: 200 },
  );
});

test('the kept audio is a copy, bounded, and given back', () => {
  const utterance = new Utterance(1000);
  const [one] = numbered(1);
  assert.equal(utterance.copy(100).length, 0);
  for (let i = 0; i < 80; i++) utterance.push(one as Int16Array);
  utterance.begin(0, 1600);
  assert.equal(utterance.copy(1600).length, 16_000, 'pre-roll longer than a turn may be');
  utterance.begin(1600, 1600);
  for (let i = 0; i < 80; i++) utterance.push(one as Int16Array);
  assert.ok(utterance.full);
  assert.equal(utterance.dropped, 30);
  const copy = utterance.copy(9999);
  assert.equal(copy.length, 16_000);
  utterance.clear();
  assert.equal(utterance.copy(9999).length, 0);
  copy.fill(0);
  utterance.begin(3190, 3200);
  assert.equal(utterance.copy(3200).length, 160);
  assert.equal(utterance.copy(3200)[0], (one as Int16Array)[160]);
});

/** A listener on a fake ear, and what it told. */
function listener() {
  const told: string[] = [];
  const ear = new Listener(
    { ...DEFAULT_SESSION_OPTIONS, id: '', agent: '', transport: '', inputRateHz: 16_000, outputRateHz: 24_000 },
    new FakeAnalyzer(),
    { speechChanged: (change) => told.push(change), frameDone: (endMs) => told.push(String(endMs)) },
  );
  return { ear, told };
}
const packet = (level: number, samples = 320) =>
  new Uint8Array(Int16Array.from({ length: samples }, (_, i) => (i % 2 === 0 ? level : -level)).buffer);

test('packets of any size make the same frames; gaps are silence, what comes twice is dropped', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 30 }), (sizes) => {
      const { ear, told } = listener();
      let position = 0;
      for (const size of sizes) {
        ear.packet(packet(0, size), position, 1000 + (position + size) / 16);
        position += size;
      }
      assert.equal(told.length, Math.floor(position / 320));
      assert.equal(ear.framesIn, told.length);
      assert.equal(ear.framesLate, 0);
    }),
    { seed: 13, numRuns: 100 },
  );
  const { ear, told } = listener();
  ear.packet(packet(5000), 0, 1020);
  ear.packet(packet(5000), 0, 1021);
  ear.packet(packet(5000), 160, 1030);
  assert.equal(ear.overlappingSamples, 480);
  ear.packet(packet(0), 3200, 1220);
  assert.equal(told.at(-1), '220');
  assert.equal(ear.framesLate, 0);
  assert.equal(ear.zeroMs, 1000);
});

test('a hole of more than a minute is jumped over, and speech before it has stopped', () => {
  const { ear, told } = listener();
  for (let i = 0; i < 10; i++) ear.packet(packet(5000), i * 320, 1020 + i * 20);
  assert.ok(ear.speaking);
  const far = 16_000 * 3600;
  ear.packet(packet(0), far, 1020 + far / 16);
  assert.deepEqual(told.slice(-2), ['stop', String(3_600_020)]);
  assert.equal(ear.framesIn, 11);
});

test('the earliest packet sets the clock, a late one counts as late, and a slow clock is followed', () => {
  const { ear } = listener();
  ear.packet(packet(0), 0, 1050);
  ear.packet(packet(0), 320, 1040);
  assert.equal(ear.zeroMs, 1000);
  ear.packet(packet(0), 640, 1200);
  assert.equal(ear.framesLate, 1);
  assert.ok(Math.abs(ear.frameLatencyMs - 140) < 0.01);
  // Ten minutes of a sound card that is 90 ppm slow: 54 ms.
  for (let i = 3; i < 30_000; i++) ear.packet(packet(0), i * 320, 1000 + (i + 1) * 20 * 1.00009);
  assert.ok(ear.frameLatencyMs < 1, `${ear.frameLatencyMs} ms`);
  assert.equal(ear.framesLate, 1);
});

test('odd bytes and empty packets are taken as far as samples are whole', () => {
  const { ear, told } = listener();
  ear.packet(new Uint8Array(0), 0, 1000);
  ear.packet(new Uint8Array(1), 0, 1000);
  ear.packet(new Uint8Array(641), 0, 1020);
  assert.deepEqual(told, ['20']);
});
