// A failure that its reader can mend: what failed, why, what to do. Printed without a stack.
import { EXIT, type ExitCode } from './exit-codes.ts';

export interface UserErrorOptions {
  readonly exitCode?: ExitCode | undefined;
  /** One line each: `field: reason`. */
  readonly problems?: readonly string[] | undefined;
  readonly cause?: unknown;
}

/** Thrown by commands; `message` completes "ERROR: ". Never put a secret or what a caller said into it. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly exitCode: ExitCode;
  readonly problems: readonly string[];

  constructor(message: string, options: UserErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? EXIT.general;
    this.problems = options.problems ?? [];
  }
}

/** The text of requirements 6.1; `command` is the one whose help may help. */
export function formatUserError(error: UserError, command?: string): string {
  const help = `Use 'syrinx ${command === undefined ? '' : `${command} `}--help' for more information.`;
  return [`ERROR: ${error.message}`, ...error.problems.map((problem) => `  - ${problem}`), help].join('\n');
}
