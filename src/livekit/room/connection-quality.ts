// What the line to the room is worth, from the WebRTC statistics of one second: delay, loss, jitter, dropouts, bit rates.
import type { StatsEntry } from './connection.ts';

/** One second of a line. Null: not measured in this second. Shares 0..1. */
export interface ConnectionSample {
  readonly atMs: number;
  /** To the server and back. */
  readonly rttMs: number | null;
  /** Of the caller's packets, as they arrive here. */
  readonly jitterInMs: number | null;
  readonly lossIn: number | null;
  /** Of our packets, as they arrive at the server. */
  readonly jitterOutMs: number | null;
  readonly lossOut: number | null;
  /** Share of the caller's audio that had to be made up. */
  readonly concealed: number | null;
  /** Mean time that the caller's audio waited in the jitter buffer. */
  readonly jitterBufferMs: number | null;
  readonly bitrateInBps: number | null;
  readonly bitrateOutBps: number | null;
  /** `relay` when a TURN server is in between. */
  readonly route: 'direct' | 'relay' | null;
  /** How long nothing at all has come over the transport. */
  readonly silentMs: number;
  /** How long no packet of the caller's microphone has come; a silent one sends few, a muted one none. */
  readonly callerSilentMs: number;
}

interface Totals {
  atMs: number;
  bytesIn: number;
  bytesOut: number;
  packetsIn: number;
  lostIn: number;
  packetsOut: number;
  lostOut: number | null;
  concealed: number;
  samples: number;
  bufferDelay: number;
  bufferCount: number;
}

type Fields = Readonly<Record<string, unknown>>;
const RELAY = 3;

