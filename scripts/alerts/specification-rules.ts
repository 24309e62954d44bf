// The specification's two calls of `set_alert_rule`, word for word but for the language.
import type { AlertRuleDefinition } from '../../src/index.ts';

type Call = readonly [name: string, rule: AlertRuleDefinition];

export const HIGH_LATENCY: Call = [
  'high_latency',
  {
    metric: 'audio.processing.latency_ms',
    condition: 'greater_than',
    threshold: 150, // Alert if > 150ms
    duration_seconds: 300, // Sustained for 5 minutes
    severity: 'warning',
    notification_channels: ['email', 'webhook'],
  },
];

export const CRITICAL_ERRORS: Call = [
  'critical_errors',
  {
    metric: 'session.error_rate',
    condition: 'greater_than',
    threshold: 0.1, // Alert if > 10% error rate
    duration_seconds: 60, // Sustained for 1 minute
    severity: 'critical',
    notification_channels: ['pagerduty', 'slack'],
  },
];
