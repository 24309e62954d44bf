// Pieces of blocks: packed or stored, one after the other, and read again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compression } from '../../../src/hosts/node-compression.ts';
import { BlockWriter } from '../../../src/ops/history/block-writer.ts';
import { ByteWriter, crc32 } from '../../../src/ops/history/bytes.ts';
import { Catalogue } from '../../../src/ops/history/catalogue.ts';
import { MemoryFolder } from '../../../src/ops/history/memory-folder.ts';
import { Pacer } from '../../../src/ops/history/pacer.ts';
import {
  joinedCrc,
  PIECE_BYTES,
  PieceReader,
  unpackPieces,
  writePiece,
  writeStored,
} from '../../../src/ops/history/pieces.ts';

/** Bytes that tell their series and minute, of a length of their own. */
const part = (series: number, minute: number) =>
  new Uint8Array(300 + ((series * 7 + minute * 13) % 90)).fill((series + minute) % 251);

const pacer = new Pacer({ now: () => 0, pause: async () => {} });

test('pieces: packed and stored ones, one after the other; a changed byte is noticed', async () => {
  for (const how of [compression, undefined]) {
    const out = new ByteWriter();
    const parts = [new Uint8Array(PIECE_BYTES).fill(3), part(1, 2), new Uint8Array([1]), part(3, 4)];
    const all = parts.flatMap((bytes) => [...bytes]);
    let crc = 0;
    for (const [i, bytes] of parts.entries()) {
      const isPacked = i === 0 || i === 3;
      const from = isPacked ? writePiece(out, bytes, how) : writeStored(out, bytes, bytes.length, how);
      crc = joinedCrc(crc, crc32(out.memory, from, out.length));
    }
    const reader = new PieceReader();
    const again = new ByteWriter();
    reader.reset(out.view());
    await reader.check(crc, pacer);
    assert.deepEqual([reader.count, reader.total], [4, all.length]);
    while (reader.next()) reader.unpack(again, how);
    assert.deepEqual([...again.view()], all);
    assert.deepEqual([...(await unpackPieces({ bytes: out.view(), crc }, how, pacer))], all);
    const damaged = out.view().slice();
    damaged[damaged.length - 1]! ^= 1;
    reader.reset(damaged);
    await assert.rejects(reader.check(crc, pacer), { name: 'RangeError', message: 'the checksum differs' });
    await assert.rejects(unpackPieces({ bytes: damaged, crc }, how, pacer), RangeError);
    reader.reset(out.view(), 0, out.length - 1);
    await assert.rejects(reader.check(crc, pacer), RangeError);
    // Any inflater reads what is stored.
    const stored = new ByteWriter();
    writeStored(stored, part(1, 2), part(1, 2).length, compression);
    reader.reset(stored.view());
    assert.ok(reader.next());
    assert.deepEqual(compression.inflate(stored.view().slice(reader.from, reader.to), 1000), part(1, 2));
  }
});

test('a block of bytes that cannot be packed is written and checked with a rest after each kilobyte', async () => {
  let [clock, pauses] = [0, 0];
  // Each look at the clock finds another slice over.
  const slow = new Pacer({ now: () => clock++, pause: async () => void pauses++ });
  const pieces = 5;
  let noise = 1;
  const bytes = Uint8Array.from({ length: pieces * PIECE_BYTES }, () => {
    noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) >>> 0;
    return noise >>> 24;
  });
  const folder = new MemoryFolder();
  const entry = new Catalogue(10).of({ name: 'n', kind: 'histogram', unit: 's', labels: {} })!;
  const writer = await BlockWriter.create(folder, 'b', compression, slow);
  writer.begin();
  pauses = 0;
  await writer.chunks(bytes);
  // Four kilobytes, packing them, and what comes after.
  assert.ok(pauses >= pieces * 5, `${pauses} pauses`);
  writer.end(entry.hash, entry.key);
  const block = await writer.finish({ tier: 'seconds', fromMs: 0, toMs: 60_000 });
  const stored = (await block.fetch(entry.hash))!;
  assert.ok(stored.bytes.length > 0.9 * bytes.length, `${stored.bytes.length} bytes`);
  pauses = 0;
  assert.deepEqual(await block.inflate(stored, slow), bytes);
  assert.ok(pauses >= pieces * 5, `${pauses} pauses`);
});
