// A session without a runner: its effects are noted and answered by hand, on virtual time, so that the core is measured alone.
import { createAudioCore } from '../src/audio/index.ts';
import type { Analyzer } from '../src/audio/core.ts';
import type { Effects } from '../src/session/effects.ts';
import { DEFAULT_SESSION_OPTIONS } from '../src/session/options.ts';
import { createSession, type Session } from '../src/session/session.ts';
import { callerLoop, PACKET_MS, PACKET_SAMPLES, RATE_HZ } from './conversation.ts';

const QUIET = new Uint8Array(PACKET_SAMPLES * 2);
const { packets, speechMs } = callerLoop(4000);
/** The phrase without its edges: voiced enough to be speech all along. */
export const VOICED = packets.slice(25, 20 + Math.floor(speechMs / PACKET_MS) - 10);
const SPEECH = new Int16Array(RATE_HZ).map((_, i) => Math.round(8000 * Math.sin(i * 0.07)));

export class SessionRig {
  readonly analyzer: Analyzer;
  readonly session: Session;
  readonly out = new Int16Array(PACKET_SAMPLES);
  nowMs = 0;
  #position = 0;
  #take = { turn: 0, take: 0 };
  #round = { turn: 0, round: 0 };
  #piece = { turn: 0, piece: 0 };
  #frame = 0;

  constructor() {
    this.analyzer = createAudioCore({ maxSlots: 1 }).openAnalyzer(RATE_HZ);
    const identity = {
      id: 'rig',
      agent: 'rig',
      transport: 'rig',
      inputRateHz: RATE_HZ,
      outputRateHz: RATE_HZ,
    } as const;
    this.session = createSession({ ...DEFAULT_SESSION_OPTIONS, ...identity }, this.analyzer, this.#effects());
  }

  #effects(): Effects {
    const nothing = () => {};
    return {
      transcribe: (request) => {
        this.#take = request;
      },
      generate: (request) => {
        this.#round = request;
      },
      synthesize: (request) => {
        this.#piece = request;
      },
      runTool: nothing,
      cancelTool: nothing,
      cancel: nothing,
      clearAudio: nothing,
      audioReady: nothing,
      wakeAt: nothing,
      emit: nothing,
      end: nothing,
    };
  }

  /** One packet, 20 ms later. */
  hear(packet: Uint8Array): void {
    this.nowMs += PACKET_MS;
    this.session.audio(packet, this.#position, this.nowMs);
    this.#position += PACKET_SAMPLES;
  }

  idle(): void {
    this.hear(QUIET);
  }

  /** The caller speaks on and on. */
  speak(): void {
    this.hear(VOICED[this.#frame++ % VOICED.length] as Uint8Array);
  }

  pull(): number {
    return this.session.pull(this.out, this.nowMs);
  }

  /** The caller listens and the agent speaks. */
  listen(): void {
    this.hear(QUIET);
    this.pull();
  }

  /** A whole turn of the caller; afterwards the agent speaks. */
  letAgentSpeak(): void {
    for (let i = 0; i < VOICED.length; i++) this.speak();
    for (let i = 0; i < 60; i++) this.idle();
    this.session.event({ type: 'transcript', ...this.#take, text: 'words' }, this.nowMs);
    const tokens = { inputTokens: 1, outputTokens: 1 };
    this.session.event({ type: 'token', ...this.#round, text: 'An answer that goes on.' }, this.nowMs);
    this.session.event({ type: 'generated', ...this.#round, reason: 'stop', ...tokens }, this.nowMs);
    this.refill();
    for (let i = 0; i < 5; i++) this.listen();
    if (this.pull() === 0) throw new Error('The agent does not speak');
    this.refill();
  }

  /** Up to 3 s of speech to be played. */
  refill(): void {
    while (this.session.queuedMs < 3000)
      this.session.event({ type: 'speech', ...this.#piece, samples: SPEECH }, this.nowMs);
  }
}

/** Frames that `listen` can take between two refills. */
export const LISTEN_FRAMES = 100;
