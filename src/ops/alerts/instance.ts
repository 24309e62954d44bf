// One alert instance: pending, firing, over. A pure step, with the rules of Prometheus.
import type { Labels } from './labels.ts';

/** Plain data: it is written to the journal as it is. Times are the engine's; `...WallMs` is what people are shown. */
export interface Instance {
  readonly rule: string;
  readonly key: string;
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
  readonly activeAtMs: number;
  readonly startsAtWallMs: number;
  /** First false evaluation since the last true one, while `keepFiringFor` holds it. */
  readonly keepSinceMs: number | null;
  /** Since when its series is not seen and the rule's policy is to keep it. */
  readonly unseenSinceMs: number | null;
  readonly value: number;
}

/** What this evaluation says of the instance. `unknown`: its series is not seen, and that shall change nothing. */
export type Verdict = 'true' | 'false' | 'unknown';

export interface Patience {
  readonly forMs: number;
  readonly keepFiringForMs: number;
}

/** How long an instance without data is kept where the rule says `keep`. */
export const KEEP_UNSEEN_MS = 3_600_000;

/** Undefined when it is over; the same instance where nothing about it changes. */
export function step(
  instance: Instance,
  verdict: Verdict,
  nowMs: number,
  { forMs, keepFiringForMs }: Patience,
): Instance | undefined {
  if (verdict === 'unknown') {
    const unseenSinceMs = instance.unseenSinceMs ?? nowMs;
    if (nowMs - unseenSinceMs < KEEP_UNSEEN_MS)
      return changed(instance, instance.state, instance.keepSinceMs, unseenSinceMs);
  }
  if (verdict === 'true') {
    const state = instance.state === 'firing' || nowMs - instance.activeAtMs >= forMs ? 'firing' : 'pending';
    return changed(instance, state, null, null);
  }
  if (instance.state === 'pending' || keepFiringForMs <= 0) return undefined;
  const keepSinceMs = instance.keepSinceMs ?? nowMs;
  return nowMs - keepSinceMs < keepFiringForMs ? changed(instance, instance.state, keepSinceMs, null) : undefined;
}

function changed(
  instance: Instance,
  state: Instance['state'],
  keepSinceMs: number | null,
  unseenSinceMs: number | null,
): Instance {
  const same =
    state === instance.state && keepSinceMs === instance.keepSinceMs && unseenSinceMs === instance.unseenSinceMs;
  return same ? instance : { ...instance, state, keepSinceMs, unseenSinceMs };
}
