// Decides who is told what and when: alerts in groups, each change once, reminders, and an all-clear for all that was told.
import { hashText, type Labels, labelsText } from './labels.ts';
import type { Notice, Notification, Reason } from './notification.ts';

/** A firing alert with what its rule says about telling. */
export interface Tellable {
  readonly key: string;
  readonly notice: Notice;
  readonly channels: readonly string[];
  readonly groupBy: readonly string[];
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  /** Muted alerts cause no notification. */
  readonly muted: boolean;
  /** Acknowledged alerts cause no reminder. */
  readonly acknowledged: boolean;
}

/** One channel's knowledge of one group, as plain data: with it a restart repeats nothing and forgets nothing. */
export interface GroupState {
  readonly channel: string;
  readonly groupKey: string;
  readonly groupLabels: Labels;
  readonly intervalMs: number;
  readonly repeatMs: number;
  /** No notification before, in the engine's time. */
  nextMs: number;
  notifiedMs: number | null;
  /** What the channel was told and was not yet taken back, by the alert's key. */
  told: Record<string, Notice>;
}

/** Alerts that one notification lists. */
const MAX_NOTICES = 100;

export interface GroupChange {
  readonly id: string;
  /** Undefined: the group is gone. */
  readonly state: GroupState | undefined;
}

export interface GroupStep {
  readonly notifications: readonly Notification[];
  readonly changes: readonly GroupChange[];
}

/** Which group of a channel an alert belongs to. */
interface Joined {
  readonly channel: string;
  readonly groupBy: readonly string[];
  readonly id: string;
  readonly groupKey: string;
  readonly groupLabels: Labels;
}

const NOBODY: ReadonlyMap<string, Tellable> = new Map();

export class Groups {
  readonly #groups: Map<string, GroupState>;
  /** By the labels of an alert, which it keeps for as long as it lives. */
  readonly #joined = new WeakMap<Labels, Joined[]>();
  readonly #nextId: () => number;

  constructor(restored: Iterable<readonly [string, GroupState]>, nextId: () => number) {
    this.#groups = new Map(restored);
    this.#nextId = nextId;
  }

  get size(): number {
    return this.#groups.size;
  }

