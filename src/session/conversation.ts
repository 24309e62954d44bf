// What has been said, as the model is told it.
export type { Message, ToolCall, ToolSpec } from '../agent/messages.ts';
