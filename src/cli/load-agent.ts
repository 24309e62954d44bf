// Finds the agent that a command is to run: a user's file, or a plain one.
import { type Agent, defineAgent } from '../agent/define-agent.ts';
import type { Host } from '../hosts/port.ts';
import { DEFAULT_SESSION_OPTIONS } from '../session/options.ts';
import { EXIT } from './exit-codes.ts';
import { UserError } from './user-error.ts';

/** Throws `UserError` when the file can not be used. Without a file: a plain agent that does not greet. */
export async function loadAgent(host: Host, file: string | undefined): Promise<Agent> {
  if (file === undefined) return defineAgent({ instructions: DEFAULT_SESSION_OPTIONS.instructions });
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
    return defineAgent(agent as Agent);
  } catch (error) {
    throw new UserError('Cannot use the agent', {
      exitCode: EXIT.config,
      problems: [`${file}: ${(error as Error).message}`],
      cause: error,
    });
  }
}
