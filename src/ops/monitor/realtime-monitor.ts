// What users hold: `RealtimeMonitor.start({ sessionPid, components, alertThresholds })` watches one session four times a second.
import type { Component, SystemFigure } from './figures.ts';
import type { MonitorDesk } from './monitor-desk.ts';
import { type MonitorOptions, readMonitorOptions } from './options.ts';
import type { FigureReport } from './minute-log.ts';
import type { Efficiency, Health } from './score.ts';
import { SessionMonitor } from './session-monitor.ts';
import type { AlertLevel, MonitorAlert } from './thresholds.ts';

/** One tick, four a second: every figure of the watched components. Null: not measured. */
export interface MonitorTick {
  /** ms since 1970. */
  readonly atMs: number;
  readonly components: Readonly<Partial<Record<Component, Readonly<Record<string, number | null>>>>>;
  /** Measured once a second. */
  readonly system: Readonly<Record<SystemFigure, number | null>>;
}
/** The newest tick, with the alerts that stand and the health of the last 5 s. */
export interface MonitorSnapshot extends MonitorTick {
  readonly sessionId: string;
  readonly alerts: readonly MonitorAlert[];
  readonly health: Health;
}
/** What some minutes add up to. */
export interface MonitorReport {
  readonly sessionId: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly ticks: number;
  /** By `component.figure` and `system.figure`; what was not measured is absent. */
  readonly metrics: Readonly<Record<string, FigureReport>>;
  readonly efficiency: Efficiency;
  readonly health: Health;
  readonly alerts: readonly MonitorAlert[];
}
/** `metrics` each 250 ms, `health` each 5 s, `report` each minute, `alert` when a limit is exceeded or is no more. */
export type MonitorEvent =
  | { readonly type: 'metrics'; readonly snapshot: MonitorSnapshot }
  | { readonly type: 'health'; readonly sessionId: string; readonly atMs: number; readonly health: Health }
  | { readonly type: 'report'; readonly report: MonitorReport }
  | { readonly type: 'alert'; readonly alert: MonitorAlert }
  | { readonly type: 'ended'; readonly sessionId: string };

/** One session that is watched, until it ends or `stop` is called. */
export interface RealtimeMonitor {
  readonly sessionId: string;
  /** False where monitoring is off or no program runs, and when the session has ended. */
  readonly running: boolean;
  readonly health: Health;
  /** Alerts that stand. */
  readonly alerts: readonly MonitorAlert[];
  /** Of each minute, the last hour of them. */
  readonly reports: readonly MonitorReport[];
  /** Null before the first tick. */
  snapshot(): MonitorSnapshot | null;
  /** Ticks of the last minutes. */
  history(minutes?: number): readonly MonitorTick[];
  /** What the last minutes add up to, up to an hour. */
  report(minutes?: number): MonitorReport;
  /** Returns how to unsubscribe. Called synchronously; one that throws is told no more. At most 100. */
  subscribe(subscriber: (event: MonitorEvent) => void): () => void;
  /** Sets or moves a limit. An alert that stands by the old one is forgotten. */
  setAlertThreshold(metric: string, threshold: number, level?: AlertLevel): void;
  stop(): void;
}

let desk: MonitorDesk | undefined;
/** The program tells who turns the monitors; undefined: nobody, and none has a timer. */
export function provideMonitorDesk(given: MonitorDesk | undefined): void {
  desk = given;
}

/** Begins to watch a session. Throws `RangeError` (naming the nearest) for components, thresholds and sessions that do not
 *  exist. Where monitoring is off, or no program runs, there is no timer and `running` is false. */
export const RealtimeMonitor: { start(options: MonitorOptions): RealtimeMonitor } = {
  start(options) {
    if (desk !== undefined) return desk.start(options);
    const { thresholds = [], ...read } = readMonitorOptions(options);
    const off = { nearest: () => undefined, startedMs: 0, reportMinutes: 1, onStop() {}, onAlert() {}, onFailed() {} };
    return new SessionMonitor({ ...read, ...off, thresholds }, false);
  },
};
