// A function that the model may call.
import type { AgentSession } from './agent-session.ts';

/** What a tool is given besides its arguments. */
export interface ToolContext {
  readonly sessionId: string;
  readonly turn: number;
  readonly callId: string;
  /** Aborted when the caller hangs up, the time limit passes, or (if `interruptible`) the caller interrupts. */
  readonly signal: AbortSignal;
  /** The session that called: events, speech, data shared by its tools. */
  readonly session: AgentSession;
}

/** A schema of any library that follows Standard Schema with JSON Schema output, or a plain JSON Schema object. */
export type ToolParameters = Readonly<Record<string, unknown>> | StandardSchema;
/** The part of https://standardschema.dev that tools need. */
export interface StandardSchema {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult | Promise<StandardResult>;
    readonly jsonSchema?: { readonly input: (options: { target: string }) => Record<string, unknown> } | undefined;
  };
}
export interface StandardResult {
  readonly value?: unknown;
  readonly issues?: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] | undefined;
}

/** A function of the user: name and description for the model, the shape of its arguments, and what it does. */
export interface ToolDefinition {
  /** `[a-zA-Z0-9_-]{1,64}`, unique within an agent. */
  readonly name: string;
  readonly description: string;
  readonly parameters?: ToolParameters | undefined;
  /** Limit for one run in ms; default 60 000, at most 300 000. */
  readonly timeoutMs?: number | undefined;
  /** False (default): an interruption does not stop it and its result still reaches the model. */
  readonly interruptible?: boolean | undefined;
  /** The result is given to the model as text (strings as they are, anything else as JSON). An error's message goes to the model too. */
  readonly run: (args: any, context: ToolContext) => unknown;
}
