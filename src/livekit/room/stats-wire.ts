// WebRTC statistics on LiveKit's native interface, read by hand: of some 400 fields a line needs 25, once a second and call.
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

/** A place in the message; reading past its end gives zeros, so that a cut message ends instead of throwing. */
let bytes: Uint8Array = new Uint8Array(0);
let view: DataView = new DataView(bytes.buffer);
let at = 0;

function varint(): number {
  let value = 0;
  let scale = 1;
  for (let n = 0; n < 10; n++) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    scale *= 128;
  }
  return value;
}

/** Ten bytes at `from`: a small negative number would lose its end among those that are near 2^64. */
function negative(from: number): number {
  let complement = 0;
  for (let n = 8; n >= 0; n--) complement = complement * 128 + (~(bytes[from + n] ?? 0) & 0x7f);
  return -complement - 1;
}

/** One value of a field that was asked for; texts become a number by which they can be compared. */
function value(wireType: number): number {
  if (wireType === 0) {
    const start = at;
    const number = varint();
    return number < 2 ** 63 ? number : negative(start);
  }
  if (wireType === 1) {
    const number = at + 8 <= bytes.length ? view.getFloat64(at, true) : 0;
    at += 8;
    return number;
  }
  if (wireType !== 2) {
    skip(wireType);
    return 0;
  }
  let hash = 0x811c9dc5;
  const end = Math.min(bytes.length, varint() + at);
  for (; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash >>> 0;
}

function skip(wireType: number): void {
  if (wireType === 0) varint();
  else if (wireType === 1) at += 8;
  else if (wireType === 2) at = varint() + at;
  else if (wireType === 5) at += 4;
  else at = bytes.length;
}

function open(message: Uint8Array): number {
  bytes = message;
  view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  at = STATS_EVENT_TAGS.length;
  return Math.min(bytes.length, varint() + at);
}

/** Whose answer it is. */
export function statsAsyncId(message: Uint8Array): number {
  const end = open(message);
  while (at < end) {
    const tag = varint();
    if (tag >> 3 === 1) return value(tag & 7);
    skip(tag & 7);
  }
  return 0;
}

/** Null where the library could not tell. The entries of both peer connections follow each other. */
export function readStats(message: Uint8Array): StatsEntry[] | null {
  const end = open(message);
  let entries: StatsEntry[] | null = null;
  while (at < end) {
    const tag = varint();
    if (tag !== ((3 << 3) | 2)) {
      skip(tag & 7);
      continue;
    }
    entries ??= [];
    const resultEnd = Math.min(end, varint() + at);
    while (at < resultEnd) {
      const listTag = varint();
      if (listTag === ((1 << 3) | 2) || listTag === ((2 << 3) | 2))
        readEntry(Math.min(resultEnd, varint() + at), entries);
      else skip(listTag & 7);
    }
  }
  return entries;
}

function readEntry(end: number, entries: StatsEntry[]): void {
  while (at < end) {
    const tag = varint();
    const wanted = (tag & 7) === 2 ? CASES[tag >> 3] : undefined;
    if (wanted === undefined) {
      skip(tag & 7);
      continue;
    }
    const [name, parts] = wanted;
    const found: Record<string, Record<string, number>> = {};
    const caseEnd = Math.min(end, varint() + at);
    while (at < caseEnd) {
      const partTag = varint();
      const part = (partTag & 7) === 2 ? parts[partTag >> 3] : undefined;
      if (part === undefined) skip(partTag & 7);
      else found[part[0]] = readPart(part[1], Math.min(caseEnd, varint() + at));
    }
    entries.push({ case: name, value: found });
  }
  at = end;
}

function readPart(fields: Readonly<Record<number, string>>, end: number): Record<string, number> {
  const found: Record<string, number> = {};
  while (at < end) {
    const tag = varint();
    const name = fields[tag >> 3];
    if (name === undefined) skip(tag & 7);
    else found[name] = value(tag & 7);
  }
  at = end;
  return found;
}

/** Writes `FfiRequest { get_session_stats }` (field 12). `id` comes back in the answer. */
export function statsRequest(room: bigint, id: bigint): Uint8Array {
  return Uint8Array.from(nested(12, [...field(1, room), ...field(2, id)]));
}
