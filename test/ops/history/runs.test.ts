// Runs that grow side by side in the open hour: what was added is read again, packed or not, and what a run gives back another takes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compression } from '../../../src/hosts/node-compression.ts';
import { ByteWriter } from '../../../src/ops/history/bytes.ts';
import { Pacer } from '../../../src/ops/history/pacer.ts';
import { PIECE_BYTES, PieceReader, writePiece, writeStored } from '../../../src/ops/history/pieces.ts';
import { Run, unpacked } from '../../../src/ops/history/run.ts';
import { Chain, Slab } from '../../../src/ops/history/slab.ts';

const SERIES = 200;
const MINUTES = 60;
const pacer = new Pacer({ now: () => 0, pause: () => Promise.resolve() });

/** Bytes that tell their series and minute, of a length of their own. */
const part = (series: number, minute: number) =>
  new Uint8Array(300 + ((series * 7 + minute * 13) % 90)).fill((series + minute) % 251);

async function read(run: Run): Promise<Uint8Array> {
  const out = new ByteWriter();
  await run.copyTo(out, pacer);
  return out.view().slice();
}

test('series that grow side by side are read again, in a fraction of the memory', async () => {
  for (const how of [compression, undefined]) {
    const slab = new Slab();
    const runs = Array.from({ length: SERIES }, () => new Run(slab, how));
    let bytes = 0;
    for (let minute = 0; minute < MINUTES; minute++) {
      for (const [series, run] of runs.entries()) {
        run.add(part(series, minute));
        bytes += part(series, minute).length;
      }
    }
    for (const [series, run] of runs.entries()) {
      const expected = Array.from({ length: MINUTES }, (_, minute) => [...part(series, minute)]).flat();
      assert.deepEqual([...(await read(run))], expected);
    }
    assert.ok(bytes > 4_000_000);
    // What is less than a piece stays unpacked: up to 8 kB of each.
    if (how !== undefined) assert.ok(slab.bytes < 0.5 * bytes, `${slab.bytes} of ${bytes}`);
  }
});

test('a part larger than several pieces, and what is added after a snapshot', async () => {
  const slab = new Slab();
  const [small, large] = [new Run(slab, compression), new Run(slab, compression)];
  small.add(part(1, 1));
  large.add(new Uint8Array(30_000).fill(7));
  small.add(part(1, 2));
  const before = small.snapshot();
  for (let minute = 3; minute < 200; minute++) small.add(part(1, minute));
  large.add(new Uint8Array(8192).fill(9));
  assert.deepEqual([...(await unpacked(before, pacer))], [...part(1, 1), ...part(1, 2)]);
  const all = Array.from({ length: 199 }, (_, minute) => [...part(1, minute + 1)]).flat();
  assert.deepEqual([...(await read(small))], all);
  small.pack();
  assert.deepEqual([...(await read(small))], all);
  const whole = await read(large);
  assert.deepEqual([whole.length, whole[0], whole[29_999], whole[30_000], whole.at(-1)], [38_192, 7, 7, 9, 9]);
});

test('blocks of memory are used again', () => {
  const slab = new Slab();
  const kept = new Chain(slab);
  kept.add(new Uint8Array(700).fill(1));
  for (let turn = 0; turn < 1000; turn++) {
    const chain = new Chain(slab);
    chain.add(new Uint8Array(5000).fill(2));
    chain.clear();
  }
  const bytes = new Uint8Array(700);
  kept.copyTo(bytes);
  assert.ok(bytes.every((byte) => byte === 1));
  assert.equal(slab.bytes, 262_144);
});

test('pieces: packed and stored ones, one after the other; a changed byte is noticed', () => {
  for (const how of [compression, undefined]) {
    const out = new ByteWriter();
    const parts = [new Uint8Array(PIECE_BYTES).fill(3), part(1, 2), new Uint8Array([1]), part(3, 4)];
    writePiece(out, parts[0]!, how);
    for (const bytes of parts.slice(1, 3)) writeStored(out, bytes, bytes.length, how);
    writePiece(out, parts[3]!, how);
    const reader = new PieceReader();
    const again = new ByteWriter();
    reader.reset(out.view());
    while (reader.next()) reader.unpack(again, how);
    assert.deepEqual(
      [...again.view()],
      parts.flatMap((bytes) => [...bytes]),
    );
    const { crc } = reader;
    const damaged = out.view().slice();
    damaged[damaged.length - 1]! ^= 1;
    reader.reset(damaged);
    while (reader.next());
    assert.notEqual(reader.crc, crc);
    reader.reset(out.view(), 0, out.length - 1);
    assert.throws(() => {
      while (reader.next());
    }, RangeError);
    // Any inflater reads what is stored.
    const stored = new ByteWriter();
    writeStored(stored, part(1, 2), part(1, 2).length, compression);
    reader.reset(stored.view());
    assert.ok(reader.next());
    assert.deepEqual(compression.inflate(stored.view().slice(reader.from, reader.to), 1000), part(1, 2));
  }
});
