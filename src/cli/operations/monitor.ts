// Puts the real-time monitor to work: it reads the calls' meters and the sampler's gauges, by one timer while there are calls.
import type { Config } from '../../config/schema.ts';
import { nearest } from '../../config/nearest.ts';
import {
  createMonitorInstruments,
  MonitorDesk,
  provideMonitorDesk,
  readThresholds,
  systemReader,
} from '../../ops/monitor/index.ts';
import type { Logger } from '../../ops/logs.ts';
import type { RouteExtension } from '../../server/options.ts';
import { monitorRoutes } from '../../server/routes/monitor.ts';
import type { Runtime } from '../compose.ts';
import type { MeteredCall } from './session-meter.ts';

export interface MonitorWiring {
  readonly config: Config;
  readonly runtime: Pick<Runtime, 'meters' | 'registry'> & { readonly calls: ReadonlyMap<string, MeteredCall> };
  readonly log: Logger;
  readonly clock: { now(): number; setTimer(run: () => void, delayMs: number): () => void };
  readonly epochNowMs?: (() => number) | undefined;
}

export interface RunningMonitor {
  readonly desk: MonitorDesk;
  readonly routes: RouteExtension;
  /** Ends streams, monitors and the timer. */
  stop(): void;
}

/** From now on calls of this runtime are watched, and `RealtimeMonitor.start` works. Null where the monitor is off. */
export function startMonitor({ config, runtime, log, clock, epochNowMs = Date.now }: MonitorWiring) {
  const { calls, meters, registry } = runtime;
  if (meters === null) return null;
  const instruments = createMonitorInstruments(registry);
  const { latencyMs, qualityScore, memoryMb, memoryPercent, cpuPercent, errorRate } = config.monitoring.alertThresholds;
  const desk = new MonitorDesk({
    now: clock.now,
    setTimer: clock.setTimer,
    epochNowMs,
    sessions: () => meters.rows(calls, epochNowMs()),
    system: systemReader(registry),
    thresholds: readThresholds({ latencyMs, qualityScore, memoryMb, memoryPercent, cpuPercent, errorRate }, nearest),
    instruments,
    nearest,
    onError: (error) => log.error('monitor has no turn', { error }),
  });
  meters.follow(desk);
  provideMonitorDesk(desk);
  const routes = monitorRoutes({ now: epochNowMs, desk, instruments });
  const running: RunningMonitor = {
    desk,
    routes,
    stop() {
      meters.follow(undefined);
      provideMonitorDesk(undefined);
      routes.close?.();
      desk.stop();
    },
  };
  return running;
}
