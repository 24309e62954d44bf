// The command line: finds the command, reads its arguments and the configuration, runs it, turns failures into text and code.
import { createLogger, type Logger } from '../ops/logs.ts';
import type { Host } from '../hosts/port.ts';
import { nearest } from '../config/nearest.ts';
import { GLOBAL_OPTIONS, parseArguments, splitCommand } from './arguments.ts';
import type { Command, CommandContext, ParsedArguments } from './command.ts';
import { VERSION } from './commands/version.ts';
import { EXIT } from './exit-codes.ts';
import { asUserError, formatUnexpected, formatUserError, UserError } from './user-error.ts';

/** Loaded when they are asked for, so that `healthcheck` does not pay for what `start` needs. */
export const COMMANDS: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  start: () => import('./commands/start.ts'),
  call: () => import('./commands/call.ts'),
  replay: () => import('./commands/replay.ts'),
  analyze: () => import('./commands/analyze.ts'),
  simulate: () => import('./commands/simulate.ts'),
  token: () => import('./commands/token.ts'),
  dispatch: () => import('./commands/dispatch.ts'),
  rooms: () => import('./commands/rooms.ts'),
  alerts: () => import('./commands/alerts.ts'),
  history: () => import('./commands/history.ts'),
  config: () => import('./commands/config.ts'),
  healthcheck: () => import('./commands/healthcheck.ts'),
  version: () => import('./commands/version.ts'),
};

/** Runs one command line (without the program's own name) and resolves to the exit code. */
export async function main(host: Host, args: readonly string[]): Promise<number> {
  const { command: name, rest } = splitCommand(args);
  const load = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  try {
    if (load === undefined) return await withoutCommand(host, name, rest);
    const { command } = await load();
    return await runCommand(host, command, parseArguments(rest, command));
  } catch (error) {
    const known = asUserError(error);
    if (known !== undefined) {
      host.printError(formatUserError(known, load === undefined ? undefined : name));
      return known.exitCode;
    }
    host.printError(formatUnexpected(error, asksForDebug(host, args)));
    return EXIT.general;
  }
}

async function withoutCommand(host: Host, name: string | undefined, rest: readonly string[]): Promise<number> {
  if (name !== undefined && name !== 'help') {
    const meant = nearest(name, Object.keys(COMMANDS));
    throw new UserError(`Unknown command '${name}'`, {
      exitCode: EXIT.config,
      problems: meant === undefined ? [] : [`did you mean '${meant}'?`],
    });
  }
  const args = parseArguments(rest, {
    options: [],
    positionals: name === 'help' ? [{ name: 'COMMAND', summary: '' }] : [],
  });
  const topic = args.positionals[0];
  if (topic !== undefined) return await main(host, [topic, '--help']);
  if (args.boolean('version') === true) {
    host.print(VERSION);
    return EXIT.success;
  }
  const { programHelp } = await import('./help.ts');
  // One command that can not be loaded on this host must not take the help away.
  const loaded = await Promise.allSettled(Object.values(COMMANDS).map((load) => load()));
  const commands = Object.keys(COMMANDS).map((name, i) => {
    const result = loaded[i];
    return result?.status === 'fulfilled'
      ? result.value.command
      : { name, summary: '(can not be loaded on this host)' };
  });
  const help = programHelp(VERSION, commands);
  if (name === 'help' || args.boolean('help') === true) {
    host.print(help);
    return EXIT.success;
  }
  host.printError(help);
  return EXIT.config;
}

async function runCommand(host: Host, command: Command, args: ParsedArguments): Promise<number> {
  if (args.boolean('help') === true) {
    const { commandHelp } = await import('./help.ts');
    host.print(commandHelp(command));
    return EXIT.success;
  }
  if (args.boolean('version') === true) {
    host.print(VERSION);
    return EXIT.success;
  }
  return await command.run(await createContext(host, command, args));
}

async function createContext(host: Host, command: Command, args: ParsedArguments): Promise<CommandContext> {
  const [{ readConfig }, { loadConfig }] = await Promise.all([
    import('../config/read.ts'),
    import('../config/load.ts'),
  ]);
  const flags = await settingFlags(command, args);
  const read = (file?: string) => readConfig(host, file ?? args.string('config'), flags);
  const { config, origins, warnings } = command.configuration === 'none' ? loadConfig({}) : await read();
  const log = createLog(host, config.logging);
  for (const warning of warnings) log.warn('configuration is odd', { warning });
  return { host, args, config, origins, log, version: VERSION, loadConfig: read };
}

function createLog(host: Host, logging: CommandContext['config']['logging']): Logger {
  return createLogger({
    level: logging.level,
    format: logging.format,
    includePii: logging.includePii,
    write: (line) => host.printError(line),
    now: Date.now,
  });
}

/** The typed flags that stand for a setting of the configuration. */
async function settingFlags(command: Command, args: ParsedArguments) {
  const [{ SETTINGS }, { readText }] = await Promise.all([
    import('../config/settings.ts'),
    import('../config/environment-values.ts'),
  ]);
  return [...GLOBAL_OPTIONS, ...command.options].flatMap((option) => {
    if (option.setting === undefined) return [];
    const typed = args[option.kind](option.name);
    const setting = SETTINGS.get(option.setting);
    if (setting === undefined) throw new RangeError(`Option '--${option.name}' stands for an unknown setting`);
    if (typed === undefined) return [];
    const value = typeof typed === 'string' ? readText(setting, typed) : typed;
    return [{ name: `--${option.name}`, key: option.setting, value }];
  });
}

function asksForDebug(host: Host, args: readonly string[]): boolean {
  const at = args.findIndex((arg) => arg === '--log-level' || arg.startsWith('--log-level='));
  const asked =
    at < 0 ? (host.env.SYRINX_LOGGING_LEVEL ?? host.env.LOG_LEVEL) : (args[at]?.split('=')[1] ?? args[at + 1]);
  return asked?.toLowerCase() === 'debug';
}
