// What a command of the CLI is: its declaration (which parser and help read) and its work.
import type { LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Host } from '../hosts/port.ts';
import type { Logger } from '../ops/logs.ts';

/** One flag: `--name VALUE`, `--name=VALUE`, or `--name` alone for a boolean (`--no-name` turns it off). */
export interface OptionSpec {
  /** Long name without dashes, in kebab-case. */
  readonly name: string;
  readonly kind: 'string' | 'number' | 'boolean';
  /** What stands for the value in the help, e.g. `FILE`. */
  readonly placeholder?: string | undefined;
  readonly summary: string;
  /** Configuration key that the flag sets, e.g. `health_server.port`: it then wins over file and environment. */
  readonly setting?: string | undefined;
  /** Text that may be given several times; the values come joined by commas. Else the last one counts. */
  readonly repeatable?: boolean | undefined;
}

export interface PositionalSpec {
  /** As written in the help, e.g. `agent.ts`. */
  readonly name: string;
  readonly summary: string;
  readonly required?: boolean | undefined;
}

/** What was typed after the command's name. Flags that were not typed are undefined. */
export interface ParsedArguments {
  readonly positionals: readonly string[];
  /** Value of a declared flag; a `RangeError` when the command does not declare it with this kind. */
  string(name: string): string | undefined;
  number(name: string): number | undefined;
  boolean(name: string): boolean | undefined;
}

export interface CommandContext {
  readonly host: Host;
  readonly args: ParsedArguments;
  /** Defaults, then file, environment, flags. For a command with `configuration: 'none'` the defaults alone. */
  readonly config: Config;
  /** Where each value came from, by its key. */
  readonly origins: LoadedConfig['origins'];
  /** Writes to standard error at the configured level. */
  readonly log: Logger;
  readonly version: string;
  /** Reads the configuration again, from `file` instead of the one that was asked for; throws `UserError`. */
  readonly loadConfig: (file?: string) => Promise<LoadedConfig>;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What follows `syrinx`, e.g. `start [agent.ts] [options]`. */
  readonly usage: string;
  readonly options: readonly OptionSpec[];
  readonly positionals: readonly PositionalSpec[];
  /** `none`: runs even when the configuration is broken. Default `load`. */
  readonly configuration?: 'load' | 'none' | undefined;
  /** Lines under the help, e.g. examples. */
  readonly notes?: readonly string[] | undefined;
  /** Resolves to the exit code. Failures that the user can mend are thrown as `UserError`. */
  run(context: CommandContext): Promise<number>;
}
