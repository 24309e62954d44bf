// The agent a user writes: instructions, tools, and what differs from the defaults.
import type { ToolDefinition } from './tool.ts';

export interface AgentDefinition {
  /** Shown in ledgers, logs and metrics; at most 255 characters. */
  readonly name?: string | undefined;
  /** What the model is told about its task; 1 to 10 000 characters. */
  readonly instructions: string;
  /** Spoken when the call begins. Without it the agent waits for the caller. */
  readonly greeting?: string | undefined;
  readonly tools?: readonly ToolDefinition[] | undefined;
  /** Voice of the text-to-speech model. */
  readonly voice?: string | undefined;
  readonly language?: string | undefined;
}
