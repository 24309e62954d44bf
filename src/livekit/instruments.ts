// What is measured of the worker. Base units; ids are never labels, reasons are closed lists.
import type { Registry } from '../metrics/index.ts';

export interface WorkerGauges {
  registered(): number;
  running(): number;
  reserved(): number;
  load(): number;
  scaleUp(): boolean;
  draining(): boolean;
}

export type WorkerInstruments = ReturnType<typeof createWorkerInstruments>;

/** Calls last from seconds to an hour. */
const JOB_BOUNDS_S = [1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600];

export function createWorkerInstruments(registry: Registry, gauges: WorkerGauges) {
  const counter = (name: string, help: string, labels: readonly string[] = [], unit?: string) =>
    registry.counter({ name: `syrinx.livekit.${name}`, help, labels, unit });
  const gauge = (name: string, help: string, source: () => number) =>
    registry
      .gauge({ name: `syrinx.livekit.${name}`, help })
      .labels()
      .observe(source);
  const duration = (name: string, help: string, bounds?: readonly number[]) =>
    registry.histogram({ name: `syrinx.livekit.${name}`, help, unit: 's', bounds }).labels();

  gauge('registrations', 'Agents that are registered with the LiveKit server now.', gauges.registered);
  gauge('jobs.running', 'Jobs that run now.', gauges.running);
  gauge('jobs.reserved', 'Jobs that were accepted and are not assigned yet.', gauges.reserved);
  gauge('load', 'Load that the server is told; from its target load (0.7) on it offers nothing.', gauges.load);
  gauge('scale.up', '1 while another process is wanted.', () => Number(gauges.scaleUp()));
  gauge('draining', '1 while no further job is taken and the running ones may end.', () => Number(gauges.draining()));
  const refused = counter('offers.refused', 'Offers that were refused, by reason.', ['reason']);
  const ended = counter('jobs.ended', 'Jobs that ended, by outcome.', ['outcome']);
  const losses = counter('connection.losses', 'Connections that were lost or did not come about, by cause.', ['cause']);
  const ignored = counter('messages.ignored', 'Messages of the server that made no sense.', ['what']);
  return {
    offers: counter('offers', 'Jobs that the server offered.').labels(),
    accepted: counter('offers.accepted', 'Offers that were accepted.').labels(),
    refused: (reason: string) => refused.labels({ reason }).add(1),
    assignmentWait: duration('assignment.wait', 'From the offer to the assignment.'),
    assignmentsMissing: counter('assignments.missing', 'Accepted jobs that were not assigned in time.').labels(),
    ended: (outcome: 'success' | 'failed') => ended.labels({ outcome }).add(1),
    abandoned: counter('jobs.abandoned', 'Jobs that did not stop in their time.').labels(),
    jobDuration: duration('jobs.duration', 'From the offer of a job to its end.', JOB_BOUNDS_S),
    lost: (cause: string) => losses.labels({ cause }).add(1),
    reconnects: counter('reconnects', 'Registrations after an outage.').labels(),
    outage: counter('outage', 'Time without a registration after the first one.', [], 's').labels(),
    roundTrip: duration('ping', 'Round trip of a ping to the LiveKit server.'),
    ignored: (what: string) => ignored.labels({ what }).add(1),
  };
}
