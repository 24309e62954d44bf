// What others import of the alerts: the engine, the rules that come with it, the feed from the registry.
export { AlertEngine, type AlertEngineOptions, type AlertView, type Evaluation } from './engine.ts';
export { type AlertInstruments, createAlertInstruments } from './instruments.ts';
export type { Labels, Matcher } from './labels.ts';
export { catalogueOf, type MetricFact, registryFacts, SPECIFICATION_METRICS } from './metric-catalogue.ts';
export { DEFAULT_INHIBITIONS, type Inhibition, type Silence } from './muting.ts';
export type { Notice, Notification, Reason } from './notification.ts';
export { renderPrometheusRules } from './prometheus-rules.ts';
export { AlertRuleError, type Place, readAlertRule } from './read-rule.ts';
export { NewerRecordsError } from './records.ts';
export { RegistryFeed } from './registry-feed.ts';
export type { AlertRule } from './rule.ts';
export type { RuleProblem, Transition } from './rule-state.ts';
export { type Point, SampleStore } from './sample-store.ts';
export { SHIPPED_RULES, type ShippedRule } from './shipped-rules.ts';
