// The agent's voice on virtual time: pacing, silence at once, and what an outage swallowed said again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VoiceLine } from '../../../src/livekit/room/voice-line.ts';
import { FakeSpeaker, VirtualClock } from './virtual-room.ts';

/** Low, so that seconds of counting samples fit into 16 bits. */
const RATE = 8000;
const MS = RATE / 1000;

function setUp() {
  const clock = new VirtualClock();
  const speaker = new FakeSpeaker(RATE, clock);
  const line = new VoiceLine(RATE, clock);
  line.up(speaker);
  let said = 0;
  const say = (samples: number) => {
    line.play(Int16Array.from({ length: samples }, (_, i) => 1 + ((said + i) % 30_000)));
    said += samples;
  };
  return { clock, speaker, line, say };
}

/** Where the runs of counting samples begin and end. */
function runs(samples: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const sample of samples) {
    const last = found[found.length - 1];
    if (last !== undefined && last[1] + 1 === sample) last[1] = sample;
    else if (sample !== 0) found.push([sample, sample]);
  }
  return found;
}

test('whole units go out at once; a remainder follows with the next samples', async () => {
  const { clock, speaker, say } = setUp();
  say(MS * 25);
  assert.equal(speaker.heard().length, MS * 20);
  say(MS * 5);
  assert.equal(speaker.heard().length, MS * 30);
  assert.equal(clock.pending, 0);
  assert.deepEqual(runs(speaker.heard()), [[1, MS * 30]]);
});

test('the last remainder of a reply goes out padded when nothing follows', async () => {
  const { clock, speaker, say } = setUp();
  say(MS * 13);
  await clock.pass(20);
  assert.equal(speaker.heard().length, MS * 20);
  assert.deepEqual(runs(speaker.heard()), [[1, MS * 13]]);
  say(MS * 10);
  assert.equal(speaker.heard().length, MS * 30);
  assert.deepEqual(runs(speaker.heard()), [[1, MS * 23]]);
});

test('clear: nothing that was not heard sounds later, not even after an outage', async () => {
  const { clock, speaker, line, say } = setUp();
  say(MS * 100);
  await clock.pass(30);
  line.clear();
  assert.equal(speaker.queuedMs, 0);
  assert.equal(speaker.heard().length, MS * 30);
  line.down(clock.now());
  line.up(speaker);
  await clock.pass(1000);
  assert.equal(speaker.heard().length, MS * 30);
});

test('an outage that is noticed late: what it swallowed is said again from where it began, in order, at real pace', async () => {
  const { clock, speaker, line, say } = setUp();
  for (let i = 0; i < 100; i++) {
    say(MS * 20);
    await clock.pass(20);
  }
  const lostAtMs = clock.now() - 1500;
  line.down(lostAtMs);
  assert.equal(line.leadMs, Number.NEGATIVE_INFINITY);
  await clock.pass(5000);
  const again = new FakeSpeaker(RATE, clock);
  line.up(again);
  assert.ok(again.queuedMs <= 110, `${again.queuedMs} ms at once`);
  assert.equal(line.leadMs, Number.NEGATIVE_INFINITY, 'new voice waits');
  await clock.pass(2500);
  assert.equal(line.leadMs, 80);
  const [only, ...others] = runs(again.heard());
  assert.deepEqual(others, []);
  assert.equal(only?.[1], MS * 2000, 'to the end of what was said');
  const missedFrom = MS * 500;
  assert.ok((only?.[0] ?? 0) <= missedFrom + 1 && (only?.[0] ?? 0) >= missedFrom - MS * 410, `from ${only?.[0]}`);
  assert.equal(speaker.queuedMs, 0);
});

test('a repetition starts in a pause of the voice', async () => {
  const { clock, speaker, line } = setUp();
  const voice = (ms: number, value: number) => line.play(new Int16Array(MS * ms).fill(value));
  voice(300, 5000);
  voice(50, 0);
  voice(300, 6000);
  await clock.pass(450);
  line.down(clock.now());
  const again = new FakeSpeaker(RATE, clock);
  line.up(again);
  await clock.pass(1000);
  const samples = again.heard();
  assert.equal(samples.includes(5000), false);
  assert.equal(samples.filter((s) => s === 6000).length, MS * 300);
  assert.equal(speaker.clears, 1);
});

test('voice that comes while the line is down waits for it', async () => {
  const clock = new VirtualClock();
  const line = new VoiceLine(RATE, clock);
  line.play(new Int16Array(MS * 200).fill(7));
  const speaker = new FakeSpeaker(RATE, clock);
  await clock.pass(10_000);
  line.up(speaker);
  await clock.pass(500);
  assert.equal(speaker.heard().length, MS * 200);
});

test('the caller speaks into a repetition: it gives way', async () => {
  const { clock, speaker, line, say } = setUp();
  say(MS * 100);
  line.down(clock.now());
  const again = new FakeSpeaker(RATE, clock);
  for (let i = 0; i < 50; i++) say(MS * 20);
  line.up(again);
  await clock.pass(40);
  line.skipRepetition();
  assert.equal(again.queuedMs, 0);
  const before = again.heard().length;
  await clock.pass(3000);
  assert.equal(again.heard().length, before);
  assert.equal(line.leadMs, 80);
  assert.equal(speaker.queuedMs, 0);
});

test('any pieces, any outages: every sample is heard in order, and none twice but after an outage', async () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ say: fc.integer({ min: 1, max: MS * 40 }) }) },
      { weight: 4, arbitrary: fc.record({ pass: fc.integer({ min: 1, max: 60 }) }) },
      { weight: 1, arbitrary: fc.record({ down: fc.integer({ min: 0, max: 300 }) }) },
    ),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const { clock, line, speaker: first, say } = setUp();
      const speakers = [first];
      let total = 0;
      for (const step of list) {
        if ('say' in step) {
          say(step.say);
          total += step.say;
        } else if ('pass' in step) await clock.pass(step.pass);
        else {
          line.down(clock.now() - step.down);
          await clock.pass(100);
          const next = new FakeSpeaker(RATE, clock);
          speakers.push(next);
          line.up(next);
        }
      }
      await clock.pass(20_000);
      // Later connections win: what they say again replaces what the earlier one may have lost.
      let next = 1;
      for (const run of speakers.flatMap((s) => runs(s.heard()))) {
        assert.ok(run[0] <= next, `heard ${run[0]} where ${next} was due`);
        next = Math.max(next, run[1] + 1);
      }
      assert.equal(next, total + 1);
    }),
    { numRuns: 200, seed: 20_261 },
  );
});

test('a line at rest gives its room back, speaks on afterwards, and what it said long ago is not said again', async () => {
  const { clock, speaker, line, say } = setUp();
  say(MS * 100);
  await clock.pass(4000);
  line.rest();
  line.down(clock.now() - 3950);
  line.up(speaker);
  await clock.pass(300);
  assert.ok(line.repeatedMs > 0, 'four seconds ago is not long ago');
  await clock.pass(6000);
  line.rest();
  line.down(clock.now() - 6300);
  line.up(speaker);
  const before = line.repeatedMs;
  await clock.pass(300);
  assert.equal(line.repeatedMs, before);
  const { length } = speaker.heard();
  say(MS * 40);
  assert.deepEqual(runs(speaker.heard().slice(length)), [[MS * 100 + 1, MS * 140]]);
});
