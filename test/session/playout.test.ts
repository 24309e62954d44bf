// From the voice to the ear: the ring, the model of the ear, heard words, the mixer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ear } from '../../src/session/playout/ear.ts';
import { HeardWords } from '../../src/session/playout/heard-words.ts';
import { Mixer } from '../../src/session/playout/mixer.ts';
import { Playout } from '../../src/session/playout/playout.ts';
import { SpeechQueue } from '../../src/session/playout/speech-queue.ts';
import type { Piece } from '../../src/session/reply/reply.ts';

const RATE = 8000;
const MS = RATE / 1000;
/** Samples that are their own positions. */
const numbered = (from: number, count: number) =>
  Int16Array.from({ length: count }, (_, i) => ((from + i) % 30_000) + 1000);

test('the queue gives back what it took, in order, and goes back as far as was asked to be kept', () => {
  const action = fc.oneof(
    fc.record({ do: fc.constant('write' as const), n: fc.integer({ min: 0, max: 9000 }) }),
    fc.record({ do: fc.constant('read' as const), n: fc.integer({ min: 0, max: 4000 }) }),
    fc.record({ do: fc.constant('heard' as const), n: fc.integer({ min: 0, max: 3000 }) }),
    fc.record({ do: fc.constant('back' as const), n: fc.integer({ min: 0, max: 3000 }) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const queue = new SpeechQueue(RATE);
      const out = new Int16Array(4000);
      let keptFrom = 0;
      for (const { do: what, n } of actions) {
        if (what === 'write') {
          const before = queue.filledMs;
          const taken = queue.write(numbered(queue.writePosition, n));
          assert.ok(taken <= n && (taken === n || queue.filledMs >= 3199), `took ${taken} of ${n} at ${before} ms`);
        } else if (what === 'read') {
          const from = queue.readPosition;
          const got = queue.read(out, n);
          assert.ok(got <= n);
          for (let i = 0; i < got; i += 61) assert.equal(out[i], ((from + i) % 30_000) + 1000);
        } else if (what === 'heard') {
          const to = Math.max(keptFrom, queue.readPosition - n);
          queue.keepFrom(to);
          keptFrom = Math.max(keptFrom, to, queue.readPosition - 2200 * MS);
        } else {
          const to = Math.max(keptFrom, queue.readPosition - n);
          queue.seek(to);
          assert.equal(queue.readPosition, to);
        }
        assert.ok(queue.queuedSamples >= 0 && queue.queuedSamples <= 5200 * MS);
        assert.ok(queue.filledMs <= 3200 && queue.filledMs >= 0);
      }
    }),
    { seed: 31, numRuns: 300 },
  );
});

test('the queue: quiet before a place, and nothing left after clear', () => {
  const queue = new SpeechQueue(RATE);
  queue.write(Int16Array.of(5000, 5000, 1, -2, 3, 9000));
  assert.equal(queue.quietBefore(5, 100), 3);
  assert.equal(queue.quietBefore(6, 100), 0);
  assert.equal(queue.quietBefore(0, 100), 0);
  queue.clear();
  assert.equal(queue.queuedSamples, 0);
  queue.seek(0);
  assert.equal(queue.readPosition, 6, 'went back before a clear');
});

test('the queue: a sliver of a word that was cut off at once is as quiet as what was before it', () => {
  /** A word, the silence after it, and so much of the next one; how it ended, in ms before the cut. */
  const endedMs = (nextMs: number, peak: number): number => {
    const queue = new SpeechQueue(RATE);
    queue.write(Int16Array.from({ length: 100 * MS }, (_, i) => 8000 * Math.sin(i) + 500 * Math.sign(Math.sin(i))));
    queue.write(new Int16Array(50 * MS));
    queue.write(Int16Array.from({ length: nextMs * MS }, (_, i) => peak * Math.cos(i)));
    return queue.quietBefore(queue.writePosition, 184) / MS;
  };
  assert.equal(endedMs(0, 0), 50);
  assert.equal(endedMs(0.5, 600), 50.5);
  assert.equal(endedMs(2, 900), 52);
  assert.equal(endedMs(5, 900), 0, 'it was long enough to be heard');
  assert.equal(endedMs(1, 3000), 0, 'a click is heard');
});

