// A desk on virtual time over sessions whose figures a test sets; what is not set is not measured.
import {
  columnOf,
  type FIGURES,
  MonitorDesk,
  SYSTEM_FIGURES,
  systemColumnOf,
  WIDTH,
} from '../../../src/ops/monitor/index.ts';
import type { Component, SystemFigure } from '../../../src/ops/monitor/figures.ts';
import { readThresholds, type Nearest } from '../../../src/ops/monitor/options.ts';
import { createMonitorInstruments } from '../../../src/ops/monitor/index.ts';
import { nearest } from '../../../src/config/nearest.ts';
import { createRegistry } from '../../../src/metrics/index.ts';
import { VirtualTime } from '../../simulation/virtual-time.ts';

/** The specification's own example, but for the session. */
export const EXAMPLE = {
  components: ['audio_processor', 'webrtc_handler', 'llm_client'],
  alertThresholds: { latency_ms: 150, quality_score: 3.0, memory_mb: 500, cpu_percent: 70, error_rate: 0.05 },
};
/** Wall time at which the virtual clock was at 0. */
export const EPOCH_MS = 1_700_000_000_000;

export class Rig {
  readonly time = new VirtualTime();
  readonly registry = createRegistry();
  readonly rows = new Map<string, Float64Array>();
  readonly system: Float64Array = new Float64Array(SYSTEM_FIGURES.length).fill(Number.NaN);
  readonly errors: unknown[] = [];
  readonly asked = { sessions: 0, system: 0 };
  readonly desk: MonitorDesk;
  /** Time that passed while code ran. */
  heldUpMs = 0;
  /** By how much somebody has set the wall clock. */
  wallSetMs = 0;

  constructor(thresholds: Readonly<Record<string, number>> = EXAMPLE.alertThresholds) {
    const { time } = this;
    this.desk = new MonitorDesk({
      now: () => this.now(),
      setTimer: (run, ms) => time.setTimer(run, ms),
      epochNowMs: () => EPOCH_MS + this.wallSetMs + this.now(),
      sessions: () => {
        this.asked.sessions++;
        const values = new Float64Array(this.rows.size * WIDTH);
        [...this.rows.values()].forEach((row, i) => values.set(row, i * WIDTH));
        return { ids: [...this.rows.keys()], values };
      },
      system: () => {
        this.asked.system++;
        return this.system;
      },
      thresholds: readThresholds(thresholds, nearest as Nearest),
      instruments: createMonitorInstruments(this.registry),
      nearest,
      onError: (error) => this.errors.push(error),
    });
  }

  now(): number {
    return this.time.now() + this.heldUpMs;
  }

  open(id = 's'): void {
    this.rows.set(id, new Float64Array(WIDTH).fill(Number.NaN));
    this.desk.opened(id);
  }

  close(id = 's'): void {
    this.rows.delete(id);
    this.desk.closed(id);
  }

  set<C extends Component>(component: C, figure: (typeof FIGURES)[C][number], value: number, id = 's'): void {
    (this.rows.get(id) as Float64Array)[columnOf(component, figure)] = value;
  }

  setSystem(figure: SystemFigure, value: number): void {
    this.system[systemColumnOf(figure)] = value;
  }

  async run(ms: number): Promise<void> {
    await this.time.runTo(this.time.now() + ms);
  }
}
