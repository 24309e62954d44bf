// One WebSocket connection: checks everything that a client sends before a call sees it, and ends what misbehaves.
import type { WebSocketCounts, WebSocketLimits } from './limits.ts';
import { LeakyBucket } from './limits.ts';
import type { ClientMessage, Hello, Parsed, ServerMessage } from './protocol.ts';
import { CLOSE, helloOfUrl, parseMessage } from './protocol.ts';
import type { Clock, Socket, SocketHandler } from './socket.ts';

/** Where checked input goes once a call has taken the connection. */
export interface ConnectionUser {
  readonly inputRateHz: number;
  /** `isKept` is false for audio that only moves the caller's clock: it was refused or shed. */
  audio(bytes: Uint8Array, isKept: boolean): void;
  message(message: Exclude<ClientMessage, { type: 'hello' | 'ping' }>): void;
  /** The connection is no more; `isFinal` when the client, or our own rules, ended the call with it. */
  gone(reason: string, isFinal: boolean): void;
}

export interface ConnectionSetup {
  readonly clock: Clock;
  readonly limits: WebSocketLimits;
  readonly counts: WebSocketCounts;
  /** Finds or starts the call that a hello asks for, and attaches it. */
  readonly greet: (connection: Connection, hello: Hello) => void;
}

export class Connection implements SocketHandler {
  readonly socket: Socket;
  readonly #setup: ConnectionSetup;
  #user: ConnectionUser | null = null;
  #isOpen = true;
  #malformed = 0;
  #oddFrames = 0;
  #audioBucket: LeakyBucket | null = null;
  readonly #messageBucket: LeakyBucket;
  #floodSinceMs = -1;
  #floodAtMs = 0;
  #floodSamples = 0;
  #shedMessages = 0;
  #shedAtMs = 0;
  #heardAtMs: number;
  #cancelTimer: () => void = () => {};

