// Panels about calls from LiveKit and about alerts.
import { by, mean, quantile, type Row, total } from './panel-queries.ts';

export const ROOMS_AND_ALERTS: readonly Row[] = [
  {
    title: 'LiveKit',
    panels: [
      {
        title: 'Jobs',
        description: 'Agents that are registered with the server, and jobs that run and are reserved.',
        unit: 'short',
        queries: [
          { legend: 'registered', promql: 'sum(syrinx_livekit_registrations{$S})' },
          { legend: 'running', promql: 'sum(syrinx_livekit_jobs_running{$S})' },
          { legend: 'reserved', promql: 'sum(syrinx_livekit_jobs_reserved{$S})' },
        ],
        datadog: ['sum:syrinx.livekit.registrations{$service,$env}', 'sum:syrinx.livekit.jobs.running{$service,$env}'],
      },
      {
        title: 'Offers',
        description: 'Jobs per second that the server offered, that were accepted, and ended ones by outcome.',
        unit: 'ops',
        queries: [
          { legend: 'offered', promql: total('syrinx_livekit_offers_total') },
          { legend: 'accepted', promql: total('syrinx_livekit_offers_accepted_total') },
          { legend: 'ended {{outcome}}', promql: by('outcome', 'syrinx_livekit_jobs_ended_total') },
        ],
        datadog: [
          'sum:syrinx.livekit.offers{$service,$env}.as_rate()',
          'sum:syrinx.livekit.offers.accepted{$service,$env}.as_rate()',
          'sum:syrinx.livekit.jobs.ended{$service,$env} by {outcome}.as_rate()',
        ],
      },
      {
        title: 'Time to join, P95',
        description: 'From an offer to its assignment, and from there until the voice is published in the room.',
        unit: 's',
        queries: [
          { legend: 'assignment', promql: quantile(0.95, 'syrinx_livekit_assignment_wait_seconds') },
          { legend: 'room', promql: quantile(0.95, 'syrinx_connection_setup_seconds') },
        ],
        datadog: ['p95:syrinx.livekit.assignment.wait{$service,$env}', 'p95:syrinx.connection.setup{$service,$env}'],
      },
      {
        title: 'Lines',
        description: 'Per second: rooms that were joined or not, lines that were lost, and that stand again.',
        unit: 'ops',
        queries: [
          { legend: '{{outcome}}', promql: by('outcome', 'syrinx_connections_total') },
          { legend: 'lost', promql: total('syrinx_connection_outages_total') },
          { legend: 'back by {{by}}', promql: by('by', 'syrinx_connection_recoveries_total') },
        ],
        datadog: [
          'sum:syrinx.connections{$service,$env} by {outcome}.as_rate()',
          'sum:syrinx.connection.outages{$service,$env}.as_rate()',
          'sum:syrinx.connection.recoveries{$service,$env} by {by}.as_rate()',
        ],
      },
      {
        title: 'Round trip and jitter, P95',
        description: 'To the LiveKit server, each second of each call.',
        unit: 's',
        queries: [
          { legend: 'round trip', promql: quantile(0.95, 'syrinx_connection_rtt_seconds') },
          { legend: 'jitter {{direction}}', promql: quantile(0.95, 'syrinx_connection_jitter_seconds', 'direction') },
          { legend: 'jitter buffer', promql: quantile(0.95, 'syrinx_connection_jitter_buffer_seconds') },
        ],
        datadog: [
          'p95:syrinx.connection.rtt{$service,$env}',
          'p95:syrinx.connection.jitter{$service,$env} by {direction}',
          'p95:syrinx.connection.jitter.buffer{$service,$env}',
        ],
      },
      {
        title: 'Loss',
        description: "Share of the packets that were lost, and of the caller's audio that had to be made up; means.",
        unit: 'percentunit',
        queries: [
          { legend: '{{direction}}', promql: mean('direction', 'syrinx_connection_loss') },
          {
            legend: 'made up',
            promql: `${total('syrinx_connection_concealed_sum')} / ${total('syrinx_connection_concealed_count')}`,
          },
        ],
        datadog: [
          'avg:syrinx.connection.loss{$service,$env} by {direction}',
          'avg:syrinx.connection.concealed{$service,$env}',
        ],
      },
    ],
  },
  {
    title: 'Alerts',
    panels: [
      {
        title: 'Alerts by state',
        description: 'What is pending, firing, or fires without anybody being told.',
        unit: 'short',
        queries: [{ legend: '{{state}}', promql: 'sum by (state) (syrinx_alerts_active{$S})' }],
        datadog: ['sum:syrinx.alerts.active{$service,$env} by {state}'],
      },
      {
        title: 'Changes of alerts',
        description: 'In the range, by rule and what it became.',
        unit: 'short',
        queries: [{ legend: '{{rule}} {{to}}', promql: by('rule, to', 'syrinx_alerts_transitions_total') }],
        datadog: ['sum:syrinx.alerts.transitions{$service,$env} by {rule,to}.as_count()'],
      },
      {
        title: 'Notifications',
        description: 'Attempts per second by channel and outcome, and what waits.',
        unit: 'ops',
        queries: [
          { legend: '{{channel}} {{outcome}}', promql: by('channel, outcome', 'syrinx_notify_attempts_total') },
          { legend: 'waiting {{channel}}', promql: 'sum by (channel) (syrinx_notify_queued{$S})' },
        ],
        datadog: [
          'sum:syrinx.notify.attempts{$service,$env} by {channel,outcome}.as_rate()',
          'sum:syrinx.notify.queued{$service,$env} by {channel}',
        ],
      },
      {
        title: 'Time of notifications, P95',
        description: 'Of one attempt, by channel.',
        unit: 's',
        queries: [{ legend: '{{channel}}', promql: quantile(0.95, 'syrinx_notify_duration_seconds', 'channel') }],
        datadog: ['p95:syrinx.notify.duration{$service,$env} by {channel}'],
      },
    ],
  },
];
