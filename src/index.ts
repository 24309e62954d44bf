// What users import: `import { defineAgent, tool } from 'syrinx'`.
export { type Agent, type AgentDefinition, defineAgent, tool } from './agent/define-agent.ts';
export type { Message, ToolCall } from './agent/messages.ts';
export type { JobDescription, JobParticipant, OfferAnswer, OfferHandler } from './livekit/job.ts';
export { jobOf } from './livekit/open-jobs.ts';
export { roomOf } from './livekit/room/open-rooms.ts';
export type { DataHandler, RoomControl } from './livekit/room/room-control.ts';
export { type MeterProviderOptions, openMeterProvider } from './cli/telemetry/api-metrics.ts';
export type { StandardSchema, ToolContext, ToolDefinition, ToolParameters } from './agent/tool.ts';
export type { AgentSession, Rating, RatingKind } from './agent/agent-session.ts';
export type {
  SessionEventHandler,
  SessionEventName,
  SessionEvents,
  StageError,
  ToolEvent,
  TurnType,
} from './agent/session-events.ts';
export type { CheckAnswer, HealthCheckOptions, UserCheck } from './ops/health/user-checks.ts';
export type { Collected, CollectedPoint, Collector, CollectorOptions } from './ops/telemetry/collectors.ts';
export type { BusCounts, TelemetryHandler } from './ops/telemetry/event-bus.ts';
export type {
  EventPath,
  Measurements,
  TelemetryEventName,
  TelemetryEvents,
  TelemetryMetadata,
} from './ops/telemetry/events.ts';
export {
  attach,
  attachMany,
  detach,
  execute,
  Metrics,
  registerCollector,
  registerHealthCheck,
  unregisterCollector,
} from './ops/telemetry/user-api.ts';
export { type AlertRuleDefinition, setAlertRule } from './ops/alerts/user-rules.ts';
export { AlertRuleError } from './ops/alerts/read-rule.ts';
export type { MonitorOptions } from './ops/monitor/options.ts';
export {
  type MonitorEvent,
  type MonitorReport,
  type MonitorSnapshot,
  type MonitorTick,
  RealtimeMonitor,
} from './ops/monitor/realtime-monitor.ts';
export type { MonitorAlert } from './ops/monitor/thresholds.ts';
