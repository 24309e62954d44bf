// Journals that an earlier process left, as hours that are not sealed yet.
import type { Compression } from '../../hosts/port.ts';
import type { Archive } from './archive.ts';
import { crc32 } from './bytes.ts';
import { Places } from './chunks.ts';
import { type Catalogue, type Entry, Hour } from './hour.ts';

/** A process that died while it wrote a journal anew leaves some minutes twice: the same bytes count once. */
export async function replayJournals(
  archive: Archive,
  names: readonly string[],
  catalogue: Catalogue,
  compression: Compression | undefined,
): Promise<Map<number, Hour>> {
  const hours = new Map<number, Hour>();
  // One journal alone has nothing twice.
  const seen = names.length > 1 ? new Map<Entry, Set<number>>() : undefined;
  const isKnown = (entry: Entry, minute: number, crc: number): boolean => {
    const known = seen?.get(entry) ?? new Set();
    seen?.set(entry, known);
    const mark = crc * 64 + (minute % 64);
    if (known.has(mark)) return true;
    known.add(mark);
    return false;
  };
  const places = new Places();
  for (const name of names) {
    const owners = new Set<Hour>();
    await archive.replay(name, (key, bytes, from, to) => {
      const entry = catalogue.ofKey(key);
      if (entry === undefined) return;
      places.reset(bytes, from, to);
      while (places.next()) {
        const { minute, begin, to: end } = places;
        if (seen !== undefined && isKnown(entry, minute, crc32(bytes, begin, end))) continue;
        const number = Math.floor(minute / 60);
        let hour = hours.get(number);
        if (hour === undefined) {
          hour = new Hour(number, compression);
          hours.set(number, hour);
        }
        hour.add(entry, bytes, begin, end);
        owners.add(hour);
      }
    });
    // A journal holds one hour. What holds nothing new goes with whatever is there.
    const owner = [...owners].at(-1) ?? [...hours.values()].at(-1);
    if (owner === undefined) await archive.forget(name);
    else owner.journals.push(name);
  }
  return hours;
}
