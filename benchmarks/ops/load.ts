// What the operations have to watch: 500 series that move, and 50 rules about them, of which some fire and end again.
import type { CounterHandle, GaugeHandle, HistogramHandle, Registry } from '../../src/metrics/index.ts';

export const SERIES = 500;
export const RULES = 50;
/** Kind of the slices that do nothing, where the operations are off. */
export const CONTROL_SLICE = 'nothing';
/** Shipped with the program. */
const SHIPPED_RULES = 11;
const FAMILY_SERIES = 20;

export interface SeriesLoad {
  /** Everything moves on a little. */
  turn(): void;
}

/** 10 families of counters, 10 of gauges and 5 of histograms, with 20 series each. */
export function loadSeries(registry: Registry): SeriesLoad {
  const counters: CounterHandle[] = [];
  const gauges: GaugeHandle[] = [];
  const histograms: HistogramHandle[] = [];
  for (let family = 0; family < 10; family++) {
    const labels = ['place', 'kind'];
    const counter = registry.counter({ name: `load.counter.${family}`, help: 'Load.', labels });
    const gauge = registry.gauge({ name: `load.gauge.${family}`, help: 'Load.', labels });
    const histogram =
      family < 5 ? registry.histogram({ name: `load.time.${family}`, help: 'Load.', unit: 's', labels }) : undefined;
    for (let i = 0; i < FAMILY_SERIES; i++) {
      const own = { place: String(i), kind: i % 2 === 0 ? 'even' : 'odd' };
      counters.push(counter.labels(own));
      gauges.push(gauge.labels(own));
      if (histogram !== undefined) histograms.push(histogram.labels(own));
    }
  }
  let turn = 0;
  return {
    turn() {
      turn++;
      for (let i = 0; i < counters.length; i++) counters[i]?.add(1 + ((i + turn) % 3));
      for (let i = 0; i < gauges.length; i++) gauges[i]?.set(50 + 40 * Math.sin(turn / 400 + 1.3 * i));
      for (let i = 0; i < histograms.length; i++) histograms[i]?.record(0.05 + 0.04 * Math.sin(turn * (i + 1)));
    },
  };
}

/** With those that are shipped, 50: windows of a minute over counters, durations, sums across series, quantiles, absence. */
export function loadRules(channels: readonly string[]): Record<string, object> {
  const rules: Record<string, object> = {};
  const add = (name: string, rule: object) => {
    rules[name] = { severity: 'warning', notification_channels: channels, ...rule };
  };
  for (let i = 0; i < 10; i++) {
    add(`rate_${i}`, {
      ...{ metric: `load.counter.${i}`, aggregation: 'rate', window_seconds: 60 },
      ...{ condition: '>', threshold: 1000, duration_seconds: 30 },
    });
    // Some of its series are above it at any time: they fire, end, and are told of.
    add(`level_${i}`, { metric: `load.gauge.${i}`, condition: '>', threshold: i < 2 ? 60 : 95, duration_seconds: 5 });
    if (i < 9) {
      add(`sum_${i}`, {
        ...{ metric: `load.gauge.${i}`, across: { fn: 'avg', by: ['kind'] } },
        ...{ condition: '<', threshold: 1 },
      });
    }
  }
  for (let i = 0; i < 5; i++) {
    add(`busy_${i}`, {
      ...{ metric: `load.time.${i}.count`, aggregation: 'increase', window_seconds: 120 },
      ...{ condition: '>', threshold: 1e6 },
    });
    add(`peak_${i}`, {
      ...{ metric: `load.gauge.${i}`, aggregation: 'p95', window_seconds: 60 },
      ...{ condition: '>', threshold: 99 },
    });
  }
  const own = Object.keys(rules).length;
  if (own !== RULES - SHIPPED_RULES) throw new Error(`${own} rules of the load, wanted ${RULES - SHIPPED_RULES}`);
  return rules;
}
