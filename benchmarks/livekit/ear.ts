// Callers that listen: native clients that say a recorded phrase when they are told to, and time the agent's voice at their ear.
// Reads JSON lines like `agents.ts`: `join`, and `turn` with the rooms that speak.
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Speaker } from '../../src/livekit/room/connection.ts';
import { nativeConnect } from '../../src/livekit/room/native-connection.ts';
import { loadNative } from '../../src/livekit/room/native.ts';
import { callerLoop, PACKET_MS, RATE_HZ } from '../conversation.ts';
import { wait } from './process.ts';

/** What happened in one room after the phrase; null: nothing was heard. */
export interface HeardTurn {
  /** First audible sample of the phrase to the first that came back while or after it was said: an echo's delay. */
  readonly fromOnsetMs: number | null;
  /** Last audible sample of the phrase to the first one that was heard after it. */
  readonly fromEndMs: number | null;
}

/** A sample of the phrase, or of what is heard, is audible from here on. */
const AUDIBLE = 600;
const HEARD = 400;
/** The agent has finished when it was silent for so long. */
const QUIET_MS = 1000;
const TURN_LIMIT_MS = 15_000;
/** Rooms of one turn do not all speak at the same moment. */
const STAGGER_MS = 700;

const support = await loadNative();
if (!support.rtc) throw new Error(support.reason);
const connect = nativeConnect(support.native);
const phrase = callerLoop(3200).packets.map((packet) => new Int16Array(packet.slice().buffer));
const silence = new Int16Array((RATE_HZ * PACKET_MS) / 1000);
const audible = phrase.flatMap((packet) => [...packet]).map((sample) => Math.abs(sample) > AUDIBLE);
const onsetMs = (audible.indexOf(true) * 1000) / RATE_HZ;
const endMs = (audible.lastIndexOf(true) * 1000) / RATE_HZ;

class Caller {
  readonly speaker: Speaker;
  /** Next packet of the phrase; its length: nothing is said. */
  #next = phrase.length;
  #onsetMs = 0;
  #endMs = 0;
  #fromOnsetMs: number | null = null;
  #fromEndMs: number | null = null;
  #lastHeardMs = 0;

  constructor(speaker: Speaker) {
    this.speaker = speaker;
  }

  begin(): void {
    this.#next = 0;
    this.#fromOnsetMs = this.#fromEndMs = null;
    this.#onsetMs = this.#endMs = Number.POSITIVE_INFINITY;
  }

  /** The packet that is due at `dueMs` goes out. */
  send(dueMs: number): void {
    if (this.#next === 0) {
      this.#onsetMs = dueMs + onsetMs;
      this.#endMs = dueMs + endMs;
    }
    this.speaker.write(phrase[this.#next] ?? silence);
    if (this.#next < phrase.length) this.#next++;
  }

  hear(pcm: Uint8Array): void {
    const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length >> 1);
    if (!samples.some((sample) => Math.abs(sample) > HEARD)) return;
    const nowMs = performance.now();
    this.#lastHeardMs = nowMs;
    if (nowMs > this.#onsetMs) this.#fromOnsetMs ??= nowMs - this.#onsetMs;
    if (nowMs > this.#endMs) this.#fromEndMs ??= nowMs - this.#endMs;
  }

  async turn(): Promise<HeardTurn> {
    this.begin();
    const limitMs = performance.now() + TURN_LIMIT_MS;
    const isOver = () => this.#fromEndMs !== null && performance.now() - this.#lastHeardMs > QUIET_MS;
    while (!isOver() && performance.now() < limitMs) await wait(50);
    return { fromOnsetMs: this.#fromOnsetMs, fromEndMs: this.#fromEndMs };
  }
}

const callers: Caller[] = [];
const tell = (what: object) => process.stdout.write(`@${JSON.stringify(what)}\n`);
const nothing = () => {};

async function join({ url, token }: { url: string; token: string }): Promise<void> {
  let caller: Caller | null = null;
  const events = {
    microphoneHere: (microphone: { listen(rateHz: number, sink: (pcm: Uint8Array) => void): unknown }) =>
      void microphone.listen(RATE_HZ, (pcm) => caller?.hear(pcm)),
  };
  const connection = await connect({
    url,
    token,
    voiceRateHz: RATE_HZ,
    textTopics: [],
    events: new Proxy(events, { get: (all, name) => Reflect.get(all, name) ?? nothing }) as never,
  });
  caller = new Caller(connection.speaker);
  callers.push(caller);
}

let sent = 0;
const startMs = performance.now();
setInterval(() => {
  for (; performance.now() - startMs >= sent * PACKET_MS; sent++)
    for (const caller of callers) caller.send(startMs + sent * PACKET_MS);
}, 5);

async function turn(): Promise<HeardTurn[]> {
  return Promise.all(
    callers.map(async (caller, i) => {
      await wait(i * STAGGER_MS);
      return caller.turn();
    }),
  );
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command = JSON.parse(line);
    const failed = (error: unknown) => tell({ error: String(error) });
    if (command.do === 'join') join(command).then(() => tell({ joined: true }), failed);
    else if (command.do === 'turn') turn().then((rooms) => tell({ rooms }), failed);
    else process.exit(0);
  })
  .on('close', () => process.exit(0));
tell({ ready: true });