const loud = (count: number) => new Int16Array(count).fill(5000);
const quiet = (count: number) => new Int16Array(count);

test('the ear: first and last audible sample, whatever silence is around them', () => {
  const ear = new Ear(RATE);
  assert.equal(ear.handed(quiet(160), 160, 160, 1000), false);
  const mixed = Int16Array.from({ length: 160 }, (_, i) => (i >= 40 && i < 80 ? 5000 : 100));
  assert.equal(ear.handed(mixed, 160, 320, 1001), true);
  assert.equal(ear.firstAudibleMs, 1025);
  assert.equal(ear.lastAudibleMs, 1030);
  assert.equal(ear.endMs, 1040);
  assert.equal(ear.handed(loud(160), 160, 480, 1060), false);
  assert.equal(ear.lastAudibleMs, 1080, 'audio that comes late sounds late');
});

test('the ear: heard is what was handed out less what waits, and stays what it was when the rest is cut', () => {
  const ear = new Ear(RATE);
  ear.handed(loud(1600), 1600, 1600, 1000);
  assert.equal(ear.heardPosition(1000), 0);
  assert.equal(ear.heardPosition(1050), 400);
  assert.equal(ear.heardPosition(5000), 1600);
  assert.equal(ear.cut(1050), 400);
  assert.equal(ear.heardPosition(1050), 400);
  assert.equal(ear.heardPosition(9000), 400);
  assert.equal(ear.lastAudibleMs, 1050);
  assert.equal(ear.endMs, 1050);
});

test('the ear: quiet at the end is not the end, and where all was too short to hear, nothing was heard', () => {
  const ear = new Ear(RATE);
  ear.handed(loud(160), 160, 160, 1000);
  ear.cut(1015);
  ear.endedQuietly(5 * MS);
  assert.equal(ear.lastAudibleMs, 1010);
  ear.endedQuietly(15 * MS);
  assert.equal(ear.firstAudibleMs, null);
  assert.equal(ear.lastAudibleMs, null);
});

test('the ear: reports hold the model back, count what was dropped, and are not believed for another stretch', () => {
  const ear = new Ear(RATE);
  ear.handed(loud(8000), 8000, 8000, 0);
  ear.reported(800);
  assert.equal(ear.heardPosition(1000), 800 + 2400, 'more than a report is old');
  assert.equal(ear.heardPosition(200), 1600);
  assert.equal(ear.cut(500), 3200);
  // The line had been handed 8000; 3200 of them were heard and the others dropped.
  ear.reported(3200);
  assert.equal(ear.heardPosition(9000), 3200);
  ear.handed(loud(1600), 1600, 4800, 1000);
  assert.equal(ear.heardPosition(1100), 4000);
  ear.reported(8400);
  assert.equal(ear.heardPosition(1100), 4000);
  ear.reported(9600);
  assert.equal(ear.heardPosition(1100), 4800, 'the line says that it played more');
  ear.reported(99_999);
  assert.equal(ear.heardPosition(9000), 4800);
});

test('the ear: a jump of the speech does not hold back what follows', () => {
  const ear = new Ear(RATE);
  ear.handed(loud(800), 800, 800, 0);
  ear.reported(800);
  // The queue was emptied: the next reply begins far behind.
  ear.handed(loud(1600), 1600, 33_600, 1000);
  assert.equal(ear.heardPosition(1100), 32_800);
});

test('heard words: none at first, all at the end, never fewer when more was heard', () => {
  const words = fc.array(fc.constantFrom('a', 'word', 'considerable', '\u4f60\u597d', 'Dr.', '42'), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(words, fc.integer({ min: 100, max: 50_000 }), fc.boolean(), (list, samples, complete) => {
      const text = list.join(' ');
      const model = new HeardWords(RATE);
      let before = '';
      for (let heardSamples = 0; heardSamples <= samples; heardSamples += Math.max(1, samples >> 5)) {
        const heard = model.heard({ text, samples, complete, heardSamples });
        assert.ok(heard.startsWith(before) && text.startsWith(heard));
        before = heard;
      }
      assert.equal(model.heard({ text, samples, complete, heardSamples: 0 }), '');
      if (complete) assert.equal(model.heard({ text, samples, complete, heardSamples: samples }), text);
    }),
    { seed: 32, numRuns: 300 },
  );
});