  constructor(socket: Socket, url: URL, setup: ConnectionSetup) {
    const { clock, limits, counts } = setup;
    this.socket = socket;
    this.#setup = setup;
    this.#heardAtMs = clock.now();
    this.#messageBucket = new LeakyBucket(limits.messageBurst, limits.maxMessagesPerSecond / 1000, this.#heardAtMs);
    counts.connections++;
    this.#cancelTimer = clock.setTimer(() => {
      this.refuse('no_hello', 'Send a "hello" message first', CLOSE.policy);
    }, limits.helloMs);
    const hello = helloOfUrl(url);
    if (hello) this.#greet(hello);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** From now on the user gets what comes; the idle limit replaces the wait for a hello. */
  attach(user: ConnectionUser): void {
    const { clock, limits } = this.#setup;
    this.#user = user;
    const speed = (limits.maxSpeed * user.inputRateHz) / 1000;
    this.#audioBucket = new LeakyBucket(speed * limits.floodWindowMs, speed, clock.now());
    this.#cancelTimer();
    this.#watchIdle(limits.idleMs);
  }

  bytes(data: Uint8Array): void {
    if (!this.#isOpen) return;
    const { clock, counts, limits } = this.#setup;
    const now = clock.now();
    this.#heardAtMs = now;
    const user = this.#user;
    if (!user || !this.#audioBucket) {
      this.#mistake('no_hello', 'Send a "hello" message before audio');
      return;
    }
    if (data.length > limits.maxFrameBytes || data.length > user.inputRateHz * 2) {
      counts.oversizedFrames++;
      const most = Math.min(limits.maxFrameBytes, user.inputRateHz * 2);
      this.refuse('frame_too_large', `Send at most ${most} bytes (one second of audio) in a message`, CLOSE.tooLarge);
      return;
    }
    if (data.length % 2 === 1) {
      counts.oddFrames++;
      this.#oddFrames++;
      if (this.#oddFrames === 1) {
        this.tell({
          type: 'error',
          code: 'odd_frame',
          message: 'Audio comes as whole 16-bit samples; the message was dropped',
        });
      }
      // The clock goes on: what was refused is a gap, not a jump into the past.
      user.audio(data.subarray(0, data.length - 1), false);
      if (this.#oddFrames >= limits.maxMalformed) this.refuse('odd_frames', 'Too many broken frames', CLOSE.badFrames);
      return;
    }
    const samples = data.length / 2;
    const fits = this.#audioBucket.take(samples, now);
    user.audio(data, fits);
    if (!fits) this.#flood(samples, now);
  }

  text(data: string): void {
    if (!this.#isOpen) return;
    const { clock, counts, limits } = this.#setup;
    const now = clock.now();
    this.#heardAtMs = now;
    if (data.length > limits.maxFrameBytes) {
      counts.oversizedFrames++;
      this.refuse('message_too_large', `Send at most ${limits.maxTextLength} characters in a message`, CLOSE.tooLarge);
      return;
    }
    if (!this.#messageBucket.take(1, now)) {
      this.#shedMessage(now);
      return;
    }
    if (data.length > limits.maxTextLength) {
      counts.malformedMessages++;
      this.#mistake('bad_message', `A message has at most ${limits.maxTextLength} characters`);
      return;
    }
    const parsed = parseMessage(data);
    if (parsed.kind === 'unknown') {
      counts.unknownMessages++;
      return;
    }
    if (parsed.kind === 'malformed') {
      counts.malformedMessages++;
      this.#mistake('bad_message', parsed.why);
      return;
    }
    const { message } = parsed;
    if (message.type === 'ping') this.tell({ type: 'pong', id: message.id });
    else if (message.type === 'hello') this.#greet(parsed);
    else if (!this.#user) this.#mistake('no_hello', `Send a "hello" message before "${message.type}"`);
    else if (message.type === 'bye') this.end(CLOSE.normal, message.reason ?? 'bye', true);
    else this.#user.message(message);
  }

  /** The network, or the client, closed the connection. Without a "bye" or a normal close, the call may go on. */
  closed(code: number | undefined): void {
    if (code === CLOSE.normal) this.#detach('hung up', true);
    else if (code === CLOSE.internalError) this.#detach('internal error', true);
    else this.#detach('connection lost', false);
  }

  /** Sends JSON; false when the connection cannot take it. */
  tell(message: ServerMessage): boolean {
    return this.send(JSON.stringify(message));
  }

  send(data: string): boolean {
    if (!this.#isOpen) return false;
    try {
      this.socket.send(data);
      return true;
    } catch {
      // A socket that is going down and has not said so yet.
      return false;
    }
  }

  /** Says what is wrong, closes, and ends the call. */
  refuse(code: string, message: string, closeCode: number): void {
    this.tell({ type: 'error', code, message });
    this.end(closeCode, code, true);
  }

  /** Closes from our side. `isFinal`: the call ends too. */
  end(closeCode: number, reason: string, isFinal: boolean): void {
    if (!this.#isOpen) return;
    this.#detach(reason, isFinal);
    try {
      // A close frame has room for 123 bytes of reason; at four bytes a character these always fit.
      this.socket.close(closeCode, reason.slice(0, 30));
    } catch {
      // It was closed already.
    }
  }

  #detach(reason: string, isFinal: boolean): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#cancelTimer();
    const user = this.#user;
    this.#user = null;
    user?.gone(reason, isFinal);
  }

  #greet(hello: Parsed): void {
    if (hello.kind !== 'message' || hello.message.type !== 'hello') {
      const why = hello.kind === 'malformed' ? hello.why : 'The hello cannot be read';
      this.#setup.counts.malformedMessages++;
      this.refuse('bad_hello', why, CLOSE.policy);
    } else if (this.#user) {
      this.#mistake('bad_message', 'The call has begun: a second "hello" means nothing');
    } else {
      this.#setup.greet(this, hello.message);
    }
  }

  #mistake(code: string, message: string): void {
    this.#malformed++;
    this.tell({ type: 'error', code, message });
    if (this.#malformed >= this.#setup.limits.maxMalformed) {
      this.refuse('too_many_mistakes', 'Too many messages that this protocol does not allow', CLOSE.badMessages);
    }
  }

  #shedMessage(now: number): void {
    const { counts, limits } = this.#setup;
    counts.shedMessages++;
    if (now - this.#shedAtMs > limits.floodWindowMs) this.#shedMessages = 0;
    this.#shedAtMs = now;
    this.#shedMessages++;
    if (this.#shedMessages === 1) {
      const message = `Send at most ${limits.maxMessagesPerSecond} messages per second; some were dropped`;
      this.tell({ type: 'error', code: 'too_many_messages', message });
    }
    if (this.#shedMessages >= limits.messageBurst) {
      this.refuse('message_flood', 'Messages keep coming too fast', CLOSE.policy);
    }
  }

  #flood(samples: number, now: number): void {
    const { counts, limits } = this.#setup;
    const rateHz = this.#user?.inputRateHz ?? 0;
    counts.shedInputSamples += samples;
    // A flood is over after a window in which nothing had to be dropped.
    if (this.#floodSinceMs < 0 || now - this.#floodAtMs > limits.floodWindowMs) {
      this.#floodSinceMs = now;
      this.#floodSamples = 0;
      const message = `Audio comes faster than ${limits.maxSpeed} times real time; some is dropped`;
      this.tell({ type: 'error', code: 'too_fast', message });
    }
    this.#floodAtMs = now;
    this.#floodSamples += samples;
    const isLong = now - this.#floodSinceMs >= limits.floodCloseMs;
    const isMuch = this.#floodSamples * 1000 >= limits.floodCloseAudioMs * rateHz;
    if (isLong || isMuch) this.refuse('audio_flood', 'Audio keeps coming too fast', CLOSE.policy);
  }

  /** One timer for a whole silence instead of one for each message. */
  #watchIdle(delayMs: number): void {
    const { clock, limits } = this.#setup;
    this.#cancelTimer = clock.setTimer(() => {
      const leftMs = this.#heardAtMs + limits.idleMs - clock.now();
      if (leftMs > 0) this.#watchIdle(leftMs);
      else this.refuse('idle', `Nothing was heard for ${limits.idleMs / 1000} s`, CLOSE.idle);
    }, delayMs);
  }
}
