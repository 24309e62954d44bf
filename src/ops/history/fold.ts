// Coarser chunks from finer ones: a minute from its seconds, an hour from its minutes.
import { BucketSum } from './buckets.ts';
import type { ByteWriter } from './bytes.ts';
import { MinuteFold, Places, readSeconds } from './chunks.ts';
import type { Pacer } from './pacer.ts';

const fold = new MinuteFold(new BucketSum());

/** Appends the minutes that chunks of seconds amount to, with pauses. */
export async function foldMinutes(
  out: ByteWriter,
  seconds: Uint8Array,
  isHistogram: boolean,
  pacer: Pacer,
): Promise<void> {
  const chunks = new Places();
  chunks.reset(seconds, 0, seconds.length);
  while (chunks.next()) {
    readSeconds(chunks, fold);
    fold.write(out, chunks.minute, isHistogram);
    if (pacer.tired) await pacer.rest();
  }
}

/** Makes the hours that rising minutes amount to, each a chunk like that of a minute; with pauses, so that each user has one of its own. */
export class HourFold {
  readonly #fold = new MinuteFold(new BucketSum());

  /** Appends to `out`. */
  async write(out: ByteWriter, minutes: ByteWriter, isHistogram: boolean, pacer: Pacer): Promise<void> {
    const { reader } = this.#fold;
    reader.reset(minutes.memory, 0, minutes.length);
    let hour: number | undefined;
    while (!reader.atEnd) {
      const number = Math.floor(reader.varint() / 60);
      const end = reader.varint() + reader.at;
      if (hour !== undefined && hour !== number) this.#fold.write(out, hour * 60, isHistogram);
      hour = number;
      this.#fold.addMinute();
      reader.at = end;
      if (pacer.tired) await pacer.rest();
    }
    if (hour !== undefined) this.#fold.write(out, hour * 60, isHistogram);
  }
}
