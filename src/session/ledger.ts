// The ledger: where the time of each turn went, on the sample clock. Format: docs/ledger.schema.json (version 1).

/** Times in ms on the session clock; 0 = first sample received from the caller. */
export interface Ledger {
  readonly version: 1;
  readonly session: {
    readonly id: string;
    readonly agent: string;
    readonly transport: string;
    readonly startedAt: string;
    readonly durationMs: number;
    readonly endReason: string;
  };
  readonly turns: readonly LedgerTurn[];
  readonly audio: { readonly framesIn: number; readonly framesLate: number; readonly quality: number | null };
}
export interface LedgerTurn {
  readonly turn: number;
  readonly caller: { readonly startMs: number; readonly endMs: number; readonly text: string } | null;
  readonly agent: {
    readonly text: string;
    readonly heard: string;
    readonly startMs: number | null;
    readonly endMs: number | null;
    readonly interruptedAtMs: number | null;
  };
  readonly stages: readonly LedgerStage[];
  readonly responseMs: number | null;
  readonly overheadMs: number | null;
  readonly unexplainedMs: number | null;
}
export interface LedgerStage {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly provider: boolean;
}
