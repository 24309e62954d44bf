// JSON views of several processes as one: counts are summed, means weighted by what they are means of, and what cannot be known is null.

type Fields = Readonly<Record<string, unknown>>;
/** What one process answered. */
export interface Part {
  readonly process: number;
  readonly body: Fields;
}

/** Sum of what is known; null where nothing is. */
export function total(values: readonly unknown[]): number | null {
  const known = values.filter((value) => typeof value === 'number');
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
}

/** Mean of pairs of a mean and the count behind it; null where nothing was counted. */
export function weighted(pairs: readonly (readonly [unknown, unknown])[], digits = 3): number | null {
  let sum = 0;
  let count = 0;
  for (const [mean, of] of pairs) {
    if (typeof mean !== 'number' || typeof of !== 'number') continue;
    sum += mean * of;
    count += of;
  }
  return count === 0 ? null : rounded(sum / count, digits);
}

function rounded(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}

const at = (fields: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((value, name) => (isFields(value) ? value[name] : undefined), fields);
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);

/** DSH-01..11 of all processes. Percentiles of several processes cannot be made of theirs: each process has its own. */
export function mergeDashboards(parts: readonly Part[]): Fields {
  const each = (...path: string[]) => parts.map(({ body }) => at(body, ...path));
  const trend = (name: string) => trendOf(parts.map(({ body }) => at(body, 'performance_trends', name)));
  const [started, ended, failed, turns, responses, interruptions] = [
    trend('sessions_started'),
    trend('sessions_ended'),
    trend('sessions_failed'),
    trend('turns'),
    trend('responses'),
    trend('interruptions'),
  ];
  const share = (when: 'current' | 'previous', of: 'failed' | 'fine'): number | null => {
    const [all, bad] = [ended[when], failed[when]];
    if (all === null || bad === null || all === 0) return null;
    return rounded(of === 'failed' ? bad / all : 1 - bad / all, 4);
  };
  const response = (when: 'current' | 'previous') =>
    weighted(
      parts.map(({ body }) => [
        at(body, 'performance_trends', 'response_time_ms', when),
        at(body, 'performance_trends', 'responses', when),
      ]),
      1,
    );
  const rss = total(each('system', 'memory_usage', 'rss_bytes'));
  // One machine or container: its limit and its load are the same for all.
  const limit = first(each('system', 'memory_usage', 'limit_bytes'));
  return {
    overview: {
      active_sessions: total(each('overview', 'active_sessions')),
      success_rate: share('current', 'fine'),
      avg_response_time: response('current'),
      error_rate: share('current', 'failed'),
    },
    system: {
      cpu_usage: {
        process: total(each('system', 'cpu_usage', 'process')),
        system: first(each('system', 'cpu_usage', 'system')),
      },
      memory_usage: {
        rss_bytes: rss,
        limit_bytes: limit,
        share: rss === null || !limit ? null : rounded(rss / limit, 4),
      },
      active_connections: {
        http: total(each('system', 'active_connections', 'http')),
        websocket: total(each('system', 'active_connections', 'websocket')),
        media: total(each('system', 'active_connections', 'media')),
      },
      queue_size: total(each('system', 'queue_size')),
    },
    performance_trends: {
      window_seconds: first(each('performance_trends', 'window_seconds')),
      response_time_ms: {
        ...changed(response('current'), response('previous')),
        percentiles_since_start: parts.map(({ process, body }) => ({
          process,
          ...(at(body, 'performance_trends', 'response_time_ms', 'percentiles_since_start') as object | null),
        })),
      },
      success_rate: changed(share('current', 'fine'), share('previous', 'fine')),
      error_rate: changed(share('current', 'failed'), share('previous', 'failed')),
      sessions_started: started,
      sessions_ended: ended,
      sessions_failed: failed,
      turns,
      responses,
      interruptions,
    },
    top_errors: topErrors(each('top_errors')),
    worker_status: parts.flatMap(({ process, body }) =>
      listOf(body.worker_status).map((worker) => ({ process, ...worker })),
    ),
  };
}

interface Trend {
  readonly current: number | null;
  readonly previous: number | null;
  readonly change_percent: number | null;
}

