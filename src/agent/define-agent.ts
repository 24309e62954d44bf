// The agent a user writes: instructions, tools, and what differs from the defaults.
import type { OfferHandler } from '../livekit/job.ts';
import type { AgentSession } from './agent-session.ts';
import type { ToolSpec } from './messages.ts';
import type { StandardSchema, ToolDefinition, ToolParameters } from './tool.ts';

/** Everything that makes one agent; what is left out takes the configured default. */
export interface AgentDefinition {
  /** Shown in ledgers, logs and metrics; 1 to 255 characters. Default: the configured agent name. */
  readonly name?: string | undefined;
  /** What the model is told about its task; 1 to 10 000 characters. */
  readonly instructions: string;
  /** Spoken when the call begins. Without it the agent waits for the caller. */
  readonly greeting?: string | undefined;
  readonly tools?: readonly ToolDefinition[] | undefined;
  /** Voice of the text-to-speech model. */
  readonly voice?: string | undefined;
  /** Language of the caller (ISO 639-1), told to the recognizer. */
  readonly language?: string | undefined;
  /** Called when a session begins, before anything is said: the place for `session.on(...)`. What it throws ends nothing. */
  readonly onSession?: ((session: AgentSession) => unknown) | undefined;
  /** Asked about each job from LiveKit for which there is room: takes it or not, and says who the agent is in that room. What it
   *  throws, or leaves undecided for 5 s, is a no. Default: every job is taken. */
  readonly accept?: OfferHandler | undefined;
}

/** An agent that was checked. */
export interface Agent extends AgentDefinition {
  readonly tools: readonly ToolDefinition[];
}

/** The lengths come from the specification's data model (requirements F-01, F-05). */
const MAX_NAME = 255;
const MAX_INSTRUCTIONS = 10_000;
const MAX_DESCRIPTION = 500;
const MAX_TIMEOUT_MS = 300_000;
const KEYS = ['name', 'instructions', 'greeting', 'tools', 'voice', 'language', 'onSession', 'accept'];

/**
 * Checks an agent and freezes it. Default-export the result from `agent.ts`.
 *
 * @throws TypeError naming every field that is wrong and what is wanted.
 */
export function defineAgent(definition: AgentDefinition): Agent {
  if (typeof definition !== 'object' || definition === null)
    throw new TypeError('Cannot define an agent: an object with "instructions" is needed');
  const problems: string[] = [];
  for (const key of Object.keys(definition))
    if (!KEYS.includes(key)) problems.push(`"${key}" is not known; the fields are ${KEYS.join(', ')}`);
  const { name, instructions, greeting, voice, language, tools = [] } = definition;
  if (!isText(instructions, MAX_INSTRUCTIONS))
    problems.push(`"instructions" must be a text of 1 to ${MAX_INSTRUCTIONS} characters`);
  if (name !== undefined && !isText(name, MAX_NAME))
    problems.push(`"name" must be a text of 1 to ${MAX_NAME} characters`);
  for (const [key, value] of Object.entries({ greeting, voice, language })) {
    if (value !== undefined && !isText(value, MAX_INSTRUCTIONS)) problems.push(`"${key}" must be a text`);
  }
  for (const key of ['onSession', 'accept'] as const)
    if (definition[key] !== undefined && typeof definition[key] !== 'function')
      problems.push(`"${key}" must be a function`);
  if (!Array.isArray(tools)) problems.push('"tools" must be a list of tools');
  else problems.push(...toolProblems(tools));
  if (problems.length > 0) throw new TypeError(`Cannot define the agent: ${problems.join('; ')}`);
  return Object.freeze({ ...definition, tools: Object.freeze([...tools]) });
}

/**
 * Checks one tool. The same as writing the object itself into `tools`, but it fails where it is written.
 *
 * @throws TypeError naming every field that is wrong.
 */
export function tool(definition: ToolDefinition): ToolDefinition {
  const problems = toolProblems([definition]);
  if (problems.length > 0) throw new TypeError(`Cannot define the tool: ${problems.join('; ')}`);
  return Object.freeze({ ...definition });
}

/** The tools as a model sees them. */
export function toolSpecs(tools: readonly ToolDefinition[]): (ToolSpec & { readonly interruptible: boolean })[] {
  return tools.map(({ name, description, parameters, interruptible }) => ({
    name,
    description,
    parameters: jsonSchema(parameters),
    interruptible: interruptible === true,
  }));
}

function isText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= max;
}

function toolProblems(tools: readonly ToolDefinition[]): string[] {
  const problems: string[] = [];
  const names = new Set<string>();
  for (const [i, t] of tools.entries()) {
    const place = isText(t?.name, 64) ? `tool "${t.name}"` : `tool ${i + 1}`;
    if (typeof t !== 'object' || t === null) {
      problems.push(`${place} must be an object`);
      continue;
    }
    if (typeof t.name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(t.name))
      problems.push(`${place}: "name" must be 1 to 64 letters, digits, _ or -`);
    if (names.has(t.name)) problems.push(`${place}: the name is used twice`);
    names.add(t.name);
    if (!isText(t.description, MAX_DESCRIPTION))
      problems.push(`${place}: "description" must be a text of 1 to ${MAX_DESCRIPTION} characters`);
    if (typeof t.run !== 'function') problems.push(`${place}: "run" must be a function`);
    const limit = t.timeoutMs;
    if (limit !== undefined && !(limit > 0 && limit <= MAX_TIMEOUT_MS))
      problems.push(`${place}: "timeoutMs" must be from 1 to ${MAX_TIMEOUT_MS}`);
    try {
      jsonSchema(t.parameters);
    } catch (error) {
      problems.push(`${place}: ${(error as Error).message}`);
    }
  }
  return problems;
}

function jsonSchema(parameters: ToolParameters | undefined): Record<string, unknown> {
  if (parameters === undefined) return { type: 'object', properties: {} };
  if (typeof parameters !== 'object' || parameters === null)
    throw new TypeError('"parameters" must be a JSON Schema or a Standard Schema');
  if (!('~standard' in parameters)) return parameters as Record<string, unknown>;
  const convert = (parameters as StandardSchema)['~standard'].jsonSchema?.input;
  if (convert === undefined)
    throw new TypeError('"parameters" has no JSON Schema output; give a plain JSON Schema or a library that has it');
  return convert({ target: 'draft-2020-12' });
}
