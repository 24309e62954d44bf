// The ledger: where the time of each turn went, on the sample clock. The format is `docs/ledger.schema.json`.

/** Times in ms on the session clock; 0 = first sample received from the caller. */
export interface Ledger {
  readonly version: 1;
  readonly session: {
    readonly id: string;
    readonly agent: string;
    readonly transport: string;
    /** Wall time of session clock 0, ISO 8601 with ms. */
    readonly startedAt: string;
    readonly durationMs: number;
    readonly endReason: string;
  };
  readonly turns: readonly LedgerTurn[];
  readonly audio: { readonly framesIn: number; readonly framesLate: number; readonly quality: number | null };
}

export interface LedgerTurn {
  readonly turn: number;
  /** Null where the agent spoke unasked. `startMs`, `endMs`: first and last voiced sample. */
  readonly caller: {
    readonly startMs: number;
    readonly endMs: number;
    readonly text: string;
    /** What the VAD said of it; absent where it was typed, or where the VAD gives no score. */
    readonly speech?: SpeechScores | undefined;
  } | null;
  /** `startMs`, `endMs`: first and last audible sample, null if nothing was heard. */
  readonly agent: {
    readonly text: string;
    readonly heard: string;
    readonly startMs: number | null;
    readonly endMs: number | null;
    readonly interruptedAtMs: number | null;
  };
  /** From `caller.endMs` to `agent.startMs`, in order, without overlap. */
  readonly stages: readonly LedgerStage[];
  readonly responseMs: number | null;
  /** `responseMs` without providers and endpointing. */
  readonly overheadMs: number | null;
  /** What belongs to no stage. */
  readonly unexplainedMs: number | null;
}

/** Scores (of the net: probabilities) of the frames that moved the end of the caller's speech on. Those of every frame: `replay --frames`. */
export interface SpeechScores {
  readonly frames: number;
  readonly mean: number;
  readonly least: number;
}

export interface LedgerStage {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Time in which the call waited for a provider. */
  readonly provider: boolean;
}

/** What a turn left behind, times on the host's clock. */
export interface TurnMarks {
  readonly turn: number;
  readonly callerText: string | null;
  readonly callerStartMs: number;
  readonly callerEndMs: number;
  readonly speech?: SpeechScores | undefined;
  /** When the turn's end was decided. */
  readonly endpointedMs: number;
  readonly waits: readonly Wait[];
  readonly text: string;
  readonly heard: string;
  readonly audibleMs: number | null;
  readonly audibleEndMs: number | null;
  readonly interruptedMs: number | null;
}
export interface Wait {
  readonly name: string;
  readonly provider: boolean;
  readonly fromMs: number;
  /** `Infinity` while it lasts. */
  toMs: number;
}

/** `zeroMs`: host time of session clock 0. */
export function ledgerTurn(marks: TurnMarks, zeroMs: number): LedgerTurn {
  const onClock = (ms: number) => round(ms - zeroMs);
  const agent = {
    text: marks.text,
    heard: marks.heard,
    startMs: marks.audibleMs === null ? null : onClock(marks.audibleMs),
    endMs: marks.audibleEndMs === null ? null : onClock(marks.audibleEndMs),
    interruptedAtMs: marks.interruptedMs === null ? null : onClock(marks.interruptedMs),
  };
  if (marks.callerText === null) {
    return {
      turn: marks.turn,
      caller: null,
      agent,
      stages: [],
      responseMs: null,
      overheadMs: null,
      unexplainedMs: null,
    };
  }
  const caller = {
    startMs: onClock(marks.callerStartMs),
    endMs: onClock(marks.callerEndMs),
    text: marks.callerText,
    ...(marks.speech === undefined ? {} : { speech: marks.speech }),
  };
  if (agent.startMs === null) {
    return { turn: marks.turn, caller, agent, stages: [], responseMs: null, overheadMs: null, unexplainedMs: null };
  }
  const stages = stagesBetween(marks, caller.endMs, agent.startMs, onClock);
  const responseMs = round(agent.startMs - caller.endMs);
  const named = stages.reduce((sum, s) => sum + s.endMs - s.startMs, 0);
  const notOurs = stages.reduce(
    (sum, s) => sum + (s.provider || s.name === 'endpointing' ? s.endMs - s.startMs : 0),
    0,
  );
  return {
    turn: marks.turn,
    caller,
    agent,
    stages,
    responseMs,
    overheadMs: round(responseMs - notOurs),
    unexplainedMs: round(responseMs - named),
  };
}

/** The waits that the caller felt: what ran during the endpointing belongs to it, and nothing counts twice. */
function stagesBetween(marks: TurnMarks, fromMs: number, toMs: number, onClock: (ms: number) => number): LedgerStage[] {
  const stages: LedgerStage[] = [];
  let at = fromMs;
  const add = (name: string, provider: boolean, start: number, end: number) => {
    const startMs = Math.max(at, start);
    const endMs = Math.min(toMs, end);
    if (endMs <= startMs) return;
    stages.push({ name, startMs, endMs, provider });
    at = endMs;
  };
  add('endpointing', false, fromMs, onClock(marks.endpointedMs));
  for (const wait of marks.waits.toSorted((a, b) => a.fromMs - b.fromMs))
    add(wait.name, wait.provider, onClock(wait.fromMs), onClock(wait.toMs));
  return stages;
}

/** A hundredth of a millisecond is finer than a sample. */
function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
