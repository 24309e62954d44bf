// The hour that is open: its minutes go to a journal, on disk or in memory, and are served from there.
import type { DataFolder } from '../../hosts/port.ts';
import { ByteWriter } from './bytes.ts';
import type { Entry } from './catalogue.ts';
import { checksum } from './checksum.ts';
import { Hour, stampOf } from './hour.ts';
import { Journal } from './journal.ts';
import type { OpenMinute } from './open-minute.ts';
import type { Pacer } from './pacer.ts';

export class OpenHour {
  /** What there is to be served. */
  hour: Hour;
  readonly #pacer: Pacer;
  /** Of the series that is written. */
  readonly #chunk = new ByteWriter(4096);
  #journal: Journal | undefined;

  constructor(hour: Hour, pacer: Pacer) {
    this.hour = hour;
    this.#pacer = pacer;
  }

  /** Where minutes are written to; undefined: nowhere yet. */
  get folder(): DataFolder | undefined {
    return this.#journal?.folder;
  }

  /** Minutes go to a journal of this folder from now on. */
  async begin(folder: DataFolder): Promise<void> {
    await this.close();
    this.#journal = await newJournal(this.hour, folder, this.#pacer);
  }

  /** Writes what of a minute no journal has yet. Rejects with the system's error; what it has written until then is served. */
  async write(full: OpenMinute, entries: readonly (Entry | undefined)[]): Promise<void> {
    const [journal, hour, chunk, pacer] = [this.#journal as Journal, this.hour, this.#chunk, this.#pacer];
    // One that was refused before.
    hour.discard();
    for (let series = full.written; series < full.size; series++) {
      const entry = entries[series];
      chunk.clear();
      if (entry === undefined || !full.write(chunk, series)) continue;
      // Between any two steps: engines forget what runs once a minute, and the first of them is compiled again as it goes.
      if (pacer.tired) await pacer.rest();
      const offset = journal.add(entry.key, chunk.memory, 0, chunk.length);
      if (pacer.tired) await pacer.rest();
      const crc = await checksum(chunk.memory, 0, chunk.length, pacer);
      hour.add(entry, full.minute, offset, chunk.length, crc);
      if (pacer.tired) await pacer.rest();
      if (!journal.isFull) continue;
      await journal.endRecord(pacer);
      if (!journal.isDue) continue;
      await pacer.outside(journal.write());
      hour.commit();
      full.written = series + 1;
    }
    await pacer.outside(journal.sync());
    hour.commit();
    full.written = full.size;
    // Somebody may have removed or cut it: what comes next goes to another one.
    const bytes = await pacer.outside(journal.folder.size(journal.name).catch(() => -1));
    if (bytes !== journal.length) await this.begin(journal.folder);
  }

  /** Copies everything to a journal of this folder, whence it is served from then on. Resolves as `Hour.read` does; rejects where it
   *  cannot be written, and then nothing has changed. */
  async moveTo(folder: DataFolder): Promise<unknown> {
    const pacer = this.#pacer;
    const hour = new Hour(this.hour.hour);
    const journal = await newJournal(hour, folder, pacer);
    try {
      const rows = await this.hour.rows(pacer);
      const failure = await this.hour.read(rows, pacer, (entry, minute, bytes, from, to, crc) => {
        hour.add(entry, minute, journal.add(entry.key, bytes, from, to), to - from, crc);
        return journal.isFull ? endRecord(journal, pacer) : undefined;
      });
      await pacer.outside(journal.sync());
      hour.commit();
      await this.close();
      this.hour = hour;
      this.#journal = journal;
      return failure;
    } catch (error) {
      await journal.close().catch(() => {});
      await folder.remove(journal.name).catch(() => {});
      throw error;
    }
  }

  /** Nothing more is written until it begins anew. What a journal could not take is told by `write`, not by its end. */
  async close(): Promise<void> {
    const journal = this.#journal;
    this.#journal = undefined;
    if (journal !== undefined) await this.#pacer.outside(journal.close().catch(() => {}));
  }
}

/** And writes, where it is time. */
async function endRecord(journal: Journal, pacer: Pacer): Promise<void> {
  await journal.endRecord(pacer);
  if (journal.isDue) await pacer.outside(journal.write());
}

async function newJournal(hour: Hour, folder: DataFolder, pacer: Pacer): Promise<Journal> {
  const taken = new Set(await pacer.outside(folder.list()));
  let number = 1;
  const name = () => `journal-${stampOf(hour.hour)}-${number}.log`;
  while (taken.has(name())) number++;
  const journal = await pacer.outside(Journal.create(folder, name()));
  hour.journals.push(journal);
  return journal;
}
