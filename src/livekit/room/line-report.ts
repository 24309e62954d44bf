// A call's line from its events and its samples of each second: one summary, for the call's ledger.
import type { LineReport, MeanAndWorst } from '../../transports/port.ts';
import type { ConnectionSample } from './connection-quality.ts';
import type { RoomEvent } from './room-observer.ts';

const LARGEST_IS_WORST = ['rttMs', 'jitterInMs', 'lossIn', 'jitterOutMs', 'lossOut', 'concealed'] as const;
const LEAST_IS_WORST = ['bitrateInBps', 'bitrateOutBps'] as const;
const FIGURES = [...LARGEST_IS_WORST, ...LEAST_IS_WORST] as const;
type Figure = (typeof FIGURES)[number];

/** One figure over the call. */
class Series {
  readonly #isWorse: (a: number, b: number) => boolean;
  #sum = 0;
  #count = 0;
  #worst = Number.NaN;

  constructor(isWorse: (a: number, b: number) => boolean) {
    this.#isWorse = isWorse;
  }

  add(value: number): void {
    this.#sum += value;
    if (this.#count++ === 0 || this.#isWorse(value, this.#worst)) this.#worst = value;
  }

  get summary(): MeanAndWorst | null {
    return this.#count === 0 ? null : { mean: rounded(this.#sum / this.#count), worst: rounded(this.#worst) };
  }
}

export class LineSummary {
  readonly #region: string | null;
  readonly #series: Readonly<Record<Figure, Series>>;
  #setupMs: number | null = null;
  #outages = 0;
  #outageMs = 0;
  #outageSinceMs: number | null = null;
  #repeatedMs = 0;
  #route: LineReport['route'] = null;

  constructor(region: string | null) {
    this.#region = region;
    const series = {} as Record<Figure, Series>;
    for (const figure of LARGEST_IS_WORST) series[figure] = new Series((a, b) => a > b);
    for (const figure of LEAST_IS_WORST) series[figure] = new Series((a, b) => a < b);
    this.#series = series;
  }

  event(event: RoomEvent): void {
    switch (event.type) {
      case 'established':
        this.#setupMs = event.setupMs;
        return;
      case 'reconnecting':
      case 'lost':
        if (this.#outageSinceMs === null) this.#outages++;
        this.#outageSinceMs ??= event.atMs;
        return;
      case 'recovered':
        if (this.#outageSinceMs !== null) this.#outageMs += event.atMs - this.#outageSinceMs;
        this.#outageSinceMs = null;
        return;
      case 'repeated':
        this.#repeatedMs += event.voiceMs;
    }
  }

  sample(sample: ConnectionSample): void {
    this.#route = sample.route ?? this.#route;
    for (const figure of FIGURES) {
      const value = sample[figure];
      if (value !== null) this.#series[figure].add(value);
    }
  }

  report(nowMs: number): LineReport {
    const running = this.#outageSinceMs === null ? 0 : nowMs - this.#outageSinceMs;
    const figures = {} as Record<Figure, MeanAndWorst | null>;
    for (const figure of FIGURES) figures[figure] = this.#series[figure].summary;
    return {
      region: this.#region,
      setupMs: this.#setupMs === null ? null : rounded(this.#setupMs),
      outages: this.#outages,
      outageMs: rounded(this.#outageMs + running),
      repeatedMs: rounded(this.#repeatedMs),
      route: this.#route,
      ...figures,
    };
  }
}

/** Shares are small. */
function rounded(value: number): number {
  return Math.abs(value) >= 10 ? Math.round(value * 10) / 10 : Math.round(value * 10_000) / 10_000;
}
