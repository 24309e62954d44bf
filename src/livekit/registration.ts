// One agent's registration: keeps a socket to the server, proves that it lives, and comes back for ever when it does not.
import { type BackoffPolicy, backoffMs } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { OpenSocket, SocketClose, WorkerSocket } from './socket.ts';
import {
  type Frame,
  readServerFrame,
  type ServerFacts,
  type ServerNews,
  type WireFormat,
  type WorkerNews,
  writeWorkerFrame,
} from './wire.ts';

export type RegistrationState = 'stopped' | 'connecting' | 'registering' | 'registered' | 'waiting';

/** Why a connection was lost or never came about; a closed list, so that it can be a label. */
export type LossCause =
  | 'token'
  | 'connect'
  | 'connect-timeout'
  | 'unauthorized'
  | 'register-timeout'
  | 'wrong-order'
  | 'garbage'
  | 'silent'
  | 'congested'
  | 'closed';

export interface RegistrationTiming {
  /** From the attempt to an open socket. */
  readonly connectMs: number;
  /** From the open socket to the server's answer; the server itself waits 10 s. */
  readonly registerMs: number;
  readonly pingMs: number;
  /** Without any sign of life for this long the connection counts as closed. */
  readonly silenceMs: number;
  readonly backoff: BackoffPolicy;
}

export interface RegistrationOptions {
  readonly url: string;
  /** The message that asks for a place. */
  readonly register: WorkerNews;
  readonly token: () => Promise<string>;
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
  readonly random: () => number;
  /** ms since 1970. */
  readonly epochMs: () => number;
  readonly timing: RegistrationTiming;
  readonly format: WireFormat;
  readonly events: RegistrationEvents;
}

export interface RegistrationEvents {
  registered(facts: ServerFacts, outageMs: number): void;
  /** `wasRegistered` tells an outage from an attempt that failed. */
  lost(cause: LossCause, detail: string, wasRegistered: boolean): void;
  news(news: Exclude<ServerNews, { type: 'registered' | 'pong' | 'unknown' }>): void;
  /** A message that makes no sense here was ignored. */
  ignored(what: 'garbage' | 'unknown' | 'repeated-register'): void;
  roundTrip(ms: number): void;
}

/** 2 MiB is the server's own limit for signalling. */
const MAX_FRAME_BYTES = 2 * 1024 * 1024;
const MAX_UNSENT_BYTES = 1024 * 1024;
/** Frames that make no sense, in one connection; the next one ends it. */
const MAX_BAD_FRAMES = 8;
const GOODBYE_MS = 1000;

export class Registration {
  readonly #o: RegistrationOptions;
  #state: RegistrationState = 'stopped';
  #facts: ServerFacts | null = null;
  #socket: WorkerSocket | null = null;
  /** Counts attempts; what belongs to an earlier one is ignored. */
  #attempt = 0;
  #failures = 0;
  #badFrames = 0;
  #heardAtMs = 0;
  #lostAtMs: number | null = null;
  #lastLoss: string | null = null;
  #pongAtMs: number | null = null;
  #pingMs: number | null = null;
  #cancelTimer: () => void = () => {};

  constructor(options: RegistrationOptions) {
    this.#o = options;
  }

  get state(): RegistrationState {
    return this.#state;
  }
  /** What the server said of itself; kept during an outage. */
  get facts(): ServerFacts | null {
    return this.#facts;
  }
  get lastLoss(): string | null {
    return this.#lastLoss;
  }
  /** When the server last answered a ping (ms since 1970), and how long that took; null before the first. */
  get pongAtMs(): number | null {
    return this.#pongAtMs;
  }
  get pingMs(): number | null {
    return this.#pingMs;
  }

  start(): void {
    if (this.#state === 'stopped') this.#connect();
  }

  /** Says goodbye and never comes back. Idempotent. */
  stop(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#attempt++;
    this.#cancelTimer();
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.close(1000, 'worker stopped');
    // A server that does not answer must not keep the program.
    this.#o.clock.setTimer(() => socket.cut(), GOODBYE_MS);
  }

  /** False where there is nobody to tell. */
  send(news: WorkerNews): boolean {
    if (this.#state !== 'registered') return false;
    if ((this.#socket?.bufferedBytes ?? 0) > MAX_UNSENT_BYTES) {
      this.#lose('congested', 'server does not read');
      return false;
    }
    this.#write(news);
    return true;
  }

  #write(news: WorkerNews): void {
    this.#socket?.send(writeWorkerFrame(news, this.#o.format));
  }

  #connect(): void {
    const attempt = ++this.#attempt;
    const { clock, timing, url } = this.#o;
    const isCurrent = () => attempt === this.#attempt;
    this.#state = 'connecting';
    this.#socket = null;
    this.#badFrames = 0;
    this.#after(timing.connectMs, () => this.#lose('connect-timeout', `no connection within ${timing.connectMs} ms`));
    this.#o.token().then(
      (token) => {
        if (!isCurrent()) return;
        const listener = {
          opened: () => isCurrent() && this.#opened(),
          frame: (frame: Frame) => isCurrent() && this.#frame(frame),
          alive: () => {
            if (isCurrent()) this.#heardAtMs = clock.now();
          },
          closed: (why: SocketClose) => isCurrent() && this.#closed(why),
        };
        try {
          this.#socket = this.#o.openSocket({ url, token, maxFrameBytes: MAX_FRAME_BYTES }, listener);
        } catch (error) {
          this.#lose('connect', messageOf(error));
        }
      },
      (error) => isCurrent() && this.#lose('token', messageOf(error)),
    );
  }

