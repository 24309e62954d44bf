// The alerts of the specification (ALR-02 to ALR-13) as they are watched out of the box, in the form in which users write theirs.

export interface ShippedRule {
  readonly name: string;
  /** Rows of the requirements. */
  readonly rows: readonly string[];
  readonly rule: Readonly<Record<string, unknown>>;
}

const WARNING = { severity: 'warning', notification_channels: ['email', 'webhook'] };
const CRITICAL = { severity: 'critical', notification_channels: ['pagerduty', 'slack'] };
/** Where each of them is explained. */
const RUNBOOK = 'docs/operations.md#';

function shipped(name: string, rows: readonly string[], topic: string, summary: string, rule: object): ShippedRule {
  const annotations = { summary, runbook: `${RUNBOOK}${name.replaceAll('_', '-')}` };
  return { name, rows, rule: { ...rule, labels: { topic }, annotations } };
}

export const SHIPPED_RULES: readonly ShippedRule[] = [
  shipped(
    'high_latency',
    ['ALR-02', 'ALR-07'],
    'latency',
    'Audio is processed {{ $value | printf "%.0f" }} ms late on average, for 5 minutes (limit 150 ms).',
    {
      metric: 'audio.processing.latency_ms',
      condition: 'greater_than',
      threshold: 150,
      duration_seconds: 300,
      ...WARNING,
    },
  ),
  shipped(
    'critical_errors',
    ['ALR-03'],
    'sessions',
    '{{ $value | humanizePercentage }} of the calls that ended failed (limit 10 %).',
    { metric: 'session.error_rate', condition: 'greater_than', threshold: 0.1, duration_seconds: 60, ...CRITICAL },
  ),
  shipped(
    'low_quality',
    ['ALR-04'],
    'quality',
    'Audio quality is {{ $value | printf "%.1f" }} of 5, for 2 minutes (limit 3.0).',
    { metric: 'audio.quality_score', condition: 'less_than', threshold: 3, duration_seconds: 120, ...WARNING },
  ),
  shipped(
    'memory_usage',
    ['ALR-05'],
    'memory',
    '{{ $value | printf "%.0f" }} % of the memory limit is in use, for 5 minutes (limit 80 %).',
    { metric: 'system.memory_percent', condition: 'greater_than', threshold: 80, duration_seconds: 300, ...CRITICAL },
  ),
  shipped(
    'cpu_usage',
    ['ALR-06'],
    'cpu',
    '{{ $value | printf "%.0f" }} % of all cores is in use, for 10 minutes (limit 70 %).',
    { metric: 'system.cpu_percent', condition: 'greater_than', threshold: 70, duration_seconds: 600, ...WARNING },
  ),
  shipped(
    'session_failures',
    ['ALR-08'],
    'sessions',
    '{{ $value | humanizePercentage }} of the calls that ended failed, for 2 minutes (limit 5 %).',
    { metric: 'session.error_rate', condition: 'greater_than', threshold: 0.05, duration_seconds: 120, ...WARNING },
  ),
  shipped(
    'api_failures',
    ['ALR-09'],
    'api',
    '{{ $value | humanizePercentage }} of the requests to {{ $labels.provider }} failed, for 1 minute (limit 10 %).',
    { metric: 'api.error_rate', condition: 'greater_than', threshold: 0.1, duration_seconds: 60, ...CRITICAL },
  ),
  shipped(
    'connection_issues',
    ['ALR-10'],
    'connections',
    '{{ $value | humanizePercentage }} of the WebRTC connections failed, for 5 minutes (limit 15 %).',
    {
      metric: 'connection.failure_rate',
      condition: 'greater_than',
      threshold: 0.15,
      duration_seconds: 300,
      ...WARNING,
    },
  ),
  shipped('disk_space', ['ALR-11'], 'disk', '{{ $value | printf "%.1f" }} % of the disk is free (limit 10 %).', {
    metric: 'system.disk_free_percent',
    condition: 'less_than',
    threshold: 10,
    duration_seconds: 0,
    ...CRITICAL,
  }),
  shipped(
    'network_saturation',
    ['ALR-12'],
    'network',
    '{{ $value | printf "%.0f" }} % of the link\'s capacity is in use (limit 90 %).',
    {
      metric: 'network.utilization_percent',
      condition: 'greater_than',
      threshold: 90,
      duration_seconds: 0,
      ...WARNING,
    },
  ),
  shipped(
    'queue_backlog',
    ['ALR-13'],
    'queue',
    '{{ $value | printf "%.0f" }} requests wait, for 1 minute (limit 100).',
    { metric: 'system.queue_size', condition: 'greater_than', threshold: 100, duration_seconds: 60, ...WARNING },
  ),
];
