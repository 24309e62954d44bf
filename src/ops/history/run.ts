// The bytes of one series in the open hour: packed piece by piece as they come, so that the end of the hour has little left to do.
import type { Compression } from '../../hosts/port.ts';
import { ByteWriter } from './bytes.ts';
import type { Pacer } from './pacer.ts';
import { joinedCrc, PIECE_BYTES, type Stored, unpackPieces, writePiece } from './pieces.ts';
import { Chain, type Slab } from './slab.ts';

// Between two awaits only.
const rest = new Uint8Array(PIECE_BYTES);
const packed = new ByteWriter(PIECE_BYTES);

export class Run {
  readonly #compression: Compression | undefined;
  /** Pieces, as a block has them. */
  readonly pieces: Chain;
  crc = 0;
  /** What is less than a piece. */
  readonly #rest: Chain;

  constructor(slab: Slab, compression: Compression | undefined) {
    this.#compression = compression;
    this.pieces = new Chain(slab);
    this.#rest = new Chain(slab);
  }

  /** Keeps a copy. A full piece stays as it is until somebody has the time, or needs the room. */
  add(bytes: Uint8Array, from = 0, to = bytes.length): void {
    let at = from;
    while (at < to) {
      if (this.isFull) this.pack();
      const count = Math.min(to - at, PIECE_BYTES - this.#rest.length);
      this.#rest.add(bytes, at, at + count);
      at += count;
    }
  }

  get isFull(): boolean {
    return this.#rest.length === PIECE_BYTES;
  }

  /** Packs what is less than a piece, too. */
  pack(): void {
    if (this.#rest.length === 0) return;
    packed.clear();
    this.crc = joinedCrc(this.crc, writePiece(packed, this.#takeRest(), this.#compression));
    this.#rest.clear();
    this.pieces.add(packed.memory, 0, packed.length);
  }

  /** In memory that the next call uses again. */
  #takeRest(): Uint8Array {
    this.#rest.copyTo(rest);
    return rest.subarray(0, this.#rest.length);
  }

  /** Appends all of it. */
  async copyTo(out: ByteWriter, pacer: Pacer): Promise<void> {
    if (this.pieces.length > 0) out.bytes(await unpacked(this.snapshot(), pacer));
    else out.part(this.#takeRest(), 0, this.#rest.length);
  }

  /** As it is now, whatever is added later. */
  snapshot(): Snapshot {
    const bytes = new Uint8Array(this.pieces.length);
    this.pieces.copyTo(bytes);
    return { pieces: { bytes, crc: this.crc }, rest: this.#takeRest().slice(), compression: this.#compression };
  }
}

export interface Snapshot {
  readonly pieces: Stored;
  readonly rest: Uint8Array;
  readonly compression: Compression | undefined;
}

export async function unpacked({ pieces, rest, compression }: Snapshot, pacer: Pacer): Promise<Uint8Array> {
  const before = await unpackPieces(pieces, compression, pacer);
  const whole = new Uint8Array(before.length + rest.length);
  whole.set(before);
  whole.set(rest, before.length);
  return whole;
}
