// One conversation: inputs with their time in, effects out. Deterministic.
import type { SessionEvent } from './inputs.ts';
import type { Ledger } from './ledger.ts';

export interface Session {
  /** A packet of the caller: mono PCM16 LE at the input rate, first sample at `position`. Synchronous, allocation-free, never throws. */
  audio(packet: Uint8Array, position: number, nowMs: number): void;
  event(event: SessionEvent, nowMs: number): void;
  /** Fills `out` with what is to be heard next; returns how many samples are speech (0: nothing to play, `out` is silence). */
  pull(out: Int16Array, nowMs: number): number;
  /** The timer that it asked for by `wakeAt`. */
  wake(nowMs: number): void;
  /** Speech that is queued and not yet pulled, in ms. */
  readonly queuedMs: number;
  readonly ended: boolean;
  ledger(): Ledger;
}
