// What users import: `import { defineAgent, tool } from 'syrinx'`.
export { type Agent, type AgentDefinition, defineAgent, tool } from './agent/define-agent.ts';
export type { Message, ToolCall } from './agent/messages.ts';
export type { StandardSchema, ToolContext, ToolDefinition, ToolParameters } from './agent/tool.ts';
