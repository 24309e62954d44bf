// An analyzer with the net's score: the score is the stream's, everything else the analyzer's own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAudioCore } from '../../../src/audio/index.ts';
import { createNeuralVad, withNeuralScore } from '../../../src/audio/neural/index.ts';
import { speechLike } from '../signals.ts';

test('score of the net, figures of the analyzer; reset and release reach both', () => {
  const core = createAudioCore({ maxSlots: 2 });
  const vad = createNeuralVad({ maxSlots: 2 });
  const plain = core.openAnalyzer(8000);
  const stream = vad.open();
  const neural = withNeuralScore(core.openAnalyzer(8000), vad.open());
  assert.deepEqual([neural.inputRateHz, neural.delaySamples, neural.score], [plain.inputRateHz, plain.delaySamples, 0]);
  const pcm = speechLike({ seconds: 3, seed: 1, noiseDb: -50 });
  let heard = 0;
  for (const start of [0, 1]) {
    for (let at = 0; at + 160 <= pcm.length; at += 160) {
      const packet = new Uint8Array(pcm.buffer, at * 2, 320);
      assert.equal(neural.write(packet), plain.write(packet));
      while (plain.next()) {
        assert.equal(neural.next(), true);
        assert.deepEqual(neural.frame, plain.frame);
        assert.equal(neural.score, stream.push(plain.frame));
        assert.deepEqual(
          [neural.rms, neural.firstHalfDb, neural.secondHalfDb, neural.floorDb, neural.peak],
          [plain.rms, plain.firstHalfDb, plain.secondHalfDb, plain.floorDb, plain.peak],
        );
        heard++;
      }
      assert.equal(neural.next(), false);
    }
    if (start === 0) for (const each of [neural, plain, stream]) each.reset();
  }
  assert.ok(heard > 200);
  neural.release();
  assert.deepEqual([core.slotsInUse, vad.slotsInUse], [1, 1]);
  assert.ok(Number.isNaN(neural.score) && neural.frame.length === 0);
  assert.throws(() => neural.next(), /slot was released/);
});
