// Whether one more call is welcome, judged by what the present callers suffer; a pure function of measures, state and time.

export interface AdmissionLimits {
  /** Calls at one time, N. */
  readonly maxSessions: number;
  /** Share of 20 ms frames decided too late, 0..1. */
  readonly lateFrameShare: number;
  /** How late the event loop runs its timers. */
  readonly loopLagMs: number;
  /** Bytes in the buffers that we own. */
  readonly bufferBytes: number;
  /** A measure must be over its limit for this long before the door closes: one pause of the collector is none. */
  readonly closeAfterMs: number;
  /** The door opens again when every measure is below this share of its limit ... */
  readonly recoverAt: number;
  /** ... and has been for this long. */
  readonly recoverMs: number;
  /** Share of N at which another process is asked for. */
  readonly scaleUpAt: number;
  /** The load from which the server offers nothing (`agents.target_load` in its configuration). */
  readonly targetLoad: number;
}

export const DEFAULT_ADMISSION: Omit<AdmissionLimits, 'maxSessions'> = {
  lateFrameShare: 0.02,
  loopLagMs: 100,
  bufferBytes: Number.POSITIVE_INFINITY,
  closeAfterMs: 500,
  recoverAt: 0.7,
  recoverMs: 5000,
  scaleUpAt: 0.75,
  targetLoad: 0.7,
};

/** null = not measured; such a measure neither closes nor opens the door. */
export interface AdmissionMeasures {
  readonly lateFrameShare: number | null;
  readonly loopLagMs: number | null;
  readonly bufferBytes: number | null;
}
export interface AdmissionInputs extends AdmissionMeasures {
  /** Calls that are running. */
  readonly sessions: number;
  /** Calls that were accepted and have not begun. */
  readonly pending: number;
}

export type Strain = 'late-frames' | 'loop-lag' | 'buffer-bytes';

/** What has to be remembered between two looks. */
export interface AdmissionState {
  /** The measure that closed the door. */
  readonly strain: Strain | null;
  /** Since when a measure has been over its limit, while the door is open. */
  readonly overSinceMs: number | null;
  /** Since when all have been well below, while the door is closed. */
  readonly calmSinceMs: number | null;
  readonly scaleUp: boolean;
}

export const INITIAL_ADMISSION: AdmissionState = { strain: null, overSinceMs: null, calmSinceMs: null, scaleUp: false };

export interface AdmissionVerdict {
  /** One more call is welcome. */
  readonly open: boolean;
  readonly reason: 'full' | Strain | null;
  /** What the server is told: below `targetLoad` exactly while the door is open, 0 when nothing happens. */
  readonly load: number;
  /** Another process is wanted. */
  readonly scaleUp: boolean;
}

/** Highest load that is told while one more call is welcome, as a share of `targetLoad` (0.69 of 0.7). */
const OPEN_SHARE = 0.69 / 0.7;
/** The wish for another process ends this far below the share at which it began. */
const SCALE_BAND = 0.1;

/** Calls of one burst are counted one by one: ask before each, and count what was accepted as `pending`. */
export function assess(
  state: AdmissionState,
  inputs: AdmissionInputs,
  limits: AdmissionLimits,
  nowMs: number,
): { readonly state: AdmissionState; readonly verdict: AdmissionVerdict } {
  const measures = [
    ['late-frames', share(inputs.lateFrameShare, limits.lateFrameShare)],
    ['loop-lag', share(inputs.loopLagMs, limits.loopLagMs)],
    ['buffer-bytes', share(inputs.bufferBytes, limits.bufferBytes)],
  ] as const;
  const [worst, suffering] = measures.reduce((a, b) => (b[1] > a[1] ? b : a));
  const { strain, overSinceMs, calmSinceMs } = strained(state, worst, suffering, limits, nowMs);

  const occupied = inputs.sessions + inputs.pending;
  const occupancy = limits.maxSessions > 0 ? occupied / limits.maxSessions : 1;
  const isFull = occupied >= limits.maxSessions;
  const open = !isFull && strain === null;
  const wanted = Math.max(occupancy, suffering);
  const load = open
    ? limits.targetLoad * Math.min(OPEN_SHARE, wanted)
    : Math.min(1, limits.targetLoad * Math.max(1, wanted));
  const scaleUp =
    strain !== null ||
    occupancy >= limits.scaleUpAt ||
    (state.scaleUp && occupancy > Math.max(0, limits.scaleUpAt - SCALE_BAND));
  return {
    state: { strain, overSinceMs, calmSinceMs, scaleUp },
    verdict: { open, reason: isFull ? 'full' : strain, load, scaleUp },
  };
}

function strained(
  state: AdmissionState,
  worst: Strain,
  suffering: number,
  limits: AdmissionLimits,
  nowMs: number,
): Pick<AdmissionState, 'strain' | 'overSinceMs' | 'calmSinceMs'> {
  if (state.strain === null) {
    if (suffering < 1) return { strain: null, overSinceMs: null, calmSinceMs: null };
    const since = state.overSinceMs ?? nowMs;
    if (nowMs - since < limits.closeAfterMs) return { strain: null, overSinceMs: since, calmSinceMs: null };
    return { strain: worst, overSinceMs: null, calmSinceMs: null };
  }
  if (suffering >= limits.recoverAt) {
    // The reason that is told is the one that holds now.
    return { strain: suffering >= 1 ? worst : state.strain, overSinceMs: null, calmSinceMs: null };
  }
  const since = state.calmSinceMs ?? nowMs;
  if (nowMs - since < limits.recoverMs) return { strain: state.strain, overSinceMs: null, calmSinceMs: since };
  return { strain: null, overSinceMs: null, calmSinceMs: null };
}

/** Measure as a share of its limit; 0 where either is unknown or has no limit. */
function share(measure: number | null, limit: number): number {
  if (measure === null || !(measure > 0) || !(limit > 0)) return 0;
  return limit === Number.POSITIVE_INFINITY ? 0 : measure / limit;
}