test('heard words: half of the audio is half of the words, with the spaces as they were', () => {
  const model = new HeardWords(RATE);
  const text = 'aaaa bbbb\ncccc dddd';
  assert.equal(model.heard({ text, samples: 4000, complete: true, heardSamples: 2000 }), 'aaaa bbbb');
  assert.equal(model.heard({ text, samples: 4000, complete: true, heardSamples: 3000 }), 'aaaa bbbb\ncccc');
});

test('heard words: where a script writes no spaces, signs count', () => {
  const text = '\u4eca\u5929\u5929\u6c14\u5f88\u597d\u3002';
  const heard = new HeardWords(RATE).heard({ text, samples: 6000, complete: true, heardSamples: 3000 });
  assert.equal(heard, '\u4eca\u5929\u5929\u6c14');
});

test("heard words: the voice's pace is learnt for pieces of which the rest has not come", () => {
  const text = 'one two three four five six seven eight';
  const piece = { text, samples: 1000 * MS, complete: false, heardSamples: 1000 * MS };
  const model = new HeardWords(RATE);
  const guessed = model.heard(piece);
  model.learn(text, 8000 * MS);
  const learnt = model.heard(piece);
  assert.ok(learnt.length < guessed.length, `${learnt} | ${guessed}`);
  assert.equal(learnt, 'one');
});

test('mixer: silence after speech, or a background under and after it', () => {
  const mixer = new Mixer();
  const out = Int16Array.of(1000, 1000, 77, 77);
  mixer.mix(out, 2);
  assert.deepEqual([...out], [1000, 1000, 0, 0]);
  mixer.setBackground(Int16Array.of(256, -256, 512), 1);
  assert.ok(mixer.hasBackground);
  const mixed = Int16Array.of(1000, 1000, 0, 0);
  mixer.mix(mixed, 2);
  assert.deepEqual([...mixed], [1077, 923, 512, 256]);
  const clipped = Int16Array.of(32_767, -32_768);
  mixer.setBackground(Int16Array.of(32_767, -32_768), 9);
  mixer.mix(clipped, 2);
  assert.deepEqual([...clipped], [32_767, -32_768]);
  mixer.setBackground(null, 1);
  assert.equal(mixer.hasBackground, false);
});

function piece(id: number, over: Partial<Piece> = {}): Piece {
  return {
    id,
    text: 'one two three',
    round: 0,
    canned: null,
    startPosition: -1,
    samples: 0,
    complete: false,
    broken: false,
    ...over,
  };
}

test('playout: a stock phrase sounds while the reply is closed, is not the reply, and is not resumed', () => {
  const playout = new Playout(RATE);
  const out = new Int16Array(160);
  assert.equal(playout.interject(numbered(0, 320)), 320);
  const reply = piece(1);
  playout.write(reply, numbered(500, 320));
  assert.equal(playout.interject(numbered(0, 160)), 0, 'a phrase in the middle of a reply');
  assert.equal(playout.read(out, false, 0), 160);
  assert.equal(playout.becameAudible, false);
  playout.hold(10);
  assert.equal(playout.read(out, false, 20), 0);
  assert.equal(playout.read(out, true, 40), 160);
  assert.equal(out[0], 1500);
  assert.ok(playout.becameAudible);
});

test('playout: what the voice broke off does not count as heard in full', () => {
  const playout = new Playout(RATE);
  const broken = piece(1, { text: 'one two three four five six seven eight nine ten' });
  playout.write(broken, loud(4000));
  broken.complete = true;
  broken.broken = true;
  const out = new Int16Array(4000);
  playout.read(out, true, 0);
  const heard = playout.heardOf(broken, playout.heardPosition(10_000));
  assert.match(heard, /^one two/);
  assert.ok(heard.length < 20, heard);
  assert.equal(playout.heardOf(piece(2), 99_999), '');
});
