// The one door of a process: calls of every kind are counted at it, and what all of them suffer closes it for all.
import {
  type AdmissionLimits,
  type AdmissionMeasures,
  type AdmissionState,
  type AdmissionVerdict,
  assess,
  DEFAULT_ADMISSION,
  INITIAL_ADMISSION,
} from './admission.ts';
import type { Clock } from './clock.ts';

/** What somebody brings into the process: calls that run, and calls that were promised a place. */
export interface Occupancy {
  readonly sessions: number;
  readonly pending: number;
}

export interface GateOptions {
  /** `maxSessions` is N; the rest has defaults. */
  readonly limits: Pick<AdmissionLimits, 'maxSessions'> & Partial<AdmissionLimits>;
  /** What the callers suffer now; without it the door is judged by numbers alone. */
  readonly measures?: (() => AdmissionMeasures) | undefined;
  readonly clock: Pick<Clock, 'now'>;
}

export interface Gate {
  readonly limits: AdmissionLimits;
  /** Counts `part` from now on; returns how to stop counting it. */
  join(part: () => Occupancy): () => void;
  /** All parts together. */
  occupancy(): Occupancy;
  measures(): AdmissionMeasures;
  /** Calls `listener` whenever the door has opened or closed, in the call of `judge` that noticed it; returns how to stop that. */
  watch(listener: () => void): () => void;
  /** To be asked before each call of a burst, and now and then in between: strain must last before it counts. */
  judge(): AdmissionVerdict;
}

const NOT_MEASURED: AdmissionMeasures = { lateFrameShare: null, loopLagMs: null, bufferBytes: null };

export function createGate({ limits: given, measures = () => NOT_MEASURED, clock }: GateOptions): Gate {
  const limits: AdmissionLimits = { ...DEFAULT_ADMISSION, ...given };
  const parts = new Set<() => Occupancy>();
  const listeners = new Set<() => void>();
  let state: AdmissionState = INITIAL_ADMISSION;
  let isOpen = limits.maxSessions > 0;
  const occupancy = () => {
    let sessions = 0;
    let pending = 0;
    for (const part of parts) {
      const one = part();
      sessions += one.sessions;
      pending += one.pending;
    }
    return { sessions, pending };
  };
  return {
    limits,
    join(part) {
      parts.add(part);
      return () => void parts.delete(part);
    },
    occupancy,
    measures,
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    judge() {
      const assessed = assess(state, { ...measures(), ...occupancy() }, limits, clock.now());
      state = assessed.state;
      const { verdict } = assessed;
      if (verdict.open !== isOpen) {
        isOpen = verdict.open;
        for (const listener of listeners) listener();
      }
      return verdict;
    },
  };
}
