// The process and the machine as the sampler has measured them, out of the registry.
import { GaugeHandle, HistogramHandle, type Registry } from '../../metrics/index.ts';
import { SYSTEM_FIGURES, systemColumnOf } from './figures.ts';

/** Gauges in base units, and what one of the figure's units is of them. */
const GAUGES = [
  { column: systemColumnOf('memory_mb'), metric: 'memory', factor: 2 ** -20 },
  { column: systemColumnOf('memory_percent'), metric: 'syrinx.system.memory', factor: 100 },
  { column: systemColumnOf('cpu_percent'), metric: 'syrinx.system.cpu', factor: 100 },
  { column: systemColumnOf('process_cpu_percent'), metric: 'syrinx.process.cpu', factor: 100 },
] as const;
const LAG = 'syrinx.event.loop.lag';

/** Returns what reads `SYSTEM_FIGURES`; NaN: not measured. The array is used again. */
export function systemReader(registry: Registry): () => Float64Array {
  const out = new Float64Array(SYSTEM_FIGURES.length);
  const handles = new Map<string, GaugeHandle | HistogramHandle>();
  let lagCount = Number.NaN;
  let lagSum = 0;

  /** Instruments are declared when what measures them starts. */
  function handleOf(metric: string): unknown {
    const known = handles.get(metric);
    if (known !== undefined) return known;
    const handle = registry.families().find(({ name }) => name === metric)?.series[0]?.handle;
    if (handle instanceof GaugeHandle || handle instanceof HistogramHandle) handles.set(metric, handle);
    return handle;
  }

  return () => {
    out.fill(Number.NaN);
    for (const { column, metric, factor } of GAUGES) {
      const handle = handleOf(metric);
      if (handle instanceof GaugeHandle) out[column] = (handle.value ?? Number.NaN) * factor;
    }
    const lag = handleOf(LAG);
    if (lag instanceof HistogramHandle) {
      const { count, sum } = lag.sketch;
      // Mean of the second that has passed.
      if (count > lagCount) out[systemColumnOf('loop_lag_ms')] = (1000 * (sum - lagSum)) / (count - lagCount);
      lagCount = count;
      lagSum = sum;
    }
    return out;
  };
}
