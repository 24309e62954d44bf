// Journals that an earlier process left, read window by window: one of a busy hour has more bytes than this program should hold.
import { FORMAT_VERSION, NewerFormatError } from './block.ts';
import { ByteReader } from './bytes.ts';
import { checksum } from './checksum.ts';
import { FRAME_BYTES, HEAD_BYTES, MAGIC, SERIES } from './journal.ts';
import type { Pacer } from './pacer.ts';

const WINDOW_BYTES = 131_072;
const text = new TextDecoder();

export interface JournalSource {
  readonly bytes: number;
  /** `into`: memory that may be used. */
  readAt(offset: number, length: number, into: Uint8Array): Promise<Uint8Array>;
}

/** Chunks of a series: a part of bytes that are used again. `offset`: of `from` in the journal. What it returns is awaited. */
export type TakeChunks = (
  key: string,
  bytes: Uint8Array,
  from: number,
  to: number,
  offset: number,
) => Promise<void> | void;

/** Tells the chunks of a journal, in order. Returns where it is torn or damaged, undefined where it is whole. Throws `NewerFormatError`. */
export async function readJournal(
  source: JournalSource,
  pacer: Pacer,
  tell: TakeChunks,
): Promise<{ readonly at: number } | undefined> {
  let begin = 0;
  let memory = new Uint8Array(Math.min(WINDOW_BYTES, Math.max(HEAD_BYTES, source.bytes)));
  let window = await pacer.outside(source.readAt(0, memory.length, memory));
  const reader = new ByteReader(window);
  if (window.length < HEAD_BYTES || reader.u32() !== MAGIC) return { at: 0 };
  const version = reader.u32();
  if (version > FORMAT_VERSION)
    throw new NewerFormatError(`a journal is of version ${version}, this program reads up to ${FORMAT_VERSION}`);
  const keys: string[] = [];
  let at = HEAD_BYTES;
  let wanted = FRAME_BYTES;
  while (at < source.bytes) {
    if (at + wanted > source.bytes) return { at };
    if (at + wanted > begin + window.length) {
      begin = at;
      if (wanted > memory.length) memory = new Uint8Array(wanted);
      window = await pacer.outside(source.readAt(at, memory.length, memory));
      if (window.length < wanted) return { at };
    }
    reader.reset(window, at - begin);
    const length = reader.u32();
    const crc = reader.u32();
    if (length === 0) return { at };
    if (wanted < FRAME_BYTES + length) {
      wanted = FRAME_BYTES + length;
      continue;
    }
    wanted = FRAME_BYTES;
    const from = reader.at;
    const to = from + length;
    if ((await checksum(window, from, to, pacer)) !== crc) return { at };
    reader.reset(window, from, to);
    if (reader.byte() === SERIES) keys.push(text.decode(window.subarray(from + 1, to)));
    else {
      while (!reader.atEnd) {
        const key = keys[reader.varint()];
        const chunks = reader.varint();
        const first = reader.at;
        reader.skip(chunks);
        if (key === undefined) return { at };
        await tell(key, window, first, reader.at, begin + first);
        if (pacer.tired) await pacer.rest();
      }
    }
    at += FRAME_BYTES + length;
  }
  return undefined;
}
