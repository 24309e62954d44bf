// What users import: `import { defineAgent, tool } from 'syrinx'`.
export { type Agent, type AgentDefinition, defineAgent, tool } from './agent/define-agent.ts';
export type { Message, ToolCall } from './agent/messages.ts';
export { roomOf } from './livekit/room/open-rooms.ts';
export type { DataHandler, RoomControl } from './livekit/room/room-control.ts';
export { type MeterProviderOptions, openMeterProvider } from './cli/api-metrics.ts';
export type { StandardSchema, ToolContext, ToolDefinition, ToolParameters } from './agent/tool.ts';
