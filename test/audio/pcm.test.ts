// PCM16 to float32 and back: every sample value, saturation, halves to even, odd lengths.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEngine } from '../../src/audio/engine.ts';
import { seeded } from './signals.ts';

const engine = createEngine(1);
const { core, pcmIn, pcmOut, floatOut } = engine;

function toPcm(values: readonly number[]): number[] {
  floatOut.set(values);
  core.floatToPcm(floatOut.byteOffset, pcmOut.byteOffset, values.length);
  return [...pcmOut.subarray(0, values.length)];
}

/** The twin: scale, round halves to even, saturate. */
function expected(value: number): number {
  const scaled = Math.fround(Math.fround(value) * 32768);
  if (Number.isNaN(scaled)) return 0;
  let rounded = Math.round(scaled);
  if (Math.abs(scaled % 1) === 0.5 && rounded % 2 !== 0) rounded--;
  return Math.max(-32768, Math.min(32767, rounded)) + 0;
}

test('every PCM16 value becomes itself / 32768 and comes back', () => {
  for (let first = -32768; first < 32768; first += 1024) {
    for (let i = 0; i < 1024; i++) pcmIn[i] = first + i;
    core.pcmToFloat(pcmIn.byteOffset, floatOut.byteOffset, 1024);
    for (let i = 0; i < 1024; i++) assert.equal(floatOut[i], (first + i) / 32768);
    core.floatToPcm(floatOut.byteOffset, pcmOut.byteOffset, 1024);
    for (let i = 0; i < 1024; i++) assert.equal(pcmOut[i], first + i);
  }
});

test('floats saturate, round halves to even, and NaN is silence', () => {
  const values = [1, -1, 1.5, -1.5, 1e30, -1e30, Infinity, -Infinity, Number.NaN, 0, -0, 32767.5 / 32768];
  for (const half of [0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5, 1000.5, 1001.5]) values.push(half / 32768);
  assert.deepEqual(toPcm(values), values.map(expected));
  assert.deepEqual(toPcm([0.5 / 32768, 1.5 / 32768, 2.5 / 32768, -0.5 / 32768, -1.5 / 32768]), [0, 2, 2, 0, -2]);
});

test('random floats agree with the twin at every length up to 40', () => {
  const random = seeded(11);
  for (let length = 0; length <= 40; length++) {
    const values = Array.from({ length }, () => (random() - 0.5) * 2.4);
    assert.deepEqual(toPcm(values), values.map(expected));
    pcmIn.set(values.map(expected));
    core.pcmToFloat(pcmIn.byteOffset, floatOut.byteOffset, length);
    assert.deepEqual(
      [...floatOut.subarray(0, length)],
      values.map((v) => expected(v) / 32768),
    );
  }
});
