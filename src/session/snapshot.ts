// A session as plain JSON, and a session made from it. Audio and running requests are not in it: a restored session listens.
import type { Analyzer } from '../audio/core.ts';
import type { Message } from './conversation.ts';
import type { Effects } from './effects.ts';
import type { LedgerTurn } from './ledger.ts';
import type { SessionOptions } from './options.ts';
import { createSession, type Session } from './session.ts';

export interface SessionSnapshot {
  readonly version: 1;
  readonly options: SessionOptions;
  /** The session's clock when it was taken, in ms; the restored one goes on from here. */
  readonly clockMs: number;
  readonly turn: number;
  readonly nextId: number;
  readonly messages: readonly Message[];
  readonly turns: readonly LedgerTurn[];
  /** What the agent was to say and has not begun. */
  readonly pendingSay: readonly string[];
}

/** Throws `RangeError` for a snapshot of another version. */
export function restoreSession(snapshot: SessionSnapshot, analyzer: Analyzer, effects: Effects): Session {
  if (snapshot.version !== 1)
    throw new RangeError(
      `Cannot restore a snapshot of version ${String(snapshot.version)}: this program reads version 1`,
    );
  return createSession(snapshot.options, analyzer, effects, snapshot);
}
