// Where the chunks of an open hour lie in its journals: a row each, in the order in which they were written.

const FIRST_ROWS = 1024;
const GROWTH = 1.25;

export class ChunkIndex {
  /** Rows that the journals have for certain; later ones are on their way. */
  count = 0;
  #added = 0;
  /** Number of the series in its hour. */
  slots = new Uint32Array(FIRST_ROWS);
  offsets = new Uint32Array(FIRST_ROWS);
  lengths = new Uint32Array(FIRST_ROWS);
  checksums = new Uint32Array(FIRST_ROWS);
  /** Number of the journal in its hour. */
  journals = new Uint16Array(FIRST_ROWS);
  /** Of the hour, 0 to 59. */
  minutes = new Uint8Array(FIRST_ROWS);

  add(slot: number, minute: number, journal: number, offset: number, length: number, checksum: number): void {
    const row = this.#added++;
    if (row >= this.slots.length) this.#grow(Math.ceil(GROWTH * this.slots.length));
    this.slots[row] = slot;
    this.offsets[row] = offset;
    this.lengths[row] = length;
    this.checksums[row] = checksum;
    this.journals[row] = journal;
    this.minutes[row] = minute;
  }

  /** The same row as another index has. */
  addRow(from: ChunkIndex, row: number): void {
    this.add(
      from.slots[row]!,
      from.minutes[row]!,
      from.journals[row]!,
      from.offsets[row]!,
      from.lengths[row]!,
      from.checksums[row]!,
    );
  }

  /** What was added is in the journal. */
  commit(): void {
    this.count = this.#added;
  }

  /** What was added since has not reached it. */
  discard(): void {
    this.#added = this.count;
  }

  #grow(rows: number): void {
    this.slots = larger(this.slots, new Uint32Array(rows));
    this.offsets = larger(this.offsets, new Uint32Array(rows));
    this.lengths = larger(this.lengths, new Uint32Array(rows));
    this.checksums = larger(this.checksums, new Uint32Array(rows));
    this.journals = larger(this.journals, new Uint16Array(rows));
    this.minutes = larger(this.minutes, new Uint8Array(rows));
  }
}

function larger<T extends Uint8Array | Uint16Array | Uint32Array>(before: T, after: T): T {
  after.set(before);
  return after;
}
