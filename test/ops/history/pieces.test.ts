// Pieces of blocks: packed or stored, one after the other, and read again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compression } from '../../../src/hosts/node-compression.ts';
import { ByteWriter } from '../../../src/ops/history/bytes.ts';
import { PIECE_BYTES, PieceReader, writePiece, writeStored } from '../../../src/ops/history/pieces.ts';

/** Bytes that tell their series and minute, of a length of their own. */
const part = (series: number, minute: number) =>
  new Uint8Array(300 + ((series * 7 + minute * 13) % 90)).fill((series + minute) % 251);

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
