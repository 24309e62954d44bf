// One call over WebSockets: it outlives its connections, keeps both positions, and sheds what a client cannot take.
import type { CallInput, CallNotice, Transport, TransportRateHz } from '../port.ts';
import type { Connection, ConnectionUser } from './connection.ts';
import type { WebSocketCounts, WebSocketLimits } from './limits.ts';
import type { ClientMessage, Hello } from './protocol.ts';
import { CLOSE, PROTOCOL_VERSION, SERVER_STOPPING } from './protocol.ts';
import { sendAudio } from './sender.ts';
import type { Clock, StartCall } from './socket.ts';

export interface CallSetup {
  readonly clock: Clock;
  readonly limits: WebSocketLimits;
  readonly counts: WebSocketCounts;
  readonly start: StartCall;
  /** The secret with which a client may come back. */
  readonly resumeToken: string;
  /** The call is over, whoever ended it; told once. */
  readonly ended: (call: WebSocketCall) => void;
}

export class WebSocketCall implements Transport, ConnectionUser {
  readonly name = 'websocket';
  readonly inputRateHz: TransportRateHz;
  readonly outputRateHz: TransportRateHz;
  readonly leadMs: number;
  readonly reportsPlayed: boolean;
  readonly resumeToken: string;
  readonly #setup: CallSetup;
  #connection: Connection | null = null;
  #input: CallInput | null = null;
  #session = '';
  #isOver = false;
  /** Samples of the caller so far, gaps included. */
  #inputPosition = 0;
  /** Samples that were handed to `play`. */
  #outputPosition = 0;
  /** Where the client believes the next sample belongs; it is told when that is wrong. */
  #clientPosition = 0;
  #playedPosition = 0;
  #lostAtMs = 0;
  #cancelHold: () => void = () => {};
  #slowSinceMs = -1;
  /** Output from before `ready`: the session may speak while it is being started. */
  #early: (() => void)[] | null = [];
  #missed: CallNotice[] = [];
  #missedState: CallNotice | null = null;

  constructor(hello: Hello, setup: CallSetup) {
    this.inputRateHz = hello.inputRateHz;
    this.outputRateHz = hello.outputRateHz;
    this.leadMs = hello.leadMs;
    this.reportsPlayed = hello.reportsPlayed;
    this.resumeToken = setup.resumeToken;
    this.#setup = setup;
  }

