// A call in a LiveKit room: links the caller, keeps the line through outages, and tells the session only what a call is made of.
import type { CallInput, CallNotice, LineReport, Transport } from '../../transports/port.ts';
import { CallerClock } from './caller-clock.ts';
import { CallerLink } from './caller-link.ts';
import {
  type Connection,
  type ConnectionEvents,
  type LeaveReason,
  type Microphone,
  type Peer,
  withoutTokens,
} from './connection.ts';
import { ConnectionQuality } from './connection-quality.ts';
import { watchJoin } from './join-watch.ts';
import { LineSummary } from './line-report.ts';
import { rejoin, within } from './rejoin.ts';
import { type DataHandler, RoomControl } from './room-control.ts';
import type { RoomEvent } from './room-observer.ts';
import {
  DEFAULT_ROOM_LIMITS,
  LEAVE_MS,
  LINGER_MS,
  MAX_TEXT_CHARS,
  RETURNED_MS,
  type RoomLimits,
  type RoomTransportOptions,
} from './room-options.ts';
import { CHAT_TOPIC, RoomWords } from './room-words.ts';
import { VoiceLine } from './voice-line.ts';

/** Ends for good: being sent away is no outage. */
const FINAL: ReadonlySet<LeaveReason> = new Set(['left', 'duplicate identity', 'removed', 'room deleted', 'rejected']);
const INPUT_RATE_HZ = 16_000;

type DownReason = 'connection' | 'rebuilding' | 'caller' | 'unheard' | 'stalled';

export class RoomTransport implements Transport {
  readonly name = 'livekit';
  readonly inputRateHz = INPUT_RATE_HZ;
  readonly outputRateHz: 24000 | 48000;
  readonly reportsPlayed = false;
  readonly #o: RoomTransportOptions;
  readonly #limits: RoomLimits;
  readonly #voice: VoiceLine;
  readonly #words: RoomWords;
  readonly #summary: LineSummary;
  readonly room: RoomControl;
  readonly #link: CallerLink;
  readonly #callerClock = new CallerClock(INPUT_RATE_HZ);
  readonly #quality = new ConnectionQuality();
  readonly #microphones = new Map<string, Microphone>();
  readonly #abort = new AbortController();
  #input: CallInput | null = null;
  #connection: Connection | null = null;
  /** Events of an earlier connection are told apart by this. */
  #generation = 0;
  /** Why the newest connection was lost before it was in use. */
  #lostEarly: LeaveReason | null = null;
  /** Why the line is down; empty: up. */
  readonly #down = new Set<DownReason>(['connection', 'caller']);
  #outageSinceMs: number | null = null;
  #closeMicrophone: (() => void) | null = null;
  #openTrackId = '';
  #isMuted = false;
  /** Our own voice was muted by the server. */
  #isSilenced = false;
  /** We are in the room (again), and nothing of our voice has gone out since. */
  #isUnproved = true;
  #lastCallerAudioMs = 0;
  /** When it was last said that our voice is received, and since when it matters. */
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #unheardSinceMs = 0;
  #cancelResume: () => void = () => {};
  #cancelUnheard: () => void = () => {};
  #cancelStats: () => void = () => {};
  #cancelWords: (() => void) | null = null;
  #returningUntilMs = Number.NEGATIVE_INFINITY;
  /** When the last reply was over. */
  #repliedMs = Number.NEGATIVE_INFINITY;
  #ending: string | null = null;
  readonly #first: PromiseWithResolvers<Peer | null> = Promise.withResolvers();
  readonly #over: PromiseWithResolvers<string> = Promise.withResolvers();

