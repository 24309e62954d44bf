// The same bits on every host and in every slot: hashes of the probabilities of a whole-number signal.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createNeuralVad, type NeuralStream } from '../../../src/audio/neural/index.ts';
import { seeded } from '../signals.ts';

/** Bursts of triangle waves in noise with pauses, by whole numbers only: the host's own sine would differ. */
function signal(samples: number): Int16Array {
  const random = seeded(7);
  return Int16Array.from({ length: samples }, (_, i) => {
    const burst = (i >> 14) & 1;
    const period = 90 + ((i >> 11) & 15) * 4;
    const triangle = Math.abs((i % period) * 4 - 2 * period) - period;
    return Math.floor(random() * 65) - 32 + burst * triangle * (10 + ((i >> 9) & 31));
  });
}

const pcm = signal(16_000 * 8);

function hashOf(stream: NeuralStream): string {
  const hash = createHash('sha256');
  const probability = new Float32Array(1);
  for (let at = 0; at + 320 <= pcm.length; at += 320) {
    probability[0] = stream.push(pcm.subarray(at, at + 320));
    hash.update(new Uint8Array(probability.buffer));
  }
  return hash.digest('hex');
}

const GATED = 'e8f8e813794a065abf9c9809c091ebdf703b2d5f60e2a6a6a637e10793590b5f';
const PLAIN = 'e4be777f8239cf470ceb5756c1707babe2be32f33d43d6f1b5be56a3e739ae23';

test('probabilities with the gate', () => {
  assert.equal(hashOf(createNeuralVad({ maxSlots: 1 }).open()), GATED);
});

test('probabilities without the gate, in the first and in the last of many slots', () => {
  const vad = createNeuralVad({ maxSlots: 300 });
  const streams = Array.from({ length: 300 }, () => vad.open({ gated: false }));
  assert.equal(hashOf(streams[0]!), PLAIN);
  assert.equal(hashOf(streams[299]!), PLAIN);
});
