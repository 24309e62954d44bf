// The specification row by row: what it says in short, and which test holds it, or why none does.
// One line each: `ID | what it says | proof`. A proof is `path under test/ > part of a title` (several with `;`), or one of
// `external: why`, `benchmark: what measures it`, `not built: what is missing`.

const TABLE = `
LAT-01 | Audio processing < 50 ms per chunk | specification/throughput.test.ts > LAT-01..07
LAT-02 | ... critical at 100 ms | specification/throughput.test.ts > LAT-01..07
LAT-03 | ... from audio input to processed output | specification/tracked.test.ts > LAT-03, LAT-10; metrics/calls.test.ts > a loop that is blocked for 400 ms
LAT-04 | PCM16 processing at most 15 ms | benchmarks/regression.test.ts > LAT-04 to LAT-07
LAT-05 | VAD at most 8 ms per chunk | benchmarks/regression.test.ts > LAT-04 to LAT-07
LAT-06 | Buffer management at most 3 ms | benchmarks/regression.test.ts > LAT-04 to LAT-07
LAT-07 | Format conversion < 1 ms | benchmarks/regression.test.ts > LAT-04 to LAT-07
LAT-08 | Own part of the response < 100 ms (C-01 b) | benchmark: own part of the response, p95, in simulated calls
LAT-09 | ... critical at 200 ms | benchmark: own part of the response, worst, in simulated calls
LAT-10 | Response measured from the caller's audio to the agent's | specification/tracked.test.ts > LAT-03, LAT-10
LAT-11 | Audio input 5 ms | benchmarks/regression.test.ts > LAT-04 to LAT-07, LAT-11
LAT-12 | STT 50-150 ms | external: the provider's time
LAT-13 | LLM 200-800 ms | external: the provider's time
LAT-14 | TTS 50-200 ms | external: the provider's time
LAT-15 | Audio output 5 ms | benchmark: stages of a chunk
LAT-16 | Response P50 350 ms | external: mostly the provider's time; the distribution is syrinx_conversation_response_seconds
LAT-17 | Response P90 800 ms | external: mostly the provider's time
LAT-18 | Response P95 1200 ms | external: mostly the provider's time
LAT-19 | Response P99 2000 ms | external: mostly the provider's time
LAT-20 | LiveKit WebRTC below 100 ms | external: the network
LAT-21 | ... as round trip including processing | livekit/room/connection-quality.test.ts > the first poll knows
LAT-22 | Local network 10-30 ms | external: the network
LAT-23 | Regional CDN 50-80 ms | external: the network
LAT-24 | Global 100-150 ms | external: the network
LAT-25 | Whisper STT 50-300 ms | external: the provider's time
LAT-26 | GPT-4 LLM 200-1500 ms | external: the provider's time
LAT-27 | TTS 50-500 ms | external: the provider's time
LAT-28 | Realtime API 50-200 ms | external: the provider's time
THR-01 | 100+ concurrent sessions per worker | benchmarks/regression.test.ts > REG-02
THR-02 | < 200 ms own latency at that capacity | benchmark: capacity ramp
THR-03 | Scale-up signal at 75 sessions | specification/endpoints.test.ts > THR-03
THR-04 | 2-5 MB per session, 10 MB peak | benchmark: memory per session
THR-05 | 1-3 % of a core per session | benchmark: CPU per session
THR-06 | 50-200 kb/s per session | benchmark: bytes of a session (raw PCM16, C-05)
THR-07 | Agent creation 100+/s | benchmarks/regression.test.ts > REG-01
THR-08 | Tool registration 1000+/s | specification/throughput.test.ts > THR-08
THR-09 | Session initialization 50+/s | benchmarks/regression.test.ts > THR-09
THR-10 | 10+ messages/s per session | benchmarks/regression.test.ts > THR-09: sessions start, THR-10
RES-01 | Core 50-100 MB | benchmark: idle memory
RES-02 | 2-5 MB per session, 10 MB peak | benchmark: memory per session at 100
RES-03 | 1-2 MB per audio buffer | benchmark: not counted by this runtime; what waits is bounded in ms
RES-04 | Registry of 100 tools < 1 MB | benchmark: registry of 100 tools
RES-05 | Critical at 80 % of memory | ops/alerts/rules.test.ts > ALR-02 to ALR-13
RES-06 | Idle CPU 5-10 % | benchmark: CPU of the idle program
RES-07 | 1-3 % of a core per conversation | benchmark: CPU per session
RES-08 | 2-5 % of a core per stream | benchmark: CPU of audio per stream
RES-09 | Critical at 70 % of the CPU | ops/alerts/rules.test.ts > ALR-02 to ALR-13
RES-10 | 64-128 kbps per session | external: holds for encoded media (C-05); encoding is the transport's
RES-11 | API calls 1-10 kb | benchmark: bytes of a request
RES-12 | WebRTC overhead 20-40 kbps | external: the network
RES-13 | 10 Mbps for 100 sessions | external: holds for encoded media (C-05)
QUA-01 | Quality score > 4.0 of 5 | external: needs calls of real callers; the index is syrinx_audio_quality_score
QUA-02 | Automated assessment and user feedback | cli/telemetry/session-watch.test.ts > QUA-02; runner/quality-instruments.test.ts > gauges follow
QUA-03 | Clarity > 4.0 | external: needs calls of real callers
QUA-04 | Naturalness > 3.5 | external: only people can say; their ratings are taken (QUA-02)
QUA-05 | Intelligibility > 95 % of the words | external: needs references
QUA-06 | Background noise < 2 % | external: needs calls of real callers
AVL-01 | 99.9 % uptime = successful of all probes | ops/health/health-monitor.test.ts > AVL-01
AVL-02 | Measured by the health endpoint, shown in /status | specification/endpoints.test.ts > HLT-06
AVL-03 | Recovery of a component < 30 s | runner/breaker.test.ts > R-19; e2e/recovery.test.ts > what failed is back within 30 s; e2e/processes.test.ts > one process killed; e2e/livekit-start.test.ts > goes and comes back; e2e/history.test.ts > comes back
MON-01 | RealtimeMonitor starts | specification/monitor.test.ts > R-09, MON-01 to MON-04
MON-02 | session_pid | specification/monitor.test.ts > R-09, MON-01 to MON-04; ops/monitor/thresholds.test.ts > what does not exist is refused
MON-03 | components | specification/monitor.test.ts > R-09, MON-01 to MON-04; ops/monitor/thresholds.test.ts > what does not exist is refused
MON-04 | alert_thresholds as plain numbers | specification/monitor.test.ts > R-09, MON-01 to MON-04; ops/monitor/thresholds.test.ts > what does not exist is refused
MON-05 | latency_ms 150, above | specification/monitor.test.ts > MON-05; ops/monitor/thresholds.test.ts > MON-05, MON-07 to MON-09
MON-06 | quality_score 3.0, below | specification/monitor.test.ts > MON-06; ops/monitor/thresholds.test.ts > MON-06; ops/alerts/engine.test.ts > R-07, MON-06
MON-07 | memory_mb 500, above | specification/monitor.test.ts > MON-07, MON-08; ops/monitor/thresholds.test.ts > MON-05, MON-07 to MON-09
MON-08 | cpu_percent 70, above | specification/monitor.test.ts > MON-07, MON-08; ops/monitor/thresholds.test.ts > MON-05, MON-07 to MON-09
MON-09 | error_rate 0.05, above | specification/monitor.test.ts > MON-09; ops/monitor/thresholds.test.ts > MON-05, MON-07 to MON-09
MON-10 | Real-time metrics each 250 ms | ops/monitor/realtime-monitor.test.ts > MON-10 to MON-12; specification/monitor.test.ts > R-09, MON-01 to MON-04, MON-10
MON-11 | System metrics each second | ops/monitor/realtime-monitor.test.ts > MON-10 to MON-12; specification/monitor.test.ts > R-09, MON-01 to MON-04, MON-10
MON-12 | Reports each minute | ops/monitor/realtime-monitor.test.ts > MON-10 to MON-12; specification/monitor.test.ts > R-09, MON-01 to MON-04, MON-10
MON-13 | Health checks each 5 s | ops/health/health-monitor.test.ts > checks are looked at every 5 s; ops/monitor/realtime-monitor.test.ts > MON-10 to MON-12
MET-01 | Module Metrics, one store | metrics/registry.test.ts > R-01, R-12
MET-02 | In memory, fast, nothing lost in one millisecond | metrics/registry.test.ts > R-01, R-12
MET-03 | 24 h of detail | ops/history/history.test.ts > seconds and minutes of a counter
MET-04 | 30 days aggregated | ops/history/history.test.ts > days are merged
EVT-01 | session started {session_id, timestamp} | specification/telemetry.test.ts > EVT-01
EVT-02 | session turn_completed {session_id, duration_ms, messages_count} | specification/telemetry.test.ts > EVT-01, EVT-02
EVT-03 | audio processed {latency_ms, quality_score, chunk_size_bytes} | specification/telemetry.test.ts > EVT-01, EVT-02, EVT-03; cli/telemetry/session-watch.test.ts > the score of the newest window
EVT-04 | connection quality {latency_ms, packet_loss_percent, bandwidth_kbps} | specification/telemetry.test.ts > EVT-04
EVT-05 | session completed | specification/telemetry.test.ts > EVT-05
EVT-06 | tool executed | specification/telemetry.test.ts > EVT-06
EVT-07 | connection established | specification/telemetry.test.ts > EVT-07
TRK-01 | Session duration and lifecycle | specification/tracked.test.ts > TRK-01
TRK-02 | Turn completion and timing | specification/tracked.test.ts > TRK-02
TRK-03 | User engagement | specification/tracked.test.ts > TRK-03
TRK-04 | Errors and failures by type | specification/tracked.test.ts > TRK-04
TRK-05 | STT and TTS latency (accuracy needs references) | metrics/calls.test.ts > models: time to the first part
TRK-06 | Audio quality and degradation | runner/quality-instruments.test.ts > gauges follow
TRK-07 | Buffers and glitches | metrics/buffers.test.ts > TRK-07
TRK-08 | Format conversion efficiency | metrics/conversions.test.ts > TRK-08
TRK-09 | WebRTC quality and stability | livekit/room/room-instruments.test.ts > metrics of a line
TRK-10 | Network latency and loss by direction | livekit/room/room-instruments.test.ts > metrics of a line
TRK-11 | Reconnections and recovery time | livekit/room/room-instruments.test.ts > metrics of a line
TRK-12 | Time to establish a connection | livekit/room/room-instruments.test.ts > the summary of a call
TEL-01 | attach_many under one id, the five events | specification/telemetry.test.ts > TEL-01; ops/telemetry/event-bus.test.ts > R-14: the same id
TEL-02 | Metrics.handle_event with four arguments | specification/telemetry.test.ts > TEL-02
COL-01 | register_collector "database.connections" | specification/telemetry.test.ts > COL-01; ops/telemetry/collectors.test.ts > R-13: pairs
COL-02 | register_collector "business.conversion_rate" | specification/telemetry.test.ts > COL-02; ops/telemetry/collectors.test.ts > R-13: one that throws
HLT-01 | HealthServer answers, port 8080 by default | config/specification.test.ts > the defaults are those; hosts/serve.test.ts > HTTP with bodies
HLT-02 | GET /health | specification/endpoints.test.ts > HLT-02; cli/operations/health-report.test.ts > C-18
HLT-03 | GET /health/ready | specification/endpoints.test.ts > HLT-03
HLT-04 | GET /health/live | specification/endpoints.test.ts > HLT-04
HLT-05 | GET /metrics | specification/endpoints.test.ts > HLT-05
HLT-06 | GET /status | specification/endpoints.test.ts > HLT-06
HLT-07 | check_system_health | specification/endpoints.test.ts > HLT-07; cli/operations/health-report.test.ts > HLT-07
HLT-08 | check_external_services | specification/endpoints.test.ts > HLT-08; cli/operations/service-checks.test.ts > any answer proves
DSH-01 | overview.active_sessions | specification/endpoints.test.ts > DSH-01..11
DSH-02 | overview.success_rate | ops/views/views.test.ts > rates and means
DSH-03 | overview.avg_response_time | ops/views/views.test.ts > rates and means
DSH-04 | overview.error_rate | ops/views/views.test.ts > rates and means
DSH-05 | system.cpu_usage | specification/endpoints.test.ts > DSH-01..11; ops/views/views.test.ts > DSH-01..11
DSH-06 | system.memory_usage | specification/endpoints.test.ts > DSH-01..11
DSH-07 | system.active_connections | specification/endpoints.test.ts > DSH-01..11
DSH-08 | system.queue_size | specification/endpoints.test.ts > DSH-01..11; metrics/system.test.ts > what waits is one number
DSH-09 | performance_trends | ops/views/views.test.ts > rates and means
DSH-10 | top_errors | ops/views/views.test.ts > DSH-10
DSH-11 | worker_status | specification/endpoints.test.ts > DSH-01..11
VIS-01 | JSON | specification/endpoints.test.ts > VIS-01; ops/views/views.test.ts > the contract's metrics
VIS-02 | Prometheus | specification/endpoints.test.ts > VIS-02; metrics/registry.test.ts > the text format
VIS-03 | HTML dashboard | not built: pages in the browser
VIS-04 | Updated in real time over WebSocket | not built: pages in the browser
VIS-05 | ... or by polling | specification/endpoints.test.ts > DSH-01..11
VIS-06 | History: 24 h detailed | ops/history/history.test.ts > seconds and minutes of a counter; ops/history/long-ranges.test.ts > VIS-06
VIS-07 | History: 30 days aggregated | ops/history/history.test.ts > days are merged; ops/history/long-ranges.test.ts > VIS-07
ALR-01 | set_alert_rule(name, rule) | ops/alerts/engine.test.ts > ALR-01, ALR-02, ALR-03
ALR-02 | high_latency | ops/alerts/engine.test.ts > ALR-01, ALR-02, ALR-03
ALR-03 | critical_errors | ops/alerts/engine.test.ts > ALR-01, ALR-02, ALR-03
ALR-04 | Low quality < 3.0 for 2 min | ops/alerts/rules.test.ts > ALR-02 to ALR-13; ops/alerts/engine.test.ts > R-07
ALR-05 | Memory > 80 % for 5 min | ops/alerts/rules.test.ts > ALR-02 to ALR-13
ALR-06 | CPU > 70 % for 10 min | ops/alerts/rules.test.ts > ALR-02 to ALR-13
ALR-07 | High latency > 150 ms for 5 min | ops/alerts/engine.test.ts > C-04
ALR-08 | Session failures > 5 % for 2 min | ops/alerts/rules.test.ts > ALR-02 to ALR-13
ALR-09 | API failures > 10 % for 1 min | ops/alerts/rules.test.ts > ALR-02 to ALR-13
ALR-10 | Connection issues > 15 % for 5 min | ops/alerts/rules.test.ts > ALR-02 to ALR-13
ALR-11 | Disk < 10 % free | ops/alerts/rules.test.ts > ALR-02 to ALR-13
ALR-12 | Network > 90 % of the link | ops/alerts/rules.test.ts > ALR-02 to ALR-13
ALR-13 | Queue > 100 for 1 min | ops/alerts/rules.test.ts > ALR-02 to ALR-13
CHN-01 | Channel email | ops/notify/payloads.test.ts > CHN-01
CHN-02 | Channel webhook | ops/notify/payloads.test.ts > CHN-02
CHN-03 | Channel pagerduty | ops/notify/payloads.test.ts > CHN-03
CHN-04 | Channel slack | ops/notify/payloads.test.ts > CHN-04
OPT-01 | PerformanceOptimizer starts with target and profile | not built: the optimizer
OPT-02 | optimize_for_realtime changes something | not built: the optimizer
OPT-03 | Monitors and optimizes by itself | not built: the optimizer
CFG-01 | telemetry.enabled | config/specification.test.ts > R-10; metrics/switched-off.test.ts > CFG-01
CFG-02 | telemetry.metrics_interval_ms 1000 | config/specification.test.ts > R-10; metrics/switched-off.test.ts > CFG-02
CFG-03 | telemetry.export_interval_ms 60000 | config/specification.test.ts > R-10; metrics/switched-off.test.ts > CFG-03
CFG-04 | telemetry.retention_hours 24 | config/specification.test.ts > R-10
CFG-05 | health_server.enabled | config/specification.test.ts > R-10
CFG-06 | health_server.port 8080 | config/specification.test.ts > R-10; hosts/serve.test.ts > HTTP with bodies
CFG-07 | health_server.host "0.0.0.0" | config/specification.test.ts > R-10
CFG-08 | monitoring.real_time_enabled | config/specification.test.ts > R-10; specification/monitor.test.ts > CFG-08
CFG-09 | monitoring.alert_thresholds.latency_ms 150 | config/specification.test.ts > R-10; specification/monitor.test.ts > CFG-09 to CFG-12
CFG-10 | monitoring.alert_thresholds.error_rate 0.05 | config/specification.test.ts > R-10; specification/monitor.test.ts > CFG-09 to CFG-12
CFG-11 | monitoring.alert_thresholds.memory_percent 80 | config/specification.test.ts > R-10; specification/monitor.test.ts > CFG-09 to CFG-12
CFG-12 | monitoring.alert_thresholds.cpu_percent 70 | config/specification.test.ts > R-10; specification/monitor.test.ts > CFG-09 to CFG-12
DEP-01 | Container health check | rules/deploy.test.ts > DEP-01
DEP-02 | Kubernetes Deployment | rules/deploy.test.ts > DEP-02
DEP-03 | Liveness probe | rules/deploy.test.ts > DEP-02, DEP-03; specification/endpoints.test.ts > DEP-04
DEP-04 | Readiness probe | rules/deploy.test.ts > DEP-02, DEP-03, DEP-04; specification/endpoints.test.ts > DEP-04
BEN-01 | Benchmark script writes a report | benchmarks/report.test.ts > BEN-01
BEN-02 | Component initialization latency | benchmark: components, cold and warm
BEN-03 | Concurrent session capacity | benchmark: capacity ramp
BEN-04 | Memory profile | benchmark: idle, per session, peak
BEN-05 | Audio throughput | benchmark: stages of a chunk
BEN-06 | External API response times | benchmark: against simulated providers, so labelled
REG-01 | benchmark_agent_creation | benchmarks/regression.test.ts > REG-01
REG-02 | benchmark_session_capacity | benchmarks/regression.test.ts > REG-02
`;