  #opened(): void {
    const { timing, register, clock } = this.#o;
    this.#state = 'registering';
    this.#heardAtMs = clock.now();
    this.#after(timing.registerMs, () => this.#lose('register-timeout', `no answer within ${timing.registerMs} ms`));
    this.#write(register);
  }

  #frame(frame: Frame): void {
    this.#heardAtMs = this.#o.clock.now();
    let news: ServerNews;
    try {
      news = readServerFrame(frame);
    } catch {
      return this.#bad('garbage');
    }
    if (this.#state === 'registering' && news.type !== 'registered') {
      if (news.type === 'pong') return;
      return this.#lose('wrong-order', `first message is '${news.type}', wanted the answer to the registration`);
    }
    if (this.#state === 'connecting') return this.#lose('wrong-order', 'a message before the connection was open');
    switch (news.type) {
      case 'registered':
        return this.#state === 'registered' ? this.#bad('repeated-register') : this.#registered(news.facts);
      case 'unknown':
        // A later protocol may say things that we need not understand, as often as it likes.
        return this.#o.events.ignored('unknown');
      case 'pong': {
        this.#pongAtMs = this.#o.epochMs();
        const ms = this.#pongAtMs - news.pingAtMs;
        // The wall clock may have been set meanwhile.
        if (ms < 0 || ms >= this.#o.timing.silenceMs) return;
        this.#pingMs = ms;
        return this.#o.events.roundTrip(ms);
      }
      default:
        return this.#o.events.news(news);
    }
  }

  #registered(facts: ServerFacts): void {
    this.#state = 'registered';
    this.#facts = facts;
    this.#failures = 0;
    this.#lastLoss = null;
    const outageMs = this.#lostAtMs === null ? 0 : this.#o.clock.now() - this.#lostAtMs;
    this.#lostAtMs = null;
    this.#keepAlive();
    this.#o.events.registered(facts, outageMs);
  }

  #keepAlive(): void {
    const { timing, clock, epochMs } = this.#o;
    this.#after(timing.pingMs, () => {
      const silentMs = clock.now() - this.#heardAtMs;
      if (silentMs >= timing.silenceMs) return this.#lose('silent', `no sign of life for ${Math.round(silentMs)} ms`);
      this.#keepAlive();
      this.send({ type: 'ping', atMs: epochMs() });
    });
  }

  #bad(what: 'garbage' | 'repeated-register'): void {
    this.#o.events.ignored(what);
    if (++this.#badFrames > MAX_BAD_FRAMES || this.#state !== 'registered') {
      this.#lose('garbage', 'the far end does not speak the agent protocol');
    }
  }

  #closed({ code, reason, httpStatus }: SocketClose): void {
    if (httpStatus === 401 || httpStatus === 403) {
      return this.#lose('unauthorized', `server refuses the API key or secret (${httpStatus})`);
    }
    const said = reason === '' ? `code ${code}` : `code ${code}, ${reason.slice(0, 200)}`;
    this.#lose(this.#state === 'connecting' ? 'connect' : 'closed', said);
  }

  #lose(cause: LossCause, detail: string): void {
    if (this.#state === 'stopped' || this.#state === 'waiting') return;
    const wasRegistered = this.#state === 'registered';
    const { clock, timing, random, events } = this.#o;
    this.#state = 'waiting';
    this.#attempt++;
    this.#socket?.cut();
    this.#socket = null;
    this.#lastLoss = `${cause}: ${detail}`;
    if (wasRegistered) this.#lostAtMs = clock.now();
    this.#after(backoffMs(this.#failures++, random(), timing.backoff), () => this.#connect());
    events.lost(cause, detail, wasRegistered);
  }

  /** There is one thing at a time that this waits for. */
  #after(delayMs: number, run: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#o.clock.setTimer(run, delayMs);
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}
