// What is measured of the lines to rooms. Base units; the region of this process is a label where it is configured, ids never are.
import type { HistogramHandle, Registry } from '../../metrics/index.ts';
import type { RoomObserver } from './room-observer.ts';

/** 1 ms to 5 s: round trips, jitter, waits. */
const DELAY_BOUNDS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5];
const SHARE_BOUNDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.5, 1];
const BITRATE_BOUNDS = [1000, 4000, 8000, 16_000, 24_000, 32_000, 48_000, 64_000, 96_000, 128_000];
/** Outages last from a blink to ten minutes. */
const OUTAGE_BOUNDS_S = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600];

/** Observes all lines of a process; one for each registry and region. */
export function createRoomInstruments(registry: Registry, region: string | undefined): Required<RoomObserver> {
  const place: Record<string, string> = region === undefined ? {} : { region };
  const labels = (...names: string[]) => [...Object.keys(place), ...names];
  const counter = (name: string, help: string, ...names: string[]) =>
    registry.counter({ name: `syrinx.${name}`, help, labels: labels(...names) });
  const histogram = (name: string, unit: string, bounds: readonly number[], help: string, ...names: string[]) =>
    registry.histogram({ name: `syrinx.connection.${name}`, unit, bounds, help, labels: labels(...names) });
  const bothWays = (name: string, unit: string, bounds: readonly number[], help: string) => {
    const instrument = histogram(name, unit, bounds, help, 'direction');
    return {
      in: instrument.labels({ ...place, direction: 'in' }),
      out: instrument.labels({ ...place, direction: 'out' }),
    };
  };
  const alone = (name: string, unit: string, bounds: readonly number[], help: string) =>
    histogram(name, unit, bounds, help).labels(place);

  const connections = counter(
    'connections',
    'Rooms that were joined or could not be, and calls whose line was lost for good.',
    'outcome',
  );
  const established = connections.labels({ ...place, outcome: 'established' });
  const failed = connections.labels({ ...place, outcome: 'failed' });
  const setup = alone(
    'setup',
    's',
    DELAY_BOUNDS_S,
    'From the first attempt to join a room until the voice is published.',
  );
  const reconnecting = counter('connection.outages', 'Lines that were lost; the call goes on.').labels(place);
  const recovered = counter('connection.recoveries', 'Lines that stand again, by who did it.', 'by');
  const by = {
    sdk: recovered.labels({ ...place, by: 'sdk' }),
    rejoin: recovered.labels({ ...place, by: 'rejoin' }),
  };
  const outage = alone('outage', 's', OUTAGE_BOUNDS_S, 'From the loss of a line until it stands again.');
  const rejoinsFailed = counter('connection.rejoins.failed', 'Attempts to join again that failed.').labels(place);
  const stalled = counter('connection.stalls', 'Lines over which nothing came, though none said so.').labels(place);
  const callersLost = counter('connection.callers.lost', 'Callers who left or were lost.').labels(place);
  const repeated = registry
    .counter({
      name: 'syrinx.connection.repeated',
      unit: 's',
      help: 'Voice that was said again because an outage had swallowed it.',
      labels: labels(),
    })
    .labels(place);
  const rtt = alone('rtt', 's', DELAY_BOUNDS_S, 'Round trip to the LiveKit server, each second of each call.');
  const jitter = bothWays('jitter', 's', DELAY_BOUNDS_S, 'Jitter of the packets.');
  const loss = bothWays('loss', '1', SHARE_BOUNDS, 'Share of the packets that were lost.');
  const concealed = alone('concealed', '1', SHARE_BOUNDS, "Share of the caller's audio that had to be made up.");
  const buffered = alone('jitter.buffer', 's', DELAY_BOUNDS_S, "Wait of the caller's audio in the jitter buffer.");
  const bitrate = bothWays('bitrate', 'bit/s', BITRATE_BOUNDS, 'Audio that came and went.');
  const note = (handle: HistogramHandle, value: number | null, perUnit = 1) => {
    if (value !== null) handle.record(value / perUnit);
  };
  return {
    event(event) {
      switch (event.type) {
        case 'established':
          established.add(1);
          return setup.record(event.setupMs / 1000);
        case 'join-failed':
          return failed.add(1);
        case 'reconnecting':
          return reconnecting.add(1);
        case 'lost':
          // An outage that was told already goes on.
          if (!event.wasReconnecting) reconnecting.add(1);
          return;
        case 'recovered':
          by[event.by].add(1);
          return outage.record(event.outageMs / 1000);
        case 'rejoin-failed':
          return rejoinsFailed.add(1);
        case 'stalled':
          return stalled.add(1);
        case 'caller-lost':
          return callersLost.add(1);
        case 'repeated':
          return repeated.add(event.voiceMs / 1000);
        case 'ended':
          if (event.reason === 'connection lost') failed.add(1);
      }
    },
    sample(sample) {
      note(rtt, sample.rttMs, 1000);
      note(jitter.in, sample.jitterInMs, 1000);
      note(jitter.out, sample.jitterOutMs, 1000);
      note(loss.in, sample.lossIn);
      note(loss.out, sample.lossOut);
      note(concealed, sample.concealed);
      note(buffered, sample.jitterBufferMs, 1000);
      note(bitrate.in, sample.bitrateInBps);
      note(bitrate.out, sample.bitrateOutBps);
    },
  };
}
