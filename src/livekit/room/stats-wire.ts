// WebRTC statistics on LiveKit's native interface, read by hand: of some 400 fields a line needs 25, once a second and call.
import { WireReader } from './wire-reader.ts';
import { field, nested } from './audio-wire.ts';
import type { StatsEntry } from './connection.ts';

/** First two bytes of an answer with statistics (`FfiEvent.get_session_stats`, field 19). */
export const STATS_EVENT_TAGS = [((19 << 3) & 0x7f) | 2 | 0x80, (19 << 3) >> 7] as const;

type Part = readonly [name: string, fields: Readonly<Record<number, string>>];
type Case = readonly [name: string, parts: Readonly<Record<number, Part>>];
const CANDIDATE: Case[1] = { 1: ['rtc', { 1: 'id' }], 2: ['candidate', { 5: 'candidateType' }] };
/** By field number of `RtcStats`: what is read, under the names that rtc-node gives it. All else is passed over. */
const CASES: Readonly<Record<number, Case>> = {
  4: [
    'inboundRtp',
    {
      3: ['received', { 1: 'packetsReceived', 2: 'packetsLost', 3: 'jitter' }],
      4: [
        'inbound',
        {
          25: 'bytesReceived',
          31: 'jitterBufferDelay',
          33: 'jitterBufferEmittedCount',
          35: 'totalSamplesReceived',
          36: 'concealedSamples',
        },
      ],
    },
  ],
  5: ['outboundRtp', { 3: ['sent', { 1: 'packetsSent', 2: 'bytesSent' }] }],
  6: [
    'remoteInboundRtp',
    { 3: ['received', { 2: 'packetsLost', 3: 'jitter' }], 4: ['remoteInbound', { 2: 'roundTripTime' }] },
  ],
  13: [
    'candidatePair',
    {
      2: [
        'candidatePair',
        {
          2: 'localCandidateId',
          3: 'remoteCandidateId',
          5: 'nominated',
          7: 'packetsReceived',
          12: 'totalRoundTripTime',
          13: 'currentRoundTripTime',
          18: 'responsesReceived',
        },
      ],
    },
  ],
  14: ['localCandidate', CANDIDATE],
  15: ['remoteCandidate', CANDIDATE],
};

const reader = new WireReader();
let view: DataView = new DataView(new ArrayBuffer(0));

/** Ten bytes at `from`: a small negative number would lose its end among those that are near 2^64. */
function negative(from: number): number {
  let complement = 0;
  for (let n = 8; n >= 0; n--) complement = complement * 128 + (~(reader.bytes[from + n] ?? 0) & 0x7f);
  return -complement - 1;
}

/** One value of a field that was asked for; texts become a number by which they can be compared. */
function value(wireType: number): number {
  if (wireType === 0) {
    const start = reader.at;
    const number = reader.varint();
    return number < 2 ** 63 ? number : negative(start);
  }
  if (wireType === 1) {
    const number = reader.at + 8 <= reader.bytes.length ? view.getFloat64(reader.at, true) : 0;
    reader.at += 8;
    return number;
  }
  if (wireType !== 2) {
    reader.skip(wireType);
    return 0;
  }
  let hash = 0x811c9dc5;
  const end = Math.min(reader.bytes.length, reader.end());
  for (; reader.at < end; reader.at++) hash = Math.imul(hash ^ (reader.bytes[reader.at] as number), 0x01000193);
  return hash >>> 0;
}

function open(message: Uint8Array): number {
  view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  return Math.min(message.length, reader.open(message, STATS_EVENT_TAGS.length));
}

/** Whose answer it is. */
export function statsAsyncId(message: Uint8Array): number {
  const end = open(message);
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag >> 3 === 1) return value(tag & 7);
    reader.skip(tag & 7);
  }
  return 0;
}

/** Null where the library could not tell. The entries of both peer connections follow each other. */
export function readStats(message: Uint8Array): StatsEntry[] | null {
  const end = open(message);
  let entries: StatsEntry[] | null = null;
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag !== ((3 << 3) | 2)) {
      reader.skip(tag & 7);
      continue;
    }
    entries ??= [];
    const resultEnd = Math.min(end, reader.end());
    while (reader.at < resultEnd) {
      const listTag = reader.varint();
      if (listTag === ((1 << 3) | 2) || listTag === ((2 << 3) | 2))
        readEntry(Math.min(resultEnd, reader.end()), entries);
      else reader.skip(listTag & 7);
    }
  }
  return entries;
}

function readEntry(end: number, entries: StatsEntry[]): void {
  while (reader.at < end) {
    const tag = reader.varint();
    const wanted = (tag & 7) === 2 ? CASES[tag >> 3] : undefined;
    if (wanted === undefined) {
      reader.skip(tag & 7);
      continue;
    }
    const [name, parts] = wanted;
    const found: Record<string, Record<string, number>> = {};
    const caseEnd = Math.min(end, reader.end());
    while (reader.at < caseEnd) {
      const partTag = reader.varint();
      const part = (partTag & 7) === 2 ? parts[partTag >> 3] : undefined;
      if (part === undefined) reader.skip(partTag & 7);
      else found[part[0]] = readPart(part[1], Math.min(caseEnd, reader.end()));
    }
    entries.push({ case: name, value: found });
  }
  reader.at = end;
}

function readPart(fields: Readonly<Record<number, string>>, end: number): Record<string, number> {
  const found: Record<string, number> = {};
  while (reader.at < end) {
    const tag = reader.varint();
    const name = fields[tag >> 3];
    if (name === undefined) reader.skip(tag & 7);
    else found[name] = value(tag & 7);
  }
  reader.at = end;
  return found;
}

/** Writes `FfiRequest { get_session_stats }` (field 12). `id` comes back in the answer. */
export function statsRequest(room: bigint, id: bigint): Uint8Array {
  return Uint8Array.from(nested(12, [...field(1, room), ...field(2, id)]));
}
