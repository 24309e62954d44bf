// The shipped alerts as a rules file for Prometheus, for those who alert from there.
import type { MetricFact } from './metric-catalogue.ts';
import type { AlertRule } from './rule.ts';

const GROUP = 'syrinx';

/** YAML that `promtool check rules` accepts. Throws for a rule that Prometheus cannot evaluate. */
export function renderPrometheusRules(rules: readonly AlertRule[], metrics: ReadonlyMap<string, MetricFact>): string {
  const lines = [
    '# Alerts of the specification for Prometheus, made from the rules that the program itself evaluates. Do not edit.',
    '# Name your scrape job as you like; load it with `rule_files` and check it with `promtool check rules`.',
    'groups:',
    `  - name: ${GROUP}`,
    '    rules:',
  ];
  for (const rule of rules) {
    lines.push(`      - alert: ${rule.name}`, `        expr: ${quoted(expression(rule, metrics))}`);
    if (rule.forMs > 0) lines.push(`        for: ${duration(rule.forMs)}`);
    if (rule.keepFiringForMs > 0) lines.push(`        keep_firing_for: ${duration(rule.keepFiringForMs)}`);
    lines.push(...block('labels', rule.labels), ...block('annotations', rule.annotations));
  }
  return `${lines.join('\n')}\n`;
}

function expression(rule: AlertRule, metrics: ReadonlyMap<string, MetricFact>): string {
  const promql = metrics.get(rule.metric)?.promql;
  if (promql === undefined) throw new RangeError(`${rule.name}: Prometheus has no expression for ${rule.metric}`);
  if (rule.where.length > 0 || rule.windowMs > 0 || rule.across !== null || rule.condition === 'absent') {
    throw new RangeError(`${rule.name}: only a metric and a threshold can be written for Prometheus`);
  }
  if (rule.clearThreshold !== null || rule.noData !== 'ok') {
    throw new RangeError(`${rule.name}: Prometheus has neither clear_threshold nor no_data`);
  }
  return `${promql} ${rule.condition} ${rule.threshold}`;
}

function block(name: string, texts: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(texts);
  if (entries.length === 0) return [];
  return [`        ${name}:`, ...entries.map(([key, text]) => `          ${key}: ${quoted(text)}`)];
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function duration(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
