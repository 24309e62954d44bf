// The contract's `Metrics` object (requirements 9), read out of a snapshot. Null: not measured; fields a runtime cannot know are absent.
import type { MetricSnapshot } from '../../metrics/index.ts';
import { Readings, rounded } from './readings.ts';

export interface JsonMetricsFacts {
  /** Resident memory of this process in bytes. */
  readonly memoryBytes: number | null;
}

const MEGABYTE = 1024 * 1024;
/** Tools by usage: more than an agent should have, and a bound. */
const MAX_TOOLS = 200;

export function jsonMetrics(snapshot: readonly MetricSnapshot[], facts: JsonMetricsFacts): Record<string, unknown> {
  const read = new Readings(snapshot);
  const ms = (seconds: number | null) => rounded(seconds === null ? null : seconds * 1000);
  const started = read.count('syrinx.sessions.started');
  const active = read.value('syrinx.sessions.active');
  const failed = read.value('syrinx.sessions.ended', { outcome: 'failed' });
  const ended = read.value('syrinx.sessions.ended');
  const averageMs = ms(read.mean('syrinx.session.duration'));
  const quality = read.value('syrinx.audio.quality.score');
  return {
    jobs: {
      total_jobs: started,
      active_jobs: active,
      completed_jobs: ended === null ? 0 : ended - (failed ?? 0),
      failed_jobs: failed ?? 0,
      average_duration_ms: averageMs,
    },
    sessions: {
      total_sessions: started,
      active_sessions: active,
      messages_processed: read.count('syrinx.turns.completed'),
      average_session_duration_ms: averageMs,
    },
    audio: {
      audio_segments_processed: read.count('syrinx.audio.frames'),
      average_processing_latency_ms: ms(read.mean('syrinx.audio.processing')),
      vad_activations: read.value('syrinx.vad.activations'),
      // The contract's scale is 0 to 1 (C-11).
      audio_quality_score: rounded(quality === null ? null : quality / 5),
    },
    tools: toolMetrics(read),
    system: {
      memory_usage_mb: facts.memoryBytes === null ? null : rounded(facts.memoryBytes / MEGABYTE, 1),
      cpu_usage_percent: percent(read.value('syrinx.process.cpu')),
      network_bytes_sent: read.value('syrinx.network.sent'),
      network_bytes_received: read.value('syrinx.network.received'),
    },
  };
}

function toolMetrics(read: Readings): Record<string, unknown> {
  const usage = toolUsage(read).slice(0, MAX_TOOLS);
  const mean = read.mean('syrinx.tool.duration');
  return {
    tool_calls_executed: read.value('syrinx.tools.executed') ?? 0,
    tool_execution_errors: read.value('syrinx.tools.executed', { outcome: 'error' }) ?? 0,
    average_tool_duration_ms: rounded(mean === null ? null : mean * 1000),
    tools_by_usage: usage.map(({ name, calls }) => ({ tool_name: name, call_count: calls })),
  };
}

export interface ToolUsage {
  readonly name: string;
  readonly calls: number;
  readonly errors: number;
  /** Null before the first call. */
  readonly averageMs: number | null;
}

/** Tools that have run, the most used first. */
export function toolUsage(read: Readings): ToolUsage[] {
  const byName = new Map<string, { calls: number; errors: number; sum: number }>();
  for (const one of read.all('syrinx.tool.duration')) {
    if (one.kind !== 'histogram') continue;
    const { tool = '', outcome } = one.labels;
    const entry = byName.get(tool) ?? { calls: 0, errors: 0, sum: 0 };
    entry.calls += one.count;
    entry.sum += one.sum;
    if (outcome === 'error') entry.errors += one.count;
    byName.set(tool, entry);
  }
  return [...byName]
    .map(([name, { calls, errors, sum }]) => ({
      name,
      calls,
      errors,
      averageMs: calls === 0 ? null : rounded((sum / calls) * 1000),
    }))
    .sort((a, b) => b.calls - a.calls || (a.name < b.name ? -1 : 1));
}

export function percent(ratio: number | null): number | null {
  return rounded(ratio === null ? null : ratio * 100, 1);
}