/** A test that holds a row: its file under `test/`, and a part of its title. */
export interface Proof {
  readonly file: string;
  readonly title: string;
}
export type Reason = 'external' | 'benchmark' | 'not built';
export interface Row {
  readonly id: string;
  readonly says: string;
  readonly proofs: readonly Proof[];
  /** Where there is no test: why not. */
  readonly reason: Reason | null;
  readonly why: string;
}

/** A page that shows rows with their verdicts. */
export interface Page {
  readonly file: string;
  readonly head: string;
  readonly columns: string;
  /** Heading of each area, by the letters that its rows begin with. */
  readonly areas: Readonly<Record<string, string>>;
}

export const ROWS: readonly Row[] = rowsOf(TABLE);

export function rowsOf(table: string): readonly Row[] {
  return table.trim().split('\n').map(readRow);
}

function readRow(line: string): Row {
  const [id = '', says = '', proof = ''] = line.split(' | ');
  const [, reason, why = ''] = /^(external|benchmark|not built): (.+)$/.exec(proof) ?? [];
  if (reason !== undefined) return { id, says, proofs: [], reason: reason as Reason, why };
  const proofs = proof.split('; ').map((one) => {
    const at = one.indexOf(' > ');
    return { file: `test/${one.slice(0, at)}`, title: one.slice(at + 3) };
  });
  return { id, says, proofs, reason: null, why: '' };
}
