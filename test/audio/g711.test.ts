// G.711 exhaustively: every code, every sample, both laws; the two ways fit; nothing is allocated; wrong sizes and laws are refused.
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { createAudioCore } from '../../src/audio/index.ts';
import { decisionTable, decodeTable } from './g711-twin.ts';

const core = createAudioCore({ maxSlots: 1 });
const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, i) => i);
const ALL_SAMPLES = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768);

for (const law of ['mu', 'a'] as const) {
  const table = decodeTable(law);

  test(`${law}: all 256 codes decode to the table`, () => {
    const output = new Int16Array(256);
    assert.equal(core.decodeG711(law, ALL_BYTES, output), 256);
    assert.deepEqual(output, table);
  });

  test(`${law}: all 65,536 samples fall between the decision values of their code`, () => {
    const bytes = new Uint8Array(65_536);
    assert.equal(core.encodeG711(law, ALL_SAMPLES, bytes), 65_536);
    const decisions = decisionTable(law);
    for (let i = 0; i < 65_536; i++) {
      const sample = ALL_SAMPLES[i]!;
      // A-law has no zero: -1 lies as far from the middle as 0.
      const magnitude = sample >= 0 ? sample : law === 'mu' ? -sample : -1 - sample;
      const code = law === 'mu' ? ~bytes[i]! & 0x7f : (bytes[i]! ^ 0x55) & 0x7f;
      const below = decisions[code]!;
      const above = decisions[code + 1] ?? 65_536;
      if (magnitude < below || magnitude >= above) assert.fail(`${sample} became ${table[bytes[i]!]}`);
      // The sign bit is the sample's own, zero is positive.
      if (bytes[i]! >> 7 !== (sample < 0 ? 0 : 1)) assert.fail(`the sign of ${sample}`);
    }
  });

  test(`${law}: what was decoded encodes to itself`, () => {
    const pcm = new Int16Array(256);
    const bytes = new Uint8Array(256);
    core.decodeG711(law, ALL_BYTES, pcm);
    core.encodeG711(law, pcm, bytes);
    // Mu-law has a negative zero, which PCM has not.
    if (law === 'mu') bytes[0x7f] = 0x7f;
    assert.deepEqual(bytes, ALL_BYTES);
  });
}

test('known values of other implementations', () => {
  const bytes = new Uint8Array(6);
  const samples = Int16Array.of(0, 1000, -1000, 32_767, -32_768, 8);
  core.encodeG711('mu', samples, bytes);
  assert.deepEqual([...bytes], [0xff, 0xce, 0x4e, 0x80, 0x00, 0xfe]);
  core.encodeG711('a', samples, bytes);
  assert.deepEqual([...bytes], [0xd5, 0xfa, 0x7a, 0xaa, 0x2a, 0xd5]);
});

test('any length, without a slot and without allocating', () => {
  core.openAnalyzer(8000);
  const bytes = new Uint8Array(5000).map((_, i) => i * 7);
  const whole = new Int16Array(5000);
  core.decodeG711('a', bytes, whole);
  const parts = new Int16Array(5000);
  for (let at = 0; at < 5000; at += 499) core.decodeG711('a', bytes.subarray(at, at + 499), parts.subarray(at));
  assert.deepEqual(parts, whole);
  assert.equal(core.decodeG711('mu', new Uint8Array(0), whole), 0);
  const packet = bytes.subarray(0, 160);
  const output = new Int16Array(160);
  const run = (times: number) => {
    for (let i = 0; i < times; i++) {
      core.decodeG711('mu', packet, output);
      core.encodeG711('mu', output, packet);
    }
  };
  run(5000);
  const changes = Array.from({ length: 11 }, () => {
    const before = process.memoryUsage().heapUsed;
    run(2000);
    return Math.abs(process.memoryUsage().heapUsed - before);
  });
  const median = changes.sort((a, b) => a - b)[5]!;
  assert.ok(median < 20_000, `${median} bytes in 2,000 packets`);
});

test('wrong sizes and laws are refused', () => {
  const output = new Int16Array(2);
  assert.throws(() => core.decodeG711('mu', new Uint8Array(3), output), /must hold 3 samples: it holds 2/);
  assert.throws(() => core.encodeG711('a', new Int16Array(3), new Uint8Array(2)), /must hold 3 bytes: it holds 2/);
  assert.throws(() => core.decodeG711('u' as 'mu', new Uint8Array(1), output), /'mu' or 'a': it is "u"/);
});
