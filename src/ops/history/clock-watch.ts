// Whether the wall clock may be trusted with deleting: when it has run evenly for long enough.
import { MINUTE_MS } from './chunks.ts';
import { HOUR_MS } from './hour.ts';

const TRUST_AFTER_START_MS = 10 * MINUTE_MS;
const TRUST_AFTER_JUMP_MS = HOUR_MS;
const JUMP_MS = 60_000;

export class ClockWatch {
  #trustedFromMs: number;
  #lastMs: number | undefined;
  #lastEpochMs = 0;

  constructor(nowMs: number) {
    this.#trustedFromMs = nowMs + TRUST_AFTER_START_MS;
  }

  /** By how much the wall clock jumped since the last look, ms; 0 where it runs evenly. */
  look(nowMs: number, epochMs: number): number {
    const jumpMs = this.#lastMs === undefined ? 0 : epochMs - this.#lastEpochMs - (nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    this.#lastEpochMs = epochMs;
    if (Math.abs(jumpMs) < JUMP_MS) return 0;
    this.#trustedFromMs = nowMs + TRUST_AFTER_JUMP_MS;
    return jumpMs;
  }

  isTrusted(nowMs: number): boolean {
    return nowMs >= this.#trustedFromMs;
  }
}
