// What others import of the alerts: the engine and what puts it to work, the rules that come with it, the feed from the registry.
export { AlertWatch, type AlertWatchOptions, createAlertWatch, type WatchNews } from './alert-watch.ts';
export { AlertEngine, type AlertEngineOptions, type Evaluation } from './engine.ts';
export type { AlertView } from './alert-view.ts';
export { type AlertInstruments, createAlertInstruments } from './instruments.ts';
export { GRANTED_CHANNELS } from './channel-names.ts';
export type { Labels, Matcher } from './labels.ts';
export {
  type Catalogue,
  catalogueOf,
  type MetricFact,
  registryCatalogue,
  registryFacts,
  SPECIFICATION_METRICS,
} from './metric-catalogue.ts';
export { DEFAULT_INHIBITIONS, type Inhibition, type Silence } from './muting.ts';
export type { Notice, Notification, Reason } from './notification.ts';
export { renderPrometheusRules } from './prometheus-rules.ts';
export { AlertRuleError, type Place, readAlertRule } from './read-rule.ts';
export { NewerRecordsError } from './records.ts';
export { readingsOf, RegistryFeed, type SeriesReading, type TakeReadings } from './registry-feed.ts';
export type { AlertRule } from './rule.ts';
export { keyFor } from './rule-keys.ts';
export type { RuleProblem, Transition } from './rule-state.ts';
export type { RuleView } from './rule-view.ts';
export { type Point, SampleStore } from './sample-store.ts';
export { LIMIT_OF_RULE, SHIPPED_RULES, type ShippedLimits, type ShippedRule, shippedRules } from './shipped-rules.ts';
export {
  readValues,
  type RuleSimulation,
  type SimulatedRule,
  SimulationError,
  simulateRule,
  simulation,
} from './simulate-rule.ts';
export { type AlertRuleDefinition, setAlertRule, takeUserRules } from './user-rules.ts';