  constructor(options: RoomTransportOptions) {
    this.#o = options;
    this.#limits = { ...DEFAULT_ROOM_LIMITS, ...options.limits };
    this.outputRateHz = options.outputRateHz ?? 24_000;
    this.#voice = new VoiceLine(this.outputRateHz, options.clock);
    this.#words = new RoomWords(options.attributes ?? {});
    this.#summary = new LineSummary(options.region ?? null);
    this.#link = new CallerLink(options.caller, options.clock, this.#limits, {
      linked: (peer, again) => this.#linked(peer, again),
      lost: (peer, reason) => this.#lost(peer, reason),
      gone: (reason) => this.#end(reason),
    });
    this.room = new RoomControl(this.#words, () => this.#link.caller);
  }

  get leadMs(): number {
    return this.#voice.leadMs;
  }

  /** The caller, once there is one; null when the call ended before. */
  get firstCaller(): Promise<Peer | null> {
    return this.#first.promise;
  }

  /** Resolves with the reason when the room is left. */
  get done(): Promise<string> {
    return this.#over.promise;
  }

  /** Joining again, or just back: a server that was started anew may ask for an agent that is here already. */
  get isReturning(): boolean {
    return this.#ending === null && this.#o.clock.now() < this.#returningUntilMs;
  }

  /** Joins the room. Rejects when that fails; what happens later never does. */
  async open(): Promise<void> {
    const { clock } = this.#o;
    const startedMs = clock.now();
    const { isThere } = this.#o;
    const gone = () => this.#end('room deleted');
    const everyMs = this.#limits.roomCheckMs;
    const joined = isThere === undefined ? () => {} : watchJoin({ clock, everyMs, isThere, gone });
    const connection = await within(this.#join(this.#o.token), {
      clock,
      limitMs: this.#limits.connectMs,
      signal: this.#abort.signal,
      discard: (late) => void late.leave(),
    })
      .catch((error: unknown) => {
        if (this.#ending === null) this.#tell({ type: 'join-failed', atMs: clock.now() });
        this.#giveUpJoin();
        throw error;
      })
      .finally(joined);
    this.#tell({ type: 'established', atMs: clock.now(), setupMs: clock.now() - startedMs });
    this.#use(connection);
    this.#poll();
    this.#checkRoom(connection);
  }

  /** A room that was deleted just before we joined it was made anew by that: nobody will come, and nobody tells us. */
  #checkRoom(connection: Connection): void {
    const wanted = this.#o.roomSid ?? '';
    if (wanted === '') return;
    connection.roomSid().then(
      (sid) => {
        if (sid !== wanted && sid !== '' && connection === this.#connection) this.#end('room deleted');
      },
      () => {},
    );
  }

  /** Where the caller's audio and words go. */
  bind(input: CallInput): void {
    if (this.#ending !== null) input.close(this.#ending);
    else this.#input = input;
  }

  // ---- what the session does ----

  play(samples: Int16Array): void {
    if (this.#ending === null) this.#voice.play(samples);
  }

  clear(): void {
    this.#voice.clear();
  }

  notify(notice: CallNotice): void {
    if (notice.type === 'state' && notice.state === 'user-speaking') this.#voice.skipRepetition();
    if (notice.type === 'state' && notice.state === 'agent-speaking') this.#showWords();
    if (notice.type === 'reply') this.#repliedMs = this.#o.clock.now();
    this.#words.show(notice, { callerIdentity: this.#link.identity, callerTrackId: this.#openTrackId });
  }

  report(): LineReport {
    return this.#summary.report(this.#o.clock.now());
  }

  /** While a reply is spoken, its words are shown as they are heard. */
  #showWords(): void {
    if (this.#cancelWords !== null || this.#ending !== null) return;
    this.#cancelWords = this.#o.clock.setTimer(() => {
      this.#cancelWords = null;
      const heard = this.#input?.heardSoFar?.() ?? null;
      if (heard === null) return;
      this.#words.heard(heard.turn, heard.text);
      this.#showWords();
    }, this.#limits.wordsMs);
  }

  close(reason: string): void {
    this.#end(reason);
  }

  /** Ends the call from the room's side, or takes notice that the session has. Idempotent. */
  #end(reason: string): void {
    if (this.#ending !== null) return;
    this.#ending = reason;
    const input = this.#input;
    this.#input = null;
    input?.close(reason);
    void this.#leave(reason);
  }

  async #leave(reason: string): Promise<void> {
    for (const cancel of [this.#cancelResume, this.#cancelUnheard, this.#cancelStats, this.#cancelWords]) cancel?.();
    this.#link.close();
    this.#stopListening();
    this.#voice.close();
    this.#abort.abort();
    this.#first.resolve(null);
    this.#o.onEnding?.(reason);
    this.#tell({ type: 'ended', atMs: this.#o.clock.now(), reason });
    this.room.use(null);
    const { clock } = this.#o;
    // The end of a reply that ends the call is on its way still, as sound and as text.
    const isHeard = this.#connection !== null && this.#link.caller !== null;
    if (isHeard && clock.now() - this.#repliedMs < LINGER_MS)
      await new Promise<void>((go) => clock.setTimer(go, LINGER_MS));
    const leaving = this.#connection?.leave() ?? Promise.resolve();
    const { signal } = new AbortController();
    await within(leaving, { clock, limitMs: LEAVE_MS, signal, discard: () => {} }).catch(() => {});
    this.#over.resolve(reason);
  }

  // ---- the connection ----

  async #join(token: string): Promise<Connection> {
    const generation = ++this.#generation;
    this.#lostEarly = null;
    this.#unheardSinceMs = this.#o.clock.now();
    return this.#o.connect({
      url: this.#o.url,
      token,
      voiceRateHz: this.outputRateHz,
      textTopics: [CHAT_TOPIC],
      sharedKey: this.#o.sharedKey,
      events: this.#events(generation),
    });
  }

  /** A join that came to nothing may still be going on in the library, and ends with us leaving: that is not the end of the call. */
  #giveUpJoin(): void {
    this.#generation++;
  }

  #use(connection: Connection): void {
    this.#connection = connection;
    this.#isSilenced = false;
    this.#isUnproved = true;
    this.#quality.reset();
    this.room.use(connection);
    if (this.#lostEarly !== null) return this.#disconnected(this.#lostEarly, this.#o.clock.now());
    this.#expectSubscription();
    this.#lift('connection');
    this.#lift('rebuilding');
    this.#link.connected(connection.peers());
  }

  #events(generation: number): ConnectionEvents {
    const now = () => this.#o.clock.now();
    const mine =
      <A extends unknown[]>(run: (...args: A) => void) =>
      (...args: A) => {
        if (generation === this.#generation && this.#ending === null) run(...args);
      };
    return {
      // Before the join is through, `peers` has them all.
      peerJoined: mine((peer: Peer) => this.#connection !== null && this.#link.joined(peer)),
      peerLeft: mine((identity: string, reason: LeaveReason) => {
        this.#microphones.delete(identity);
        if (this.#outageSinceMs !== null && identity === this.#link.identity)
          this.#fall('rebuilding', this.#outageSinceMs);
        this.#link.left(identity, reason);
      }),
      microphoneHere: mine((microphone: Microphone) => {
        this.#microphones.set(microphone.identity, microphone);
        if (this.#link.caller?.identity === microphone.identity) this.#listen(microphone);
      }),
      microphoneGone: mine((identity: string, trackId: string) => {
        if (this.#microphones.get(identity)?.trackId === trackId) this.#microphones.delete(identity);
        if (trackId === this.#openTrackId) this.#stopListening();
      }),
      muted: mine((identity: string, isMuted: boolean) => {
        if (identity === this.#link.identity) this.#isMuted = isMuted;
        if (identity === this.room.identity) this.#isSilenced = isMuted;
      }),
      voiceSubscribed: mine(() => {
        this.#heardAtMs = now();
        this.#lift('unheard');
      }),
      voiceRepublished: mine(() => {
        if (this.#outageSinceMs !== null) this.#fall('rebuilding', this.#outageSinceMs);
        this.#unheardSinceMs = now();
        this.#expectSubscription();
      }),
      reconnecting: mine(() => this.#reconnecting(now())),
      reconnected: mine(() => this.#reconnected(now())),
      disconnected: mine((reason: LeaveReason) => this.#disconnected(reason, now())),
      moved: mine((room: string) => {
        this.room.roomName = room;
        this.#tell({ type: 'moved', atMs: now(), room });
      }),
      text: mine((topic: string, text: string, identity: string) => {
        if (topic === CHAT_TOPIC && identity === this.#link.identity) this.#input?.text(text.slice(0, MAX_TEXT_CHARS));
      }),
      data: mine((...data: Parameters<DataHandler>) => this.room.dataCame(...data)),
      dtmf: mine((digit: string, identity: string | undefined) => {
        if (!/^[0-9*#A-Da-d]$/.test(digit)) return;
        if (identity === undefined || identity === this.#link.identity) this.#input?.dtmf(digit);
      }),
      quality: mine((identity: string, quality: string) => {
        const of = identity === this.room.identity ? 'agent' : identity === this.#link.identity ? 'caller' : null;
        if (of !== null) this.#tell({ type: 'server-quality', atMs: now(), of, quality });
      }),
    };
  }

  #reconnecting(nowMs: number): void {
    if (this.#outageSinceMs !== null) return;
    this.#outageSinceMs = nowMs;
    this.#tell({ type: 'reconnecting', atMs: nowMs });
    this.#link.reconnecting();
    // A resume has no gap in the audio, and is over by then.
    this.#cancelResume = this.#o.clock.setTimer(() => this.#fall('rebuilding', nowMs), this.#limits.resumeMs);
  }

  #reconnected(nowMs: number): void {
    if (this.#outageSinceMs === null) return;
    this.#cancelResume();
    this.#tell({ type: 'recovered', atMs: nowMs, outageMs: nowMs - this.#outageSinceMs, by: 'sdk' });
    this.#outageSinceMs = null;
    this.#quality.reset();
    this.#isUnproved = true;
    this.#link.reconnected();
    this.#lift('rebuilding');
  }

  /** `sinceMs`: when the line went. */
  #disconnected(reason: LeaveReason, nowMs: number, sinceMs: number = this.#outageSinceMs ?? nowMs): void {
    // While it is joined: the join fails, or gives a connection that is over; a second rejoin beside it would be one too many.
    if (this.#connection === null && !FINAL.has(reason)) {
      this.#lostEarly = reason;
      return;
    }
    this.#cancelResume();
    this.#tell({ type: 'lost', atMs: nowMs, reason, wasReconnecting: this.#outageSinceMs !== null });
    this.#outageSinceMs = sinceMs;
    this.#fall('connection', sinceMs);
    const over = this.#connection;
    this.#connection = null;
    this.room.use(null);
    this.#microphones.clear();
    this.#stopListening();
    // Its voice and its memory are given back.
    void over?.leave();
    // A room that closed while the caller is waited for is opened again by joining it.
    if (FINAL.has(reason) || (reason === 'room closed' && !this.#link.isWaiting)) return this.#end(reason);
    this.#link.disconnected();
    void this.#rejoin(sinceMs);
  }

  async #rejoin(sinceMs: number): Promise<void> {
    const { clock, random } = this.#o;
    this.#returningUntilMs = Number.POSITIVE_INFINITY;
    const connection = await rejoin({
      clock,
      random,
      limits: this.#limits,
      signal: this.#abort.signal,
      attempt: async () => this.#join(await this.#o.mintToken(this.room.roomName, this.room.identity)),
      discard: (late) => void late.leave(),
      failed: (attempt, error) => {
        this.#giveUpJoin();
        this.#tell({ type: 'rejoin-failed', atMs: clock.now(), attempt, message: withoutTokens(error) });
      },
    });
    if (this.#ending !== null) return void connection?.leave();
    if (connection === undefined) return this.#end('connection lost');
    this.#outageSinceMs = null;
    this.#returningUntilMs = clock.now() + RETURNED_MS;
    this.#tell({ type: 'recovered', atMs: clock.now(), outageMs: clock.now() - sinceMs, by: 'rejoin' });
    this.#use(connection);
  }

  // ---- the caller ----

  #linked(peer: Peer, again: boolean): void {
    const nowMs = this.#o.clock.now();
    this.#tell({ type: 'caller-linked', atMs: nowMs, identity: peer.identity, peer, again });
    this.#expectSubscription(again ? this.#limits.subscribedAgainMs : this.#limits.subscribedMs);
    const microphone = this.#microphones.get(peer.identity);
    if (microphone !== undefined) this.#listen(microphone);
    this.#first.resolve(peer);
    this.#lift('caller');
  }

  #lost(peer: Peer, reason: LeaveReason): void {
    const nowMs = this.#o.clock.now();
    this.#tell({ type: 'caller-lost', atMs: nowMs, identity: peer.identity, reason });
    this.#stopListening();
    // The server notices a crash late; how late shows in when the last packet came.
    const isCrash = reason === 'connection lost' && this.#outageSinceMs === null && !this.#isMuted;
    this.#unheardSinceMs = nowMs;
    this.#fall('caller', this.#outageSinceMs ?? (isCrash ? Math.min(nowMs, this.#lastCallerAudioMs || nowMs) : nowMs));
  }

  #listen(microphone: Microphone): void {
    this.#stopListening();
    this.#openTrackId = microphone.trackId;
    this.#isMuted = microphone.muted;
    const { clock } = this.#o;
    this.#callerClock.resume(clock.now());
    this.#closeMicrophone = microphone.listen(INPUT_RATE_HZ, (pcm) => {
      const input = this.#input;
      const position = this.#callerClock.take(pcm.length >> 1, clock.now());
      if (input !== null) input.audio(pcm, position);
    });
  }

  #stopListening(): void {
    this.#closeMicrophone?.();
    this.#closeMicrophone = null;
    this.#openTrackId = '';
  }

  // ---- the line ----

  /** Our voice is new to the caller: wait until somebody says that it is received, or for a little. */
  #expectSubscription(limitMs: number = this.#limits.subscribedMs): void {
    if (this.#heardAtMs >= this.#unheardSinceMs) return;
    this.#fall('unheard', this.#o.clock.now());
    this.#cancelUnheard();
    this.#cancelUnheard = this.#o.clock.setTimer(() => this.#lift('unheard'), limitMs);
  }

  #fall(why: DownReason, sinceMs: number): void {
    this.#down.add(why);
    this.#voice.down(sinceMs);
  }

  #lift(why: DownReason): void {
    if (why === 'unheard') this.#cancelUnheard();
    this.#down.delete(why);
    if (this.#down.size > 0 || this.#connection === null || this.#voice.isUp) return;
    const before = this.#voice.repeatedMs;
    this.#voice.up(this.#connection.speaker);
    const voiceMs = this.#voice.repeatedMs - before;
    if (voiceMs > 0) this.#tell({ type: 'repeated', atMs: this.#o.clock.now(), voiceMs });
  }

  // ---- the statistics ----

  #poll(): void {
    if (this.#ending !== null) return;
    this.#cancelStats = this.#o.clock.setTimer(() => this.#poll(), this.#limits.statsMs);
    this.#voice.rest();
    const connection = this.#connection;
    if (connection === null) return;
    connection.stats().then(
      (entries) => {
        if (connection !== this.#connection || this.#ending !== null) return;
        const nowMs = this.#o.clock.now();
        const sample = this.#quality.sample(entries, nowMs);
        this.#lastCallerAudioMs = nowMs - sample.callerSilentMs;
        if (sample.silentMs < this.#limits.stallMs) this.#lift('stalled');
        else if (!this.#down.has('stalled')) {
          this.#tell({ type: 'stalled', atMs: nowMs, sinceMs: nowMs - sample.silentMs });
          this.#fall('stalled', nowMs - sample.silentMs);
        }
        if (entries.length > 0) this.#proveVoice(sample.bitrateOutBps, nowMs);
        this.#summary.sample(sample);
        this.#o.observer?.sample?.(sample);
      },
      // Not connected in this second.
      () => {},
    );
  }

  /** A connection can stand without sending our voice, where the library and the server did not agree on how (seen after reconnects, and
   *  when a server has just been started): nobody would hear us for the rest of the call. */
  #proveVoice(sentBps: number | null, nowMs: number): void {
    if (!this.#isUnproved) return;
    if ((sentBps ?? 0) > 0) this.#isUnproved = false;
    else if (!this.#isSilenced && nowMs - this.#quality.voiceAtMs >= this.#limits.unsentMs) {
      // Its further events are of no interest.
      this.#generation++;
      this.#disconnected('connection lost', nowMs, this.#quality.voiceAtMs);
    }
  }

  #tell(event: RoomEvent): void {
    this.#summary.event(event);
    this.#o.observer?.event?.(event);
  }
}
