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

/** What the codes of the operating system mean to a user. */
const SYSTEM: Readonly<Record<string, readonly [exitCode: ExitCode, reason: string]>> = {
  ENOENT: [EXIT.config, 'file or folder does not exist'],
  ENOTDIR: [EXIT.config, 'a part of the path is not a folder'],
  EISDIR: [EXIT.config, 'is a folder'],
  EACCES: [EXIT.config, 'permission is denied'],
  EPERM: [EXIT.config, 'operation is not permitted'],
  EROFS: [EXIT.config, 'file system is read-only'],
  EADDRNOTAVAIL: [EXIT.config, 'address does not belong to this machine'],
  EADDRINUSE: [EXIT.resource, 'port is in use; choose another one with --port'],
  ENOSPC: [EXIT.resource, 'disk is full'],
  EMFILE: [EXIT.resource, 'too many files are open'],
  ENOMEM: [EXIT.resource, 'memory is used up'],
  ECONNREFUSED: [EXIT.connection, 'connection is refused'],
  ECONNRESET: [EXIT.connection, 'connection was cut'],
  ENOTFOUND: [EXIT.connection, 'host name is unknown'],
  ETIMEDOUT: [EXIT.connection, 'no answer in time'],
};
/** Kinds of `ModelError`. */
const MODEL: Readonly<Record<string, ExitCode>> = {
  auth: EXIT.auth,
  quota: EXIT.auth,
  'rate-limit': EXIT.connection,
  unavailable: EXIT.connection,
  timeout: EXIT.connection,
  protocol: EXIT.connection,
};

/** The error as one that is printed without a stack, or undefined where it is a defect of the program. */
export function asUserError(error: unknown): UserError | undefined {
  if (error instanceof UserError) return error;
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'ConfigError' && 'problems' in error) {
    return new UserError(error.message, { exitCode: EXIT.config, problems: error.problems as string[], cause: error });
  }
  if (error.name === 'ModelError' && 'kind' in error && 'source' in error) {
    const exitCode = MODEL[String(error.kind)] ?? EXIT.general;
    return new UserError(`Model '${String(error.source)}' failed`, {
      exitCode,
      problems: [oneLine(error.message)],
      cause: error,
    });
  }
  const known = 'code' in error ? SYSTEM[String(error.code)] : undefined;
  if (known === undefined) return undefined;
  const path = 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  return new UserError('System call failed', {
    exitCode: known[0],
    problems: [path === undefined ? `${known[1]} (${oneLine(error.message)})` : `${path}: ${known[1]}`],
    cause: error,
  });
}

/** For `catch`: what failed and on which `subject`, as the user wrote it; errors that are not the system's own stay as they are. */
export function systemProblem(what: string, subject: string): (error: unknown) => never {
  return (error) => {
    const known = error instanceof Error && 'code' in error ? SYSTEM[String(error.code)] : undefined;
    if (known === undefined) throw error;
    throw new UserError(what, { exitCode: known[0], problems: [`${subject}: ${known[1]}`], cause: error });
  };
}

/** A defect in one line; its stack only when asked for. */
export function formatUnexpected(error: unknown, withStack: boolean): string {
  const what = error instanceof Error ? `${error.name}: ${oneLine(error.message)}` : oneLine(String(error));
  const stack = withStack && error instanceof Error ? `\n${error.stack ?? ''}` : '';
  const hint = withStack ? '' : '\nUse --log-level debug to see where it happened.';
  return `ERROR: Unexpected failure: ${what}${stack}${hint}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 500);
}