  /** What the channel was told and was not yet taken back. */
  told(channel: string): Notice[] {
    return [...this.#groups.values()]
      .filter((state) => state.channel === channel)
      .flatMap((state) => Object.values(state.told));
  }

  /** In slices: one for each alert, and one for each group. */
  *step(nowMs: number, wallMs: number, firing: readonly Tellable[]): Generator<undefined, GroupStep, undefined> {
    const members = new Map<string, Map<string, Tellable>>();
    for (const alert of firing) {
      const { channels } = alert;
      for (let i = 0; i < channels.length; i++) {
        if (channels.indexOf(channels[i]!) < i) continue;
        const id = this.#join(alert, channels[i]!, nowMs);
        const group = members.get(id);
        if (group === undefined) members.set(id, new Map([[alert.key, alert]]));
        else group.set(alert.key, alert);
      }
      yield;
    }
    const notifications: Notification[] = [];
    const changes: GroupChange[] = [];
    for (const [id, state] of this.#groups) {
      const current = members.get(id) ?? NOBODY;
      const notification = this.#tell(state, current, nowMs, wallMs);
      if (notification !== undefined) notifications.push(notification);
      const over = current.size === 0 && nowMs >= state.nextMs && Object.keys(state.told).length === 0;
      if (over) {
        this.#groups.delete(id);
        if (state.notifiedMs !== null) changes.push({ id, state: undefined });
      } else if (notification !== undefined) changes.push({ id, state });
      yield;
    }
    return { notifications, changes };
  }

  #join(alert: Tellable, channel: string, nowMs: number): string {
    const { id, groupKey, groupLabels } = this.#joinedBy(alert, channel);
    if (!this.#groups.has(id)) {
      this.#groups.set(id, {
        channel,
        groupKey,
        groupLabels,
        intervalMs: alert.groupIntervalMs,
        repeatMs: alert.repeatIntervalMs,
        nextMs: nowMs + alert.groupWaitMs,
        notifiedMs: null,
        told: {},
      });
    }
    return id;
  }

  #joinedBy({ notice: { labels }, groupBy }: Tellable, channel: string): Joined {
    let known = this.#joined.get(labels);
    if (known === undefined) this.#joined.set(labels, (known = []));
    for (let i = 0; i < known.length; i++) {
      // A rule that was replaced has a list of its own.
      if (known[i]!.channel === channel && known[i]!.groupBy === groupBy) return known[i]!;
    }
    const groupLabels = Object.fromEntries(
      groupBy.filter((name) => (labels[name] ?? '') !== '').map((name) => [name, labels[name] ?? '']),
    );
    const groupKey = `{}:${labelsText(groupLabels)}`;
    const made = { channel, groupBy, id: JSON.stringify([channel, groupKey]), groupKey, groupLabels };
    this.#joined.set(labels, [...known.filter((one) => one.channel !== channel), made]);
    return made;
  }

  #tell(state: GroupState, current: ReadonlyMap<string, Tellable>, nowMs: number, wallMs: number) {
    // What is over is known by its absence, so that it is taken back also if the process died in between.
    for (const key in state.told) {
      const notice = state.told[key]!;
      const fires = current.has(key);
      if (!fires && notice.endsAtMs === null) {
        state.told[key] = { ...notice, status: 'resolved', endsAtMs: Math.max(wallMs, notice.startsAtMs) };
      } else if (fires && notice.endsAtMs !== null) {
        // It came back before anybody was told that it had gone.
        state.told[key] = { ...notice, status: 'firing', endsAtMs: null };
      }
    }
    if (nowMs < state.nextMs) return undefined;
    const fresh = [...current.values()].filter((alert) => !alert.muted && state.told[alert.key] === undefined);
    const over = Object.entries(state.told).filter(([, notice]) => notice.status === 'resolved');
    const standing = [...current.values()].filter((alert) => state.told[alert.key] !== undefined);
    const reason = this.#reason(state, fresh.length, over.length, standing, nowMs);
    if (reason === undefined) return undefined;
    for (const [key] of over) delete state.told[key];
    for (const alert of [...fresh, ...standing]) state.told[alert.key] = alert.notice;
    state.nextMs = nowMs + state.intervalMs;
    state.notifiedMs = nowMs;
    const alerts = [...standing.map(({ notice }) => notice), ...fresh.map(({ notice }) => notice)];
    return this.create(state, reason, [...alerts, ...over.map(([, notice]) => notice)], wallMs);
  }

  #reason(state: GroupState, fresh: number, over: number, standing: readonly Tellable[], nowMs: number) {
    if (fresh > 0) return standing.length + over === 0 ? 'first notification' : 'new alerts in group';
    if (over > 0) return standing.length > 0 ? 'some alerts resolved' : 'all alerts resolved';
    const due = state.notifiedMs !== null && nowMs - state.notifiedMs >= state.repeatMs;
    return due && standing.some(({ muted, acknowledged }) => !muted && !acknowledged)
      ? 'repeat interval elapsed'
      : undefined;
  }

  create(
    group: Pick<GroupState, 'channel' | 'groupKey' | 'groupLabels'>,
    reason: Reason,
    alerts: readonly Notice[],
    wallMs: number,
  ): Notification {
    const { channel, groupKey, groupLabels } = group;
    const status = alerts.some((alert) => alert.status === 'firing') ? 'firing' : 'resolved';
    const id = `${hashText(`${channel}\n${groupKey}`)}-${this.#nextId()}`;
    const truncatedAlerts = Math.max(0, alerts.length - MAX_NOTICES);
    const some = alerts.slice(0, MAX_NOTICES);
    return { id, channel, groupKey, groupLabels, status, reason, alerts: some, truncatedAlerts, atMs: wallMs };
  }
}
