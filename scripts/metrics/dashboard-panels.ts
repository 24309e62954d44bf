// What the shipped dashboards show: one list for Grafana (PromQL) and Datadog (its own names). `$S` stands for the selection of processes.
import { by, datadogPercentiles, mean, percentiles, quantile, type Row, total } from './panel-queries.ts';
import { ROOMS_AND_ALERTS } from './panels-of-rooms-and-alerts.ts';

export const ROWS: readonly Row[] = [
  {
    title: 'Calls',
    panels: [
      {
        title: 'Running calls',
        description: 'Calls that are running now.',
        unit: 'short',
        queries: [{ legend: '{{instance}}', promql: 'syrinx_sessions_active{$S}' }],
        datadog: ['sum:syrinx.sessions.active{$service,$env} by {host}'],
      },
      {
        title: 'Calls begun and ended',
        description: 'Per second; ended ones by outcome.',
        unit: 'cps',
        queries: [
          { legend: 'begun', promql: total('syrinx_sessions_started_total') },
          { legend: '{{outcome}}', promql: by('outcome', 'syrinx_sessions_ended_total') },
        ],
        datadog: [
          'sum:syrinx.sessions.started{$service,$env}.as_rate()',
          'sum:syrinx.sessions.ended{$service,$env} by {outcome}.as_rate()',
        ],
      },
      {
        title: 'Length of calls',
        description: 'Of calls that ended.',
        unit: 's',
        queries: [
          { legend: 'P50', promql: quantile(0.5, 'syrinx_session_duration_seconds') },
          { legend: 'P95', promql: quantile(0.95, 'syrinx_session_duration_seconds') },
        ],
        datadog: ['p50:syrinx.session.duration{$service,$env}', 'p95:syrinx.session.duration{$service,$env}'],
      },
      {
        title: 'Turns',
        description: 'Per second, by how they ended.',
        unit: 'ops',
        queries: [{ legend: '{{outcome}}', promql: by('outcome', 'syrinx_turns_ended_total') }],
        datadog: ['sum:syrinx.turns.ended{$service,$env} by {outcome}.as_rate()'],
      },
    ],
  },
  {
    title: 'What callers hear',
    panels: [
      {
        title: 'Response time',
        description: "From the caller's last voiced sample to the first audible one of the agent.",
        unit: 's',
        queries: percentiles('syrinx_conversation_response_seconds'),
        datadog: datadogPercentiles('syrinx.conversation.response'),
      },
      {
        title: 'Response time, by stage',
        description: 'Mean part of each stage; where the time of a turn goes.',
        unit: 's',
        queries: [{ legend: '{{stage}}', promql: mean('stage', 'syrinx_turn_stage_duration_seconds') }],
        datadog: ['avg:syrinx.turn.stage.duration{$service,$env} by {stage}'],
      },
      {
        title: 'Own part of the response time',
        description: 'Without providers and endpointing.',
        unit: 's',
        queries: percentiles('syrinx_agent_overhead_seconds'),
        datadog: datadogPercentiles('syrinx.agent.overhead'),
      },
      {
        title: 'Interruptions',
        description: 'Replies per second that callers interrupted, and those that went on since it was none.',
        unit: 'ops',
        queries: [
          { legend: 'interrupted', promql: total('syrinx_interruptions_total') },
          { legend: 'false', promql: total('syrinx_interruptions_false_total') },
        ],
        datadog: ['sum:syrinx.interruptions{$service,$env}.as_rate()'],
      },
    ],
  },
  {
    title: 'Audio',
    panels: [
      {
        title: 'Processing latency',
        description: 'Decision time of a frame less the time at which it was due: a blocked process shows here.',
        unit: 's',
        queries: percentiles('syrinx_audio_processing_seconds'),
        datadog: datadogPercentiles('syrinx.audio.processing'),
      },
      {
        title: 'Late frames',
        description: 'Share of 20 ms frames that were decided more than 20 ms late.',
        unit: 'percentunit',
        queries: [
          {
            legend: 'late',
            promql: `${total('syrinx_audio_frames_late_total')} / ${total('syrinx_audio_frames_total')}`,
          },
        ],
        datadog: ['sum:syrinx.audio.frames.late{$service,$env}.as_count()'],
      },
      {
        title: 'Time of one packet',
        description: 'From the transport to the decision.',
        unit: 's',
        queries: [
          { legend: 'P50', promql: quantile(0.5, 'syrinx_audio_cpu_seconds') },
          { legend: 'P99', promql: quantile(0.99, 'syrinx_audio_cpu_seconds') },
        ],
        datadog: ['p99:syrinx.audio.cpu{$service,$env}'],
      },
      {
        title: 'Event loop lag',
        description: 'Delay of a timer.',
        unit: 's',
        queries: [
          { legend: 'P50', promql: quantile(0.5, 'syrinx_event_loop_lag_seconds') },
          { legend: 'P99', promql: quantile(0.99, 'syrinx_event_loop_lag_seconds') },
        ],
        datadog: ['p99:syrinx.event.loop.lag{$service,$env}'],
      },
      {
        title: 'Signal quality',
        description:
          'Index of 1 to 5 of what callers sound like, over windows with speech: the mean, and what one in twenty is below.',
        unit: 'none',
        queries: [
          {
            legend: 'mean',
            promql: `${total('syrinx_audio_quality_index_sum')} / ${total('syrinx_audio_quality_index_count')}`,
          },
          { legend: 'P5', promql: quantile(0.05, 'syrinx_audio_quality_index') },
        ],
        datadog: ['avg:syrinx.audio.quality.index{$service,$env}'],
      },
      {
        title: 'Lost and late audio',
        description: 'Seconds of audio per second that jitter buffers missed, made up or dropped as too late.',
        unit: 'percentunit',
        queries: [{ legend: '{{what}}', promql: by('what', 'syrinx_jitter_audio_seconds_total') }],
        datadog: ['sum:syrinx.jitter.audio{$service,$env} by {what}.as_rate()'],
      },
      {
        title: 'Glitches of jitter buffers',
        description: 'Per second: holes, packets twice or out of order, buffers that ran dry or over.',
        unit: 'ops',
        queries: [{ legend: '{{what}}', promql: by('what', 'syrinx_jitter_events_total') }],
        datadog: ['sum:syrinx.jitter.events{$service,$env} by {what}.as_rate()'],
      },
      {
        title: 'Conversions of formats',
        description: 'Seconds of audio that a second of CPU converts, by kind and formats.',
        unit: 'none',
        queries: [
          {
            legend: '{{kind}} {{from}} to {{to}}',
            promql: `${by('kind, from, to', 'syrinx_conversion_audio_seconds_total')} / ${by('kind, from, to', 'syrinx_conversion_time_seconds_total')}`,
          },
        ],
        datadog: [
          'sum:syrinx.conversion.audio{$service,$env} by {kind,from,to}.as_count()',
          'sum:syrinx.conversion.time{$service,$env} by {kind,from,to}.as_count()',
        ],
      },
    ],
  },
  {
    title: 'Models and tools',
    panels: [
      {
        title: 'First part of an answer, P95',
        description: 'From the request to the first part of its answer, by stage.',
        unit: 's',
        queries: [{ legend: '{{stage}}', promql: quantile(0.95, 'syrinx_model_first_chunk_seconds', 'stage') }],
        datadog: ['p95:syrinx.model.first.chunk{$service,$env} by {stage}'],
      },
      {
        title: 'Whole answer, P95',
        description: 'From the request to the end of its answer, by stage.',
        unit: 's',
        queries: [{ legend: '{{stage}}', promql: quantile(0.95, 'syrinx_model_duration_seconds', 'stage') }],
        datadog: ['p95:syrinx.model.duration{$service,$env} by {stage}'],
      },
      {
        title: 'Requests to models',
        description: 'Per second, by stage and outcome; aborted ones were not wanted any more.',
        unit: 'reqps',
        queries: [{ legend: '{{stage}} {{outcome}}', promql: by('stage, outcome', 'syrinx_api_requests_total') }],
        datadog: ['sum:syrinx.api.requests{$service,$env} by {stage,outcome}.as_rate()'],
      },
      {
        title: 'Failures of models',
        description: 'Per second, by stage and kind.',
        unit: 'ops',
        queries: [{ legend: '{{stage}} {{kind}}', promql: by('stage, kind', 'syrinx_model_errors_total') }],
        datadog: ['sum:syrinx.model.errors{$service,$env} by {stage,kind}.as_rate()'],
      },
      {
        title: 'Tokens',
        description: 'Per second, as language models count them.',
        unit: 'ops',
        queries: [{ legend: '{{direction}}', promql: by('direction', 'syrinx_model_tokens_total') }],
        datadog: ['sum:syrinx.model.tokens{$service,$env} by {direction}.as_rate()'],
      },
      {
        title: 'Requests that run and wait',
        description: 'Requests to models under way, by stage, and everything that waits.',
        unit: 'short',
        queries: [
          { legend: '{{stage}}', promql: 'sum by (stage) (syrinx_model_requests_active{$S})' },
          { legend: 'waiting', promql: 'sum(syrinx_queue_size{$S})' },
        ],
        datadog: ['sum:syrinx.model.requests.active{$service,$env} by {stage}', 'sum:syrinx.queue.size{$service,$env}'],
      },
      {
        title: 'Tools',
        description: 'P95 of their time, by tool and outcome.',
        unit: 's',
        queries: [
          { legend: '{{tool}} {{outcome}}', promql: quantile(0.95, 'syrinx_tool_duration_seconds', 'tool, outcome') },
        ],
        datadog: ['p95:syrinx.tool.duration{$service,$env} by {tool,outcome}'],
      },
    ],
  },
  ...ROOMS_AND_ALERTS,
  {
    title: 'Machine',
    panels: [
      {
        title: 'CPU',
        description: 'Share of all cores: this process, and everything on the machine or in the container.',
        unit: 'percentunit',
        queries: [
          { legend: 'process {{instance}}', promql: 'syrinx_process_cpu_ratio{$S}' },
          { legend: 'all {{instance}}', promql: 'syrinx_system_cpu_ratio{$S}' },
        ],
        datadog: ['avg:syrinx.process.cpu{$service,$env}', 'avg:syrinx.system.cpu{$service,$env}'],
      },
      {
        title: 'Memory',
        description: 'Of this process, and what is in use of the limit.',
        unit: 'bytes',
        queries: [
          { legend: 'process {{instance}}', promql: 'memory_bytes{$S}' },
          { legend: 'in use {{instance}}', promql: 'syrinx_system_memory_used_bytes{$S}' },
          { legend: 'limit {{instance}}', promql: 'syrinx_system_memory_limit_bytes{$S}' },
        ],
        datadog: ['avg:memory{$service,$env}', 'avg:syrinx.system.memory.used{$service,$env}'],
      },
      {
        title: 'Network',
        description: 'Bytes per second of the machine.',
        unit: 'Bps',
        queries: [
          { legend: 'received', promql: total('syrinx_network_received_bytes_total') },
          { legend: 'sent', promql: total('syrinx_network_sent_bytes_total') },
        ],
        datadog: [
          'sum:syrinx.network.received{$service,$env}.as_rate()',
          'sum:syrinx.network.sent{$service,$env}.as_rate()',
        ],
      },
      {
        title: 'Free disk',
        description: 'Free share of the disk with the data directory.',
        unit: 'percentunit',
        queries: [{ legend: '{{instance}}', promql: 'syrinx_system_disk_free_ratio{$S}' }],
        datadog: ['min:syrinx.system.disk.free{$service,$env}'],
      },
      {
        title: 'HTTP requests',
        description: 'Per second, by route and status.',
        unit: 'reqps',
        queries: [{ legend: '{{route}} {{status}}', promql: by('route, status', 'http_requests_total') }],
        datadog: ['sum:http.requests{$service,$env} by {route,status}.as_rate()'],
      },
    ],
  },
];
