// What is measured of the quality of calls: the index of the windows that ended, and what it is now in the calls that run.
import type { GaugeHandle, Registry } from '../metrics/index.ts';
import type { QualityReport } from '../session/listen/quality-log.ts';

export interface QualityInstruments {
  /** One call: its newest window counts until it has ended. */
  started(): QualityRecorder;
}

export interface QualityRecorder {
  report(report: QualityReport): void;
  ended(): void;
}

const SCORE_BOUNDS = [1.5, 2, 2.5, 3, 3.5, 4, 4.2, 4.4];

export function createQualityInstruments(registry: Registry): QualityInstruments {
  const gauge = (name: string, help: string) => registry.gauge({ name: `syrinx.${name}`, help }).labels();
  const counter = (name: string, help: string, labels: readonly string[] = []) =>
    registry.counter({ name: `syrinx.${name}`, help, labels });
  const score = gauge('audio.quality.score', 'Signal quality index of the running calls, 1 to 5, mean.');
  const lowest = gauge('audio.quality.lowest', 'Signal quality index of the worst of the running calls, 1 to 5.');
  const connection = gauge('connection.score', 'Connection score by loss and delay (E-model), 1 to 5, mean.');
  const indexes = registry
    .histogram({
      name: 'syrinx.audio.quality.index',
      help: 'Signal quality index of windows of 4 to 10 s with speech.',
      bounds: SCORE_BOUNDS,
    })
    .labels();
  const windows = counter('audio.quality.windows', 'Windows of 4 to 10 s of callers, by what was in them.', ['speech']);
  const spoken = windows.labels({ speech: 'true' });
  const silent = windows.labels({ speech: 'false' });
  const degraded = counter('audio.quality.degraded', 'Windows that were poor, or much worse than their call.').labels();
  const sound = registry.counter({
    name: 'syrinx.jitter.audio',
    help: 'Audio that a jitter buffer missed (lost), made up (concealed, part of it) or dropped as too late.',
    unit: 's',
    labels: ['what'],
  });
  const seconds = {
    lost: sound.labels({ what: 'lost' }),
    concealed: sound.labels({ what: 'concealed' }),
    late: sound.labels({ what: 'late' }),
  };
  const events = counter('jitter.events', 'What a jitter buffer met, by kind.', ['what']);
  const kinds = (['holes', 'duplicates', 'reordered', 'underruns', 'overruns'] as const).map(
    (what) => [what, events.labels({ what })] as const,
  );
  const scores = new Mean(score, lowest);
  const connections = new Mean(connection, null);
  return {
    started() {
      const call = {};
      return {
        report(report) {
          (report.score === null ? silent : spoken).add(1);
          if (report.degraded) degraded.add(1);
          if (report.score !== null) {
            indexes.record(report.score);
            scores.set(call, report.score);
          }
          const line = report.connection;
          if (line === null) return;
          connections.set(call, line.score);
          seconds.lost.add(line.lostMs / 1000);
          seconds.concealed.add(line.concealedMs / 1000);
          seconds.late.add(line.lateMs / 1000);
          for (const [what, handle] of kinds) handle.add(line[what]);
        },
        ended() {
          scores.delete(call);
          connections.delete(call);
        },
      };
    },
  };
}

/** The newest value of each running call; its gauges are absent while there is none. */
class Mean {
  readonly #values = new Map<object, number>();
  readonly #mean: GaugeHandle;
  readonly #lowest: GaugeHandle | null;

  constructor(mean: GaugeHandle, lowest: GaugeHandle | null) {
    this.#mean = mean;
    this.#lowest = lowest;
  }

  set(call: object, value: number): void {
    this.#values.set(call, value);
    this.#tell();
  }

  delete(call: object): void {
    if (this.#values.delete(call)) this.#tell();
  }

  #tell(): void {
    if (this.#values.size === 0) {
      this.#mean.unset();
      this.#lowest?.unset();
      return;
    }
    let sum = 0;
    let lowest = Infinity;
    for (const value of this.#values.values()) {
      sum += value;
      lowest = Math.min(lowest, value);
    }
    this.#mean.set(sum / this.#values.size);
    this.#lowest?.set(lowest);
  }
}
