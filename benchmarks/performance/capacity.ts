// The ramp: 1 to 100 sessions in this process, what they cost, and how much worse the hundredth fares than the first.
import process from 'node:process';
import { callerLoop, instantModels } from '../conversation.ts';
import { percentile, round } from '../statistics.ts';
import { type LoadFigure, measureLoad } from './calls.ts';
import type { Findings, Measurement } from './report.ts';
import { show } from './report.ts';

export const RAMP = [1, 10, 25, 50, 75, 100] as const;
const CALL_MS = 8000;
const REPLY_MS = 3500;
/** A load is carried while at most this share of the frames is late. */
const LATE_SHARE = 0.01;

export async function measureCapacity(seconds: number, told: (figure: LoadFigure) => void): Promise<Findings> {
  const { packets } = callerLoop(CALL_MS);
  const models = instantModels(REPLY_MS);
  // The first run compiles and fills caches.
  await measureLoad(models, 10, packets, seconds);
  const before = process.memoryUsage.rss();
  const figures: LoadFigure[] = [];
  for (const sessions of RAMP) {
    // A turn takes up to 8 s to come: a single session needs more than one.
    const figure = await measureLoad(models, sessions, packets, sessions < 10 ? Math.max(seconds, 10) : seconds);
    figures.push(figure);
    told(figure);
  }
  return describeCapacity(figures, before);
}

/** What the figures of a ramp say about the baselines. */
export function describeCapacity(figures: readonly LoadFigure[], rssBefore: number): Findings {
  const last = figures.at(-1);
  const first = figures[0];
  if (last === undefined || first === undefined) throw new RangeError('A ramp needs a figure');
  const method = 'in process, instant models, recorded callers paced in real time';
  const carried = figures.filter(({ frames, framesLate }) => framesLate <= frames * LATE_SHARE);
  const perSession = (last.cpuPercent - last.controlCpuPercent) / last.sessions;
  const cpu = {
    value: perSession,
    method: `${method}; ${last.sessions} sessions, without the pacing`,
    control: { what: '% per session, pacing alone', value: last.controlCpuPercent / last.sessions },
  };
  const memoryMb = Math.max(0, last.rssBytes - rssBefore) / last.sessions / 1e6;
  const memory = `resident memory at ${last.sessions} sessions less that before the ramp, divided by ${last.sessions}`;
  const measurements: Measurement[] = [
    {
      id: 'THR-01',
      value: Math.max(0, ...carried.map(({ sessions }) => sessions)),
      method: `${method}; largest step of ${RAMP.join(', ')} with at most 1 % of the frames late`,
    },
    {
      id: 'LAT-01',
      value: last.frameP95Ms,
      control: { what: 'ms, lateness of pacing alone', value: last.controlP95Ms },
      method: `${method}; frame decided less frame due at ${last.sessions} sessions`,
    },
    { id: 'LAT-02', value: last.frameMaxMs, method: 'as LAT-01, the worst frame' },
    { id: 'LAT-03', value: last.frameP95Ms, method: 'as LAT-01: on the clock of the samples, so that waiting counts' },
    { id: 'THR-04', value: memoryMb, method: memory },
    { id: 'RES-02', value: memoryMb, method: `${memory}; in a reply of 30 s: benchmarks/websocket.ts --memory` },
    { id: 'THR-05', ...cpu },
    { id: 'RES-07', ...cpu },
  ];
  if (last.overheadMs.length > 0) {
    const value = percentile(last.overheadMs, 0.95);
    measurements.push({ id: 'THR-02', value, method: `${method}; ledger of ${last.overheadMs.length} turns` });
  }
  return { measurements, remarks: [{ id: 'THR-02', text: describeDegradation(first, last) }] };
}

/** REG-02: p95 at the highest load through p95 at the lowest. */
export function degradation(first: LoadFigure, last: LoadFigure): number {
  return last.frameP95Ms / Math.max(first.frameP95Ms, 0.01);
}

function describeDegradation(first: LoadFigure, last: LoadFigure): string {
  const own = first.overheadMs.length === 0 ? 'not measured' : `${show(percentile(first.overheadMs, 0.95))} ms`;
  return (
    `degradation ${first.sessions} to ${last.sessions} sessions: frames p95 ${show(first.frameP95Ms)} to ` +
    `${show(last.frameP95Ms)} ms (x ${round(degradation(first, last), 1)}), own part p95 at ${first.sessions}: ${own}`
  );
}
