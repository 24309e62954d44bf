// The same bytes on every host: hashes of what the core makes of whole-number signals.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createAudioCore, type SampleRateHz } from '../../src/audio/index.ts';
import { seeded } from './signals.ts';

/** Bursts of triangle waves in noise, by whole numbers only: the host's own sine would differ. */
function signal(samples: number, seed: number): Int16Array {
  const random = seeded(seed);
  return Int16Array.from({ length: samples }, (_, i) => {
    const burst = (i >> 13) & 1;
    const period = 90 + ((i >> 11) & 15) * 4;
    const triangle = Math.abs((i % period) * 4 - 2 * period) - period;
    return Math.floor(random() * 65) - 32 + burst * triangle * 40;
  });
}

const core = createAudioCore({ maxSlots: 1 });

test('scores, levels and frames', () => {
  const hash = createHash('sha256');
  for (const rateHz of [8000, 16000, 24000, 48000] as const) {
    const analyzer = core.openAnalyzer(rateHz);
    const pcm = signal(rateHz * 4, rateHz);
    const results = new Float64Array(5);
    for (let at = 0; at + 80 <= pcm.length; at += 80) {
      analyzer.write(new Uint8Array(pcm.buffer, at * 2, 160));
      while (analyzer.next()) {
        results.set([analyzer.score, analyzer.rms, analyzer.firstHalfDb, analyzer.secondHalfDb, analyzer.floorDb]);
        hash.update(new Uint8Array(results.buffer));
        hash.update(new Uint8Array(analyzer.frame.buffer, analyzer.frame.byteOffset, 640));
      }
    }
    analyzer.release();
  }
  assert.equal(hash.digest('hex'), '0bba9f1a03b6e960b9d11ce9d64d2c73d9ac3a372ca5d8ccdde607744c932f59');
});

test('resampled samples', () => {
  const hash = createHash('sha256');
  const rates: readonly SampleRateHz[] = [8000, 16000, 24000, 48000];
  const pcm = signal(30_000, 1);
  for (const from of rates) {
    for (const to of rates) {
      const resampler = core.openResampler(from, to);
      const output = new Int16Array(resampler.maxOutput(pcm.length));
      hash.update(new Uint8Array(output.buffer, 0, resampler.process(pcm, output) * 2));
      resampler.release();
    }
  }
  assert.equal(hash.digest('hex'), '3f9b3e7dc03c5bc50df27a59b4d18c33eecf7ba53dbaf21cf46c3596fde0255a');
});
