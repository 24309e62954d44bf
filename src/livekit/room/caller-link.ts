// Whose call it is: chooses the caller, waits for one who was lost, and tells a hang-up from a rebuilt connection.
import type { LeaveReason, Peer } from './connection.ts';
import type { LineClock } from './voice-line.ts';

export interface CallerLimits {
  /** An agent that nobody ever joins gives up. */
  readonly firstCallerMs: number;
  /** One who left in due form may come back so long: a page was reloaded. */
  readonly hangUpGraceMs: number;
  /** The same on the telephone, where nothing is reloaded. */
  readonly sipHangUpGraceMs: number;
  /** One who was lost may come back so long, counted from when our own connection stands. */
  readonly lostGraceMs: number;
  /** Our connection is trusted after it has stood for so long: a rebuilt one reports everybody as gone. */
  readonly settledMs: number;
}

export const DEFAULT_CALLER_LIMITS: CallerLimits = {
  firstCallerMs: 300_000,
  hangUpGraceMs: 5000,
  sipHangUpGraceMs: 300,
  lostGraceMs: 120_000,
  settledMs: 1000,
};

export interface CallerLinkEvents {
  linked(peer: Peer, again: boolean): void;
  lost(peer: Peer, reason: LeaveReason): void;
  /** Nobody comes (back). */
  gone(reason: string): void;
}

const IN_DUE_FORM: ReadonlySet<LeaveReason> = new Set(['left', 'removed', 'rejected', 'room deleted', 'room closed']);

export class CallerLink {
  readonly #pinned: string | undefined;
  readonly #clock: LineClock;
  readonly #limits: CallerLimits;
  readonly #events: CallerLinkEvents;
  readonly #present = new Map<string, Peer>();
  /** Who was in the room when the caller was lost: none of them is the caller. */
  #bystanders = new Set<string>();
  #caller: Peer | null = null;
  #identity: string | null = null;
  #isSip = false;
  #isUp = false;
  #wasDown = false;
  #upSinceMs = Number.NEGATIVE_INFINITY;
  #lostAtMs = 0;
  #inDueForm = false;
  #cancelGrace: () => void = () => {};
  #isClosed = false;

  constructor(pinned: string | undefined, clock: LineClock, limits: CallerLimits, events: CallerLinkEvents) {
    this.#pinned = pinned;
    this.#clock = clock;
    this.#limits = limits;
    this.#events = events;
  }

  /** The caller, while in the room. */
  get caller(): Peer | null {
    return this.#caller;
  }

  /** The caller's identity, also while waited for. */
  get identity(): string | null {
    return this.#identity;
  }

  /** True while a caller who was lost may still come back. */
  get isWaiting(): boolean {
    return this.#identity !== null && this.#caller === null && !this.#isClosed;
  }

  /** Our connection stands, the first or one after a rejoin, with these in the room. */
  connected(peers: readonly Peer[]): void {
    this.#present.clear();
    this.#stands();
    for (const peer of peers) this.joined(peer);
  }

  joined(peer: Peer): void {
    this.#present.set(peer.identity, peer);
    if (this.#caller?.identity === peer.identity) this.#caller = peer;
    else if (this.#caller === null && this.#isEligible(peer)) this.#link(peer);
  }

  left(identity: string, reason: LeaveReason): void {
    this.#present.delete(identity);
    this.#bystanders.delete(identity);
    if (this.#caller?.identity === identity) this.#lose(this.#caller, reason);
  }

  /** Our connection is being rebuilt. */
  reconnecting(): void {
    this.#isUp = false;
    this.#wasDown = true;
    this.#cancelGrace();
    // Everybody is reported as gone shortly before our own trouble is.
    if (this.#clock.now() - this.#lostAtMs < this.#limits.settledMs) this.#inDueForm = false;
  }

  reconnected(): void {
    this.#stands();
  }

  /** Our connection is lost: so is everybody in it. */
  disconnected(): void {
    this.reconnecting();
    this.#present.clear();
    if (this.#caller !== null) this.#lose(this.#caller, 'connection lost');
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelGrace();
  }

  #stands(): void {
    if (this.#wasDown) this.#upSinceMs = this.#clock.now();
    this.#isUp = true;
    if (this.#caller === null) this.#startGrace();
  }

  #isEligible({ identity, kind }: Peer): boolean {
    if (this.#isClosed) return false;
    if (this.#pinned !== undefined) return identity === this.#pinned;
    if (kind !== 'standard' && kind !== 'sip') return false;
    return identity === this.#identity || !this.#bystanders.has(identity);
  }

  #link(peer: Peer): void {
    const again = this.#identity !== null;
    this.#cancelGrace();
    this.#caller = peer;
    this.#identity = peer.identity;
    this.#isSip = peer.kind === 'sip';
    this.#bystanders.clear();
    this.#events.linked(peer, again);
  }

  #lose(peer: Peer, reason: LeaveReason): void {
    const nowMs = this.#clock.now();
    this.#caller = null;
    this.#lostAtMs = nowMs;
    this.#bystanders = new Set(this.#present.keys());
    const isSettled = this.#isUp && nowMs - this.#upSinceMs >= this.#limits.settledMs;
    this.#inDueForm = isSettled && IN_DUE_FORM.has(reason);
    this.#events.lost(peer, reason);
    if (this.#isUp && this.#caller === null) this.#startGrace();
  }

  #startGrace(): void {
    if (this.#isClosed) return;
    const { firstCallerMs, hangUpGraceMs, sipHangUpGraceMs, lostGraceMs } = this.#limits;
    this.#cancelGrace();
    if (this.#identity === null) {
      this.#cancelGrace = this.#clock.setTimer(() => this.#give('no caller came'), firstCallerMs);
      return;
    }
    const hangUpMs = this.#isSip ? sipHangUpGraceMs : hangUpGraceMs;
    const [reason, graceMs] = this.#inDueForm
      ? (['caller hung up', hangUpMs] as const)
      : (['caller lost', lostGraceMs] as const);
    this.#cancelGrace = this.#clock.setTimer(() => this.#give(reason), graceMs);
  }

  #give(reason: string): void {
    if (this.#isClosed || this.#caller !== null) return;
    this.#isClosed = true;
    this.#events.gone(reason);
  }
}