function trendOf(trends: readonly unknown[]): Trend {
  return changed(total(trends.map((one) => at(one, 'current'))), total(trends.map((one) => at(one, 'previous'))));
}

function changed(current: number | null, previous: number | null): Trend {
  const isKnown = current !== null && previous !== null && previous !== 0;
  return { current, previous, change_percent: isKnown ? rounded((100 * (current - previous)) / previous, 1) : null };
}

function first(values: readonly unknown[]): number | null {
  return values.find((value) => typeof value === 'number') ?? null;
}

const TOP_ERRORS = 10;

function topErrors(lists: readonly unknown[]): readonly { readonly type: string; readonly count: number }[] {
  const byType = new Map<string, number>();
  for (const { type, count } of lists.flatMap(listOf)) {
    if (typeof type === 'string' && typeof count === 'number') byType.set(type, (byType.get(type) ?? 0) + count);
  }
  return [...byType]
    .map(([type, count]) => ({ type, count }))
    .sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1))
    .slice(0, TOP_ERRORS);
}

/** The contract's `Metrics` object of all processes. */
export function mergeJsonMetrics(parts: readonly Part[]): Fields {
  const each = (...path: string[]) => parts.map(({ body }) => at(body, ...path));
  const mean = (group: string, name: string, ...counts: readonly string[]) =>
    weighted(parts.map(({ body }) => [at(body, group, name), total(counts.map((count) => at(body, group, count)))]));
  const sums = (group: string, ...names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, total(each(group, name))]));
  const lengths = mean('jobs', 'average_duration_ms', 'completed_jobs', 'failed_jobs');
  const usage = new Map<string, number>();
  for (const { tool_name: name, call_count: count } of each('tools', 'tools_by_usage').flatMap(listOf)) {
    if (typeof name === 'string' && typeof count === 'number') usage.set(name, (usage.get(name) ?? 0) + count);
  }
  return {
    jobs: {
      ...sums('jobs', 'total_jobs', 'active_jobs', 'completed_jobs', 'failed_jobs'),
      average_duration_ms: lengths,
    },
    sessions: {
      ...sums('sessions', 'total_sessions', 'active_sessions', 'messages_processed'),
      average_session_duration_ms: lengths,
    },
    audio: {
      ...sums('audio', 'audio_segments_processed', 'vad_activations'),
      average_processing_latency_ms: mean('audio', 'average_processing_latency_ms', 'audio_segments_processed'),
      // Of the calls that run: a process with more of them counts for more.
      audio_quality_score: weighted(
        parts.map(({ body }) => [at(body, 'audio', 'audio_quality_score'), at(body, 'sessions', 'active_sessions')]),
      ),
    },
    tools: {
      ...sums('tools', 'tool_calls_executed', 'tool_execution_errors'),
      average_tool_duration_ms: mean('tools', 'average_tool_duration_ms', 'tool_calls_executed'),
      tools_by_usage: [...usage]
        .map(([name, count]) => ({ tool_name: name, call_count: count }))
        .sort((a, b) => b.call_count - a.call_count || (a.tool_name < b.tool_name ? -1 : 1)),
    },
    system: {
      memory_usage_mb: total(each('system', 'memory_usage_mb')),
      cpu_usage_percent: total(each('system', 'cpu_usage_percent')),
      // Of the machine.
      network_bytes_sent: first(each('system', 'network_bytes_sent')),
      network_bytes_received: first(each('system', 'network_bytes_received')),
    },
  };
}

/** Tools are the same in all processes; how often they were used is not. */
export function mergeTools(parts: readonly Part[]): Fields {
  const byName = new Map<unknown, Fields[]>();
  for (const tool of parts.flatMap(({ body }) => listOf(body.tools))) {
    byName.set(tool.name, [...(byName.get(tool.name) ?? []), tool]);
  }
  const tools = [...byName.values()].map((same) => ({
    ...same[0],
    call_count: total(same.map((tool) => tool.call_count)),
    error_count: total(same.map((tool) => tool.error_count)),
    average_duration_ms: weighted(same.map((tool) => [tool.average_duration_ms, tool.call_count])),
  }));
  return { tools, total: tools.length };
}
