// What the callers of this process suffer, over the last seconds: late frames, a late event loop, and how much the buffers hold.
import type { AdmissionMeasures } from '../../livekit/admission.ts';
import type { Clock } from '../../runner/clock.ts';

/** What is read of each call. */
export interface FrameCounts {
  readonly framesIn: number;
  readonly framesLate: number;
}

export interface StrainOptions {
  readonly clock: Clock;
  /** Calls that are running, by id. */
  readonly calls: () => Iterable<readonly [id: string, counts: FrameCounts]>;
  /** Bytes in the buffers that we own; undefined: nobody counts them. */
  readonly bufferBytes?: (() => number) | undefined;
  /** Told after each look, so that what lasts is noticed while nobody calls. */
  readonly looked?: (() => void) | undefined;
}

export interface Strain {
  measures(): AdmissionMeasures;
  stop(): void;
}

const LOOK_MS = 100;
/** Late frames are counted over 5 s: 2 % of one call's 250 frames are five. */
const WINDOW_LOOKS = 50;
/** Fewer frames than one second of one call say nothing. */
const MIN_FRAMES = 50;
/** Timers of the last 2 s; what a quarter of them exceeds is no single pause of the collector. */
const LAG_LOOKS = 20;
const LAG_SHARE = 0.75;
/** Frames that come late over a loop that was never this late are the network's doing, and no reason to refuse anybody. */
const OWN_LAG_MS = 10;

/** Begins to look at once, ten times a second. */
export function watchStrain({ clock, calls, bufferBytes, looked }: StrainOptions): Strain {
  const frames = new Float64Array(WINDOW_LOOKS);
  const late = new Float64Array(WINDOW_LOOKS);
  const lags = new Float64Array(LAG_LOOKS).fill(Number.NaN);
  const longest = new Float64Array(WINDOW_LOOKS);
  const sorted = new Float64Array(LAG_LOOKS);
  let looks = 0;
  /** Counters at the last look; a call that has ended is forgotten with it. */
  let before = new Map<string, FrameCounts>();
  let dueMs = clock.now() + LOOK_MS;
  let cancel = clock.setTimer(look, LOOK_MS);

  function look(): void {
    const nowMs = clock.now();
    lags[looks % LAG_LOOKS] = Math.max(0, nowMs - dueMs);
    longest[looks % WINDOW_LOOKS] = Math.max(0, nowMs - dueMs);
    countFrames(looks % WINDOW_LOOKS);
    looks++;
    dueMs = nowMs + LOOK_MS;
    cancel = clock.setTimer(look, LOOK_MS);
    looked?.();
  }

  function countFrames(at: number): void {
    let all = 0;
    let tardy = 0;
    const now = new Map<string, FrameCounts>();
    for (const [id, { framesIn, framesLate }] of calls()) {
      const old = before.get(id);
      all += framesIn - (old?.framesIn ?? 0);
      tardy += framesLate - (old?.framesLate ?? 0);
      now.set(id, { framesIn, framesLate });
    }
    before = now;
    frames[at] = all;
    late[at] = tardy;
  }

  const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
  return {
    measures() {
      const all = sum(frames);
      return {
        lateFrameShare: all < MIN_FRAMES ? null : longestLag() >= OWN_LAG_MS ? sum(late) / all : 0,
        loopLagMs: looks < LAG_LOOKS ? null : quantile(),
        bufferBytes: bufferBytes?.() ?? null,
      };
    },
    stop: () => cancel(),
  };

  /** Of the same 5 s as the frames. */
  function longestLag(): number {
    return longest.reduce((a, b) => Math.max(a, b), 0);
  }

  function quantile(): number {
    sorted.set(lags);
    sorted.sort();
    return sorted[Math.floor(LAG_SHARE * (LAG_LOOKS - 1))] as number;
  }
}
