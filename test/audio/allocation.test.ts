// The frame path allocates nothing: 100,000 frames leave the heap where it was.
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { createAudioCore } from '../../src/audio/index.ts';
import { speechLike } from './signals.ts';

const ROUNDS = 20;
const FRAMES = 5_000;
/** One boxed number a frame would be 60 kB or more. Bun reports its heap only when it collects: there this shows less. */
const TOLERANCE_BYTES = 20_000;

test('write, next, results and resampling allocate nothing', () => {
  const core = createAudioCore({ maxSlots: 2 });
  const analyzer = core.openAnalyzer(48000);
  const resampler = core.openResampler(24000, 48000);
  const pcm = speechLike({ seconds: 1, seed: 1, noiseDb: -50 });
  const packets = Array.from({ length: 16 }, (_, i) => new Uint8Array(pcm.buffer, i * 1920, 1920));
  const input = pcm.subarray(0, 480);
  const output = new Int16Array(960);
  // In an array: a local of doubles may be boxed by a host that has not compiled the loop to the end.
  const sums = new Float64Array(1);
  const run = (frames: number): void => {
    for (let i = 0; i < frames; i++) {
      analyzer.write(packets[i & 15]!);
      while (analyzer.next()) {
        sums[0]! += analyzer.score;
        sums[0]! += analyzer.rms;
        sums[0]! += analyzer.firstHalfDb;
        sums[0]! += analyzer.secondHalfDb;
        sums[0]! += analyzer.floorDb;
        sums[0]! += analyzer.peak;
        sums[0]! += analyzer.frame[3]!;
      }
      if ((i & 15) === 0) sums[0]! += resampler.process(input, output);
    }
  };
  // Until the host has compiled it.
  run(20_000);
  run(20_000);
  const changes: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.memoryUsage().heapUsed;
    run(FRAMES);
    changes.push(Math.abs(process.memoryUsage().heapUsed - before));
  }
  assert.ok(Number.isFinite(sums[0]));
  // The median: the host's own work falls into some rounds. A collection counts as a change.
  const median = changes.sort((a, b) => a - b)[ROUNDS / 2]!;
  assert.ok(median < TOLERANCE_BYTES, `${median} bytes in ${FRAMES} frames`);
});
