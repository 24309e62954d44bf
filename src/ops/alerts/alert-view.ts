// An alert as people and channels see it.
import type { Tellable } from './groups.ts';
import type { Instance } from './instance.ts';
import { fingerprint, type Labels } from './labels.ts';
import type { Notice } from './notification.ts';
import type { AlertRule } from './rule.ts';

export interface AlertView {
  readonly rule: string;
  readonly fingerprint: string;
  readonly state: 'pending' | 'firing';
  /** Firing though its condition is false now. */
  readonly kept: boolean;
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  readonly value: number;
  readonly startsAtMs: number;
  readonly channels: readonly string[];
  /** Why nobody is told, or null. */
  readonly muted: string | null;
  readonly acknowledgedBy: string | null;
}

export function alertView(instance: Instance, rule: AlertRule, muted: string | null, by: string | null): AlertView {
  const { labels, annotations, state, value, startsAtWallMs: startsAtMs, keepSinceMs } = instance;
  return {
    rule: rule.name,
    fingerprint: fingerprint(labels),
    state,
    kept: keepSinceMs !== null,
    labels,
    annotations,
    value,
    startsAtMs,
    channels: rule.channels,
    muted,
    acknowledgedBy: by,
  };
}

export function tellableAlert(
  instance: Instance,
  { channels, groupBy, groupWaitMs, groupIntervalMs, repeatIntervalMs }: AlertRule,
  generatorUrl: string,
  muted: boolean,
  acknowledged: boolean,
): Tellable {
  const telling = { channels, groupBy, groupWaitMs, groupIntervalMs, repeatIntervalMs, muted, acknowledged };
  return { key: instance.key, notice: firingNotice(instance, generatorUrl), ...telling };
}

function firingNotice({ labels, annotations, startsAtWallMs, value }: Instance, generatorUrl: string): Notice {
  return {
    status: 'firing',
    labels,
    annotations,
    startsAtMs: startsAtWallMs,
    endsAtMs: null,
    fingerprint: fingerprint(labels),
    value: Number.isFinite(value) ? value : null,
    generatorUrl,
  };
}

/** Says that it is a test, in labels, title and text. */
export function testNotice({ name, labels: own }: AlertRule, generatorUrl: string, wallMs: number): Notice {
  const labels = { ...own, alertname: `${name} (test)`, test: 'true' };
  return {
    status: 'firing',
    labels,
    annotations: { summary: `Test of the alert rule "${name}"; nothing is wrong.` },
    startsAtMs: wallMs,
    endsAtMs: null,
    fingerprint: fingerprint(labels),
    value: null,
    generatorUrl,
  };
}
