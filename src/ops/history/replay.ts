// Journals that an earlier process left, as hours that are not sealed yet.
import type { DataFolder } from '../../hosts/port.ts';
import type { Archive } from './archive.ts';
import type { Catalogue, Entry } from './catalogue.ts';
import { checksum } from './checksum.ts';
import { Places } from './chunks.ts';
import { Hour } from './hour.ts';
import type { Pacer } from './pacer.ts';

/** A process that died while it wrote a journal anew leaves some minutes twice: the same bytes count once. */
export async function replayJournals(
  archive: Archive,
  folder: DataFolder,
  names: readonly string[],
  catalogue: Catalogue,
  pacer: Pacer,
): Promise<Map<number, Hour>> {
  const hours = new Map<number, Hour>();
  const stampIn = (name: string) => name.split('-').slice(1, 4).join('-');
  const seen = new Map<Entry, Set<number>>();
  const isKnown = (entry: Entry, minute: number, crc: number): boolean => {
    const known = seen.get(entry) ?? new Set();
    seen.set(entry, known);
    const mark = crc * 64 + (minute % 64);
    if (known.has(mark)) return true;
    known.add(mark);
    return false;
  };
  const hourOf = (number: number, name: string): Hour => {
    const hour = hours.get(number) ?? new Hour(number);
    hours.set(number, hour);
    if (hour.journals.at(-1)?.name !== name) hour.journals.push({ folder, name });
    return hour;
  };
  const places = new Places();
  for (const name of names) {
    let owner: Hour | undefined;
    // The only journal of its hour has nothing twice.
    const isAlone = names.filter((other) => stampIn(other) === stampIn(name)).length === 1;
    if (isAlone) seen.clear();
    await archive.replay(name, async (key, bytes, from, to, offset) => {
      const entry = catalogue.ofKey(key);
      if (entry === undefined) return;
      places.reset(bytes, from, to);
      while (places.next()) {
        const { minute, begin, to: end } = places;
        const crc = await checksum(bytes, begin, end, pacer);
        if (!isAlone && isKnown(entry, minute, crc)) continue;
        owner = hourOf(Math.floor(minute / 60), name);
        owner.add(entry, minute, offset + begin - from, end - begin, crc);
      }
    });
    // What holds nothing new goes with whatever is there.
    owner ??= [...hours.values()].at(-1);
    if (owner === undefined) await archive.forget(name);
    else if (!owner.journals.some((journal) => journal.name === name)) owner.journals.push({ folder, name });
  }
  for (const hour of hours.values()) hour.commit();
  return hours;
}