/** Statistics come as numbers and bigints, and fields may be missing. */
function number(fields: Fields | undefined, name: string): number {
  const value = fields?.[name];
  return typeof value === 'bigint' ? Number(value) : typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function part(entry: StatsEntry | undefined, name: string): Fields | undefined {
  return (entry?.value as Record<string, Fields> | undefined)?.[name];
}

/** Takes differences between polls; counters that fall (a new connection) start a new series. */
export class ConnectionQuality {
  #last: Totals | null = null;
  #trafficAtMs = Number.NaN;
  #trafficIn = -1;
  #callerAtMs = Number.NaN;
  #callerIn = -1;
  #voiceAtMs = Number.NaN;
  #voiceOut = -1;

  /** When a packet of our own voice last went out, as far as the samples show; NaN before the first. A silent voice sends few. */
  get voiceAtMs(): number {
    return this.#voiceAtMs;
  }

  /** Another connection or track: nothing can be compared any more. */
  reset(): void {
    this.#last = null;
    this.#trafficAtMs = this.#callerAtMs = this.#voiceAtMs = Number.NaN;
    this.#trafficIn = this.#callerIn = this.#voiceOut = -1;
  }

  sample(entries: readonly StatsEntry[], atMs: number): ConnectionSample {
    const all = (name: string) => entries.filter((e) => e.case === name);
    const inbound = all('inboundRtp')[0];
    const outbound = all('outboundRtp')[0];
    const remote = part(all('remoteInboundRtp')[0], 'remoteInbound');
    const remoteReceived = part(all('remoteInboundRtp')[0], 'received');
    const pairs = all('candidatePair')
      .map((e) => part(e, 'candidatePair'))
      .filter((p) => p?.nominated === true || p?.nominated === 1);
    const pair = pairs[0];
    const received = part(inbound, 'received');
    const audio = part(inbound, 'inbound');
    const sent = part(outbound, 'sent');
    const now: Totals = {
      atMs,
      bytesIn: number(audio, 'bytesReceived'),
      bytesOut: number(sent, 'bytesSent'),
      packetsIn: number(received, 'packetsReceived'),
      lostIn: number(received, 'packetsLost'),
      packetsOut: number(sent, 'packetsSent'),
      lostOut: remoteReceived === undefined ? null : number(remoteReceived, 'packetsLost'),
      concealed: number(audio, 'concealedSamples'),
      samples: number(audio, 'totalSamplesReceived'),
      bufferDelay: number(audio, 'jitterBufferDelay'),
      bufferCount: number(audio, 'jitterBufferEmittedCount'),
    };
    const traffic = pairs.reduce((sum, p) => sum + number(p, 'packetsReceived'), 0);
    this.#watch(pair === undefined ? null : traffic, now.packetsIn, now.packetsOut, atMs);
    const last =
      this.#last !== null && now.packetsIn >= this.#last.packetsIn && now.bytesOut >= this.#last.bytesOut
        ? this.#last
        : null;
    this.#last = now;
    const share = (count: number, of: number) => (of > 0 ? Math.min(1, Math.max(0, count / of)) : null);
    const seconds = last === null ? 0 : (atMs - last.atMs) / 1000;
    const rate = (bytes: number) => (seconds > 0 ? Math.round((bytes * 8) / seconds) : null);
    const lostIn = last === null ? 0 : Math.max(0, now.lostIn - last.lostIn);
    const buffered = last === null ? 0 : now.bufferCount - last.bufferCount;
    return {
      atMs,
      rttMs: roundTrip(remote, pair),
      jitterInMs: received === undefined ? null : number(received, 'jitter') * 1000,
      lossIn: last === null ? null : share(lostIn, now.packetsIn - last.packetsIn + lostIn),
      jitterOutMs: remoteReceived === undefined ? null : number(remoteReceived, 'jitter') * 1000,
      lossOut:
        last === null || now.lostOut === null || last.lostOut === null
          ? null
          : share(now.lostOut - last.lostOut, now.packetsOut - last.packetsOut),
      concealed: last === null ? null : share(now.concealed - last.concealed, now.samples - last.samples),
      jitterBufferMs: last === null || buffered <= 0 ? null : ((now.bufferDelay - last.bufferDelay) / buffered) * 1000,
      bitrateInBps: last === null || audio === undefined ? null : rate(now.bytesIn - last.bytesIn),
      bitrateOutBps: last === null || sent === undefined ? null : rate(now.bytesOut - last.bytesOut),
      route: routeOf([...all('localCandidate'), ...all('remoteCandidate')], pair),
      silentMs: atMs - this.#trafficAtMs,
      callerSilentMs: atMs - this.#callerAtMs,
    };
  }

  /** `trafficIn` null: not known, and then nothing is said to be silent. */
  #watch(trafficIn: number | null, callerIn: number, voiceOut: number, atMs: number): void {
    if (trafficIn === null || trafficIn !== this.#trafficIn) this.#trafficAtMs = atMs;
    if (callerIn !== this.#callerIn) this.#callerAtMs = atMs;
    if (voiceOut !== this.#voiceOut) this.#voiceAtMs = atMs;
    this.#voiceOut = voiceOut;
    this.#trafficIn = trafficIn ?? -1;
    this.#callerIn = callerIn;
  }
}

/** Media reports tell it best; on loopback they round to 0, then the mean of the connectivity checks is left. */
function roundTrip(remote: Fields | undefined, pair: Fields | undefined): number | null {
  const seconds = number(remote, 'roundTripTime') || number(pair, 'currentRoundTripTime');
  if (seconds > 0) return seconds * 1000;
  const answers = number(pair, 'responsesReceived');
  return answers > 0 ? (number(pair, 'totalRoundTripTime') / answers) * 1000 : null;
}

function routeOf(entries: readonly StatsEntry[], pair: Fields | undefined): 'direct' | 'relay' | null {
  const chosen = entries.filter((entry) => {
    const id = part(entry, 'rtc')?.id;
    return id !== undefined && (id === pair?.localCandidateId || id === pair?.remoteCandidateId);
  });
  if (chosen.length === 0) return null;
  return chosen.some((entry) => number(part(entry, 'candidate'), 'candidateType') === RELAY) ? 'relay' : 'direct';
}
