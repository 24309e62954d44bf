// What the real-time monitor sees of this program: its calls and its process, as plain data.
import type { Config } from '../../config/schema.ts';
import type { Host } from '../../hosts/port.ts';
import { type MonitorSource, provideMonitorSource } from '../../ops/monitor/realtime-monitor.ts';
import type { Runtime } from '../compose.ts';

/** From now on `RealtimeMonitor.start` watches calls of this runtime; returns how to end that. Off: nothing is provided. */
export function provideMonitor(
  host: Host,
  config: Config,
  runtime: Runtime,
  clock: Pick<MonitorSource, 'now' | 'setTimer'>,
) {
  if (!config.monitoring.realTimeEnabled || !config.telemetry.enabled) return () => {};
  let before: { readonly atMs: number; readonly cpuMicros: number } | undefined;
  provideMonitorSource({
    now: clock.now,
    setTimer: clock.setTimer,
    session(id) {
      const running = runtime.calls.get(id);
      if (running === undefined) return undefined;
      const { framesIn, framesLate, frameLatencyMs } = running.call.session;
      const heard: Record<string, number> = framesIn > 0 ? { latency_ms: frameLatencyMs } : {};
      return {
        id,
        components: {
          audio_processor: { ...heard, frames: framesIn, frames_late: framesLate },
          session: { turns: running.turns },
        },
      };
    },
    system() {
      const bytes = host.facts.memoryBytes();
      const cpuMicros = host.facts.cpuMicros();
      const cores = host.facts.cores();
      const atMs = clock.now();
      const last = before;
      before = cpuMicros === null ? undefined : { atMs, cpuMicros };
      const isKnown = last !== undefined && cpuMicros !== null && cores !== null && atMs - last.atMs >= 100;
      return {
        memoryMb: bytes === null ? undefined : bytes / 2 ** 20,
        cpuPercent: isKnown ? (cpuMicros - last.cpuMicros) / 10 / (atMs - last.atMs) / cores : undefined,
      };
    },
  });
  return () => provideMonitorSource(undefined);
}
