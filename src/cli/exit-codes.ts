// What the process tells the shell; the same codes for every command (requirements 6.1).

export const EXIT = {
  success: 0,
  /** Anything without a code of its own. */
  general: 1,
  /** Wrong flags, wrong configuration, a file that is missing or broken. */
  config: 2,
  /** A server or provider does not answer. */
  connection: 3,
  /** A key or token is refused. */
  auth: 4,
  /** Memory, disk, ports, file handles. */
  resource: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