  /** Starts the session and says `ready`; a string says why it was refused. */
  begin(connection: Connection): string | null {
    const started = this.#setup.start(this);
    if ('refused' in started) {
      this.#isOver = true;
      return started.refused;
    }
    this.#input = started.input;
    this.#session = started.session;
    this.#setup.counts.calls++;
    if (this.#isOver) return 'The call ended at once';
    this.#take(connection, false);
    const early = this.#early ?? [];
    this.#early = null;
    for (const run of early) run();
    return null;
  }

  /** Its client lost the connection and may come back. */
  get isWaiting(): boolean {
    return this.#connection === null && this.#input !== null;
  }

  /** The client is back on another connection; an old one that nobody closed is given up. */
  resume(connection: Connection): void {
    const { clock, counts } = this.#setup;
    const old = this.#connection;
    if (old) {
      this.#lostAtMs = clock.now();
      this.#connection = null;
      old.end(CLOSE.takenOver, 'taken over', false);
    }
    this.#cancelHold();
    counts.resumed++;
    // The caller went on living while nothing came through: its clock moves by the time that passed.
    this.#inputPosition += Math.round(((clock.now() - this.#lostAtMs) * this.inputRateHz) / 1000);
    this.#take(connection, true);
    const missed = this.#missed;
    this.#missed = [];
    for (const notice of missed) connection.tell(notice);
    if (this.#missedState) connection.tell(this.#missedState);
    this.#missedState = null;
  }

  #take(connection: Connection, resumed: boolean): void {
    this.#connection = connection;
    this.#clientPosition = this.#outputPosition;
    this.#slowSinceMs = -1;
    connection.attach(this);
    connection.tell({
      type: 'ready',
      version: PROTOCOL_VERSION,
      session: this.#session,
      resume: this.resumeToken,
      resumed,
      resumeGraceMs: this.#setup.limits.resumeGraceMs,
      inputRateHz: this.inputRateHz,
      outputRateHz: this.outputRateHz,
      leadMs: this.leadMs,
      inputPosition: this.#inputPosition,
      outputPosition: this.#outputPosition,
    });
  }

  // What the client sends.

  audio(bytes: Uint8Array, isKept: boolean): void {
    const position = this.#inputPosition;
    this.#inputPosition += bytes.length / 2;
    if (isKept && bytes.length > 0) this.#input?.audio(bytes, position);
  }

  message(message: Exclude<ClientMessage, { type: 'hello' | 'ping' }>): void {
    if (message.type === 'text') this.#input?.text(message.text);
    else if (message.type === 'dtmf') this.#input?.dtmf(message.digit);
    else if (message.type === 'played') this.#played(message.position);
  }

  #played(position: number): void {
    // Nobody can have heard what was not sent, or un-hear what was.
    const heard = Math.min(position, this.#outputPosition);
    if (heard <= this.#playedPosition || !this.reportsPlayed) return;
    this.#playedPosition = heard;
    this.#input?.played(heard);
  }

  gone(reason: string, isFinal: boolean): void {
    // A connection that was taken over has nothing to say about the call any more.
    if (this.#connection === null || this.#isOver) return;
    this.#connection = null;
    if (isFinal) {
      this.#finish(reason);
      return;
    }
    const { clock, counts, limits } = this.#setup;
    this.#lostAtMs = clock.now();
    this.#cancelHold = clock.setTimer(() => {
      counts.lost++;
      this.#finish(reason);
    }, limits.resumeGraceMs);
  }

  // What the session does.

  play(samples: Int16Array): void {
    if (this.#isOver) return;
    if (this.#early) {
      const copy = samples.slice();
      this.#early.push(() => this.play(copy));
      return;
    }
    this.#outputPosition += samples.length;
    const connection = this.#connection;
    if (!connection?.isOpen || !this.#hasRoom(connection)) {
      this.#setup.counts.shedOutputSamples += samples.length;
      return;
    }
    const start = this.#outputPosition - samples.length;
    if (this.#clientPosition !== start) connection.tell({ type: 'position', position: start });
    this.#clientPosition = this.#outputPosition;
    try {
      sendAudio(connection.socket, samples);
    } catch {
      // A socket that is going down and has not said so yet: `closed` follows.
      this.#setup.counts.shedOutputSamples += samples.length;
    }
  }

  /** Stale speech is worthless: what a slow reader has no room for is dropped, and a hopeless one is let go. */
  #hasRoom(connection: Connection): boolean {
    const { clock, limits } = this.#setup;
    const waiting = connection.socket.bufferedAmount;
    if (waiting <= limits.maxBufferedBytes) {
      this.#slowSinceMs = -1;
      return true;
    }
    const now = clock.now();
    if (this.#slowSinceMs < 0) {
      this.#slowSinceMs = now;
      connection.tell({ type: 'error', code: 'too_slow', message: 'Audio is read too slowly; some was dropped' });
    } else if (now - this.#slowSinceMs >= limits.slowCloseMs || waiting > 2 * limits.maxBufferedBytes) {
      // Starts anew, so that one timer is set and not one for each packet until it fires.
      this.#slowSinceMs = now;
      // Not at once: the session is in the middle of playing and must not be closed from under its own call.
      clock.setTimer(() => connection.end(CLOSE.tryLater, 'reader too slow', true), 0);
    }
    return false;
  }

  clear(): void {
    if (this.#early) this.#early.push(() => this.clear());
    else if (this.#connection?.tell({ type: 'clear', position: this.#outputPosition })) {
      this.#clientPosition = this.#outputPosition;
    }
  }

  notify(event: CallNotice): void {
    if (this.#isOver) return;
    if (this.#early) {
      this.#early.push(() => this.notify(event));
      return;
    }
    if (this.#connection) this.#connection.tell(event);
    else if (event.type === 'state') this.#missedState = event;
    else {
      this.#missed.push(event);
      if (this.#missed.length <= this.#setup.limits.maxMissedNotices) return;
      this.#missed.shift();
      this.#setup.counts.missedNotices++;
    }
  }

  close(reason: string): void {
    this.#leave(reason === SERVER_STOPPING ? CLOSE.serverStopping : CLOSE.normal, reason);
  }

  /** The server goes down: the client is told so by the close code, and the session is closed. */
  stop(): void {
    const input = this.#input;
    this.#leave(CLOSE.serverStopping, SERVER_STOPPING);
    input?.close(SERVER_STOPPING);
  }

  #leave(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const connection = this.#connection;
    this.#connection = null;
    connection?.tell({ type: 'bye', reason });
    connection?.end(code, reason, true);
    this.#release();
  }

  #finish(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const input = this.#input;
    this.#release();
    input?.close(reason);
  }

  #release(): void {
    this.#cancelHold();
    this.#missed = [];
    this.#early = null;
    this.#input = null;
    this.#setup.ended(this);
  }
}
