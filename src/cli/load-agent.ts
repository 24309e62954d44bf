// Finds the agent that a command is to run: a user's file, or a plain one.
import { type Agent, defineAgent } from '../agent/define-agent.ts';
import type { Host } from '../hosts/port.ts';
import { DEFAULT_SESSION_OPTIONS } from '../session/options.ts';
import { EXIT } from './exit-codes.ts';
import { UserError } from './user-error.ts';

/** The agent of a file that holds one, else the first of several. */
export async function loadAgent(host: Host, file: string | undefined): Promise<Agent> {
  return (await loadAgents(host, file))[0];
}

/** Throws `UserError` when the file can not be used. Without a file: a plain agent that does not greet. */
export async function loadAgents(host: Host, file: string | undefined): Promise<readonly [Agent, ...Agent[]]> {
  if (file === undefined) return [defineAgent({ instructions: DEFAULT_SESSION_OPTIONS.instructions })];
  let module: Record<string, unknown>;
  try {
    module = await host.importModule(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`Cannot load the agent`, {
      exitCode: EXIT.config,
      problems: [`${file}: ${reason}`],
      cause: error,
    });
  }
  const agent = module.default ?? module.agent;
  if (agent === undefined) {
    throw new UserError('Cannot load the agent', {
      exitCode: EXIT.config,
      problems: [`${file}: has no default export; write "export default defineAgent({ instructions: '...' })"`],
    });
  }
  try {
    const [first, ...more] = (Array.isArray(agent) ? agent : [agent]).map((one) => defineAgent(one as Agent));
    if (first === undefined) throw new TypeError('The list of agents is empty');
    const names = new Set([first, ...more].map(({ name }) => name));
    if (more.length > 0 && (names.has(undefined) || names.size <= more.length))
      throw new TypeError('Each of several agents needs a name of its own');
    return [first, ...more];
  } catch (error) {
    throw new UserError('Cannot use the agent', {
      exitCode: EXIT.config,
      problems: [`${file}: ${(error as Error).message}`],
      cause: error,
    });
  }
}
