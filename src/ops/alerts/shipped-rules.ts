// The alerts of the specification (ALR-02 to ALR-13) as they are watched out of the box, in the form in which users write theirs.

export interface ShippedRule {
  readonly name: string;
  /** Rows of the requirements. */
  readonly rows: readonly string[];
  readonly rule: Readonly<Record<string, unknown>>;
}

/** What of them can be set without writing a rule. Fractions and percents as the metrics have them. */
export interface ShippedLimits {
  readonly latencyMs: number;
  readonly qualityScore: number;
  readonly memoryPercent: number;
  readonly cpuPercent: number;
  /** Of calls that fail, before somebody is told; `critical_errors` has its own 10 %. */
  readonly errorRate: number;
}
export const SPECIFICATION_LIMITS: ShippedLimits = {
  latencyMs: 150,
  qualityScore: 3,
  memoryPercent: 80,
  cpuPercent: 70,
  errorRate: 0.05,
};

const WARNING = { severity: 'warning', notification_channels: ['email', 'webhook'] };
const CRITICAL = { severity: 'critical', notification_channels: ['pagerduty', 'slack'] };
/** Where each of them is explained. */
const RUNBOOK = 'docs/operations.md#';

function shipped(name: string, rows: readonly string[], topic: string, summary: string, rule: object): ShippedRule {
  const annotations = { summary, runbook: `${RUNBOOK}${name.replaceAll('_', '-')}` };
  return { name, rows, rule: { ...rule, labels: { topic }, annotations } };
}

/** 0.07 is 7, not 7.000000000000001. */
const percent = (fraction: number): number => Number((fraction * 100).toPrecision(12));

export const shippedRules = (limits: ShippedLimits = SPECIFICATION_LIMITS): readonly ShippedRule[] => [
  shipped(
    'high_latency',
    ['ALR-02', 'ALR-07'],
    'latency',
    `Audio is processed {{ $value | printf "%.0f" }} ms late on average, for 5 minutes (limit ${limits.latencyMs} ms).`,
    {
      metric: 'audio.processing.latency_ms',
      condition: 'greater_than',
      threshold: limits.latencyMs,
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
    `Audio quality is {{ $value | printf "%.1f" }} of 5, for 2 minutes (limit ${limits.qualityScore.toFixed(1)}).`,
    {
      metric: 'audio.quality_score',
      condition: 'less_than',
      threshold: limits.qualityScore,
      duration_seconds: 120,
      ...WARNING,
    },
  ),
  shipped(
    'memory_usage',
    ['ALR-05'],
    'memory',
    `{{ $value | printf "%.0f" }} % of the memory limit is in use, for 5 minutes (limit ${limits.memoryPercent} %).`,
    {
      metric: 'system.memory_percent',
      condition: 'greater_than',
      threshold: limits.memoryPercent,
      duration_seconds: 300,
      ...CRITICAL,
    },
  ),
  shipped(
    'cpu_usage',
    ['ALR-06'],
    'cpu',
    `{{ $value | printf "%.0f" }} % of all cores is in use, for 10 minutes (limit ${limits.cpuPercent} %).`,
    {
      metric: 'system.cpu_percent',
      condition: 'greater_than',
      threshold: limits.cpuPercent,
      duration_seconds: 600,
      ...WARNING,
    },
  ),
  shipped(
    'session_failures',
    ['ALR-08'],
    'sessions',
    `{{ $value | humanizePercentage }} of the calls that ended failed, for 2 minutes (limit ${percent(limits.errorRate)} %).`,
    {
      metric: 'session.error_rate',
      condition: 'greater_than',
      threshold: limits.errorRate,
      duration_seconds: 120,
      ...WARNING,
    },
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

/** With the specification's own limits. */
export const SHIPPED_RULES: readonly ShippedRule[] = shippedRules();

/** Where a limit stands in the configuration, for each rule that has one. */
export const LIMIT_OF_RULE: Readonly<Record<string, keyof ShippedLimits>> = {
  high_latency: 'latencyMs',
  low_quality: 'qualityScore',
  memory_usage: 'memoryPercent',
  cpu_usage: 'cpuPercent',
  session_failures: 'errorRate',
};
