// The keys and words of an alert rule as people write it.
import { OPERATORS, type Operator } from './rule.ts';

/** What may stand as `condition`; Elixir's atoms (`:greater_than`) are taken too. */
export const RULE_CONDITIONS = [
  'greater_than',
  'greater_than_or_equal',
  'less_than',
  'less_than_or_equal',
  'equal',
  'equals',
  'not_equal',
  'absent',
  ...OPERATORS,
] as const;

export const CONDITIONS: Readonly<Record<string, Operator | 'absent'>> = {
  greater_than: '>',
  greater_than_or_equal: '>=',
  less_than: '<',
  less_than_or_equal: '<=',
  equal: '==',
  equals: '==',
  not_equal: '!=',
  absent: 'absent',
  ...Object.fromEntries(OPERATORS.map((operator) => [operator, operator])),
};
export const SEVERITIES = ['info', 'warning', 'error', 'critical'];
export const NO_DATA = ['ok', 'keep', 'alert'] as const;
export const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export const KEYS = [
  'metric',
  'condition',
  'threshold',
  'clear_threshold',
  'duration_seconds',
  'keep_firing_for_seconds',
  'severity',
  'notification_channels',
  'where',
  'aggregation',
  'window_seconds',
  'across',
  'no_data',
  'labels',
  'annotations',
  'runbook_url',
  'group_by',
  'group_wait_seconds',
  'group_interval_seconds',
  'repeat_interval_seconds',
  'max_instances',
  'enabled',
] as const;
export type Key = (typeof KEYS)[number];

/** `durationSeconds` and `duration_seconds` are one key. */
const snakeCase = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const SYNONYMS: Readonly<Record<string, Key>> = { channels: 'notification_channels', for_seconds: 'duration_seconds' };

/** The key that was meant, whichever way it is written. */
export function keyFor(written: string): string {
  const plain = snakeCase(written);
  return Object.hasOwn(SYNONYMS, plain) ? (SYNONYMS[plain] ?? plain) : plain;
}

export const isKey = (key: string | undefined): key is Key => KEYS.some((one) => one === key);
