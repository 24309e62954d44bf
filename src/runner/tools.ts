// Runs the functions that the model calls: checked arguments, a time limit, and errors that go back to the model.
import type { ToolContext, ToolDefinition } from '../agent/tool.ts';
import type { Clock } from './clock.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_TIMEOUT_MS = 300_000;
/** Longer results are cut: they would fill the model's context. */
const MAX_OUTPUT_CHARS = 16_000;

export interface ToolOutcome {
  readonly output: string;
  readonly isError: boolean;
}

/** Never rejects: what goes wrong is an outcome that the model can read. */
export async function runTool(
  tool: ToolDefinition | undefined,
  call: { name: string; arguments: string },
  context: ToolContext,
  clock: Clock,
): Promise<ToolOutcome> {
  if (tool === undefined) return failure(`There is no tool named '${call.name}'`);
  let args: unknown;
  try {
    args = call.arguments.trim() === '' ? {} : JSON.parse(call.arguments);
  } catch {
    return failure(`The arguments of '${call.name}' are not valid JSON`);
  }
  try {
    return { output: asText(await limited(tool, args, context, clock)), isError: false };
  } catch (error) {
    return failure(error instanceof Error ? error.message : String(error));
  }
}

function failure(message: string): ToolOutcome {
  return { output: `Error: ${message}`.slice(0, MAX_OUTPUT_CHARS), isError: true };
}

/** The checked value; throws what is wrong with it. */
async function checkArguments(tool: ToolDefinition, args: unknown): Promise<unknown> {
  const schema = tool.parameters;
  if (schema === undefined) return args;
  if ('~standard' in schema) {
    const result = await (schema as { '~standard': { validate(v: unknown): unknown } })['~standard'].validate(args);
    const { value, issues } = result as { value?: unknown; issues?: readonly { message: string }[] };
    if (issues === undefined) return value;
    throw new Error(`Wrong arguments: ${issues.map((i) => i.message).join('; ')}`);
  }
  if (typeof args !== 'object' || args === null || Array.isArray(args))
    throw new Error('Wrong arguments: an object is needed');
  const required = Array.isArray(schema.required) ? schema.required : [];
  const missing = required.filter((key) => !(String(key) in args));
  if (missing.length > 0) throw new Error(`Wrong arguments: missing ${missing.join(', ')}`);
  return args;
}

/** Checks the arguments and runs the tool, both within its time. */
function limited(tool: ToolDefinition, args: unknown, context: ToolContext, clock: Clock): Promise<unknown> {
  const limitMs = Math.min(MAX_TIMEOUT_MS, tool.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(() => {
      controller.abort();
      settle(() => reject(new Error(`'${tool.name}' did not end within ${limitMs} ms`)));
    }, limitMs);
    const stop = () => {
      controller.abort();
      settle(() => reject(new Error(`'${tool.name}' was cancelled`)));
    };
    const settle = (done: () => void) => {
      cancel();
      context.signal.removeEventListener('abort', stop);
      done();
    };
    if (context.signal.aborted) return stop();
    context.signal.addEventListener('abort', stop, { once: true });
    checkArguments(tool, args)
      // Nobody waits any more: it must not begin.
      .then((checked) =>
        controller.signal.aborted ? undefined : tool.run(checked, { ...context, signal: controller.signal }),
      )
      .then(
        (value) => settle(() => resolve(value)),
        (error) => settle(() => reject(error)),
      );
  });
}

function asText(output: unknown): string {
  const text = typeof output === 'string' ? output : (JSON.stringify(output) ?? '');
  return text.length > MAX_OUTPUT_CHARS ? `${text.slice(0, MAX_OUTPUT_CHARS)} (cut)` : text;
}
