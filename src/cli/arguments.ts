// Reads what was typed after a command's name: flags by their declaration, the rest as positionals, every mistake at once.
import { nearest } from '../config/nearest.ts';
import type { Command, OptionSpec, ParsedArguments } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { UserError } from './user-error.ts';

/** Flags of every command. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'config',
    kind: 'string',
    placeholder: 'FILE',
    summary: 'Configuration file (JSON; comments are fine); else SYRINX_CONFIG',
  },
  {
    name: 'log-level',
    kind: 'string',
    placeholder: 'LEVEL',
    summary: 'debug, info, warn or error',
    setting: 'logging.level',
  },
  { name: 'help', kind: 'boolean', summary: 'Show this help (-h)' },
  { name: 'version', kind: 'boolean', summary: 'Show the version (-v)' },
];
const SHORT = new Map([
  ['-h', '--help'],
  ['-v', '--version'],
]);

type Value = string | number | boolean;
type Declared = Pick<Command, 'options' | 'positionals'>;

/** Splits `[global flags] COMMAND [rest]`; flags before the command mean the same as behind it. */
export function splitCommand(args: readonly string[]): { command: string | undefined; rest: string[] } {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (arg === '--') break;
    if (!arg.startsWith('-')) return { command: arg, rest: [...args.slice(0, i), ...args.slice(i + 1)] };
    const takesNext = GLOBAL_OPTIONS.some(({ name, kind }) => kind !== 'boolean' && arg === `--${name}`);
    if (takesNext) i++;
  }
  return { command: undefined, rest: [...args] };
}

/** Throws a `UserError` that lists all mistakes. A value is never part of a message unless it should be a number. */
export function parseArguments(args: readonly string[], declared: Declared): ParsedArguments {
  const options = new Map([...GLOBAL_OPTIONS, ...declared.options].map((option) => [option.name, option]));
  const values = new Map<string, Value>();
  const positionals: string[] = [];
  const problems: string[] = [];

  for (let i = 0; i < args.length; i++) {
    const arg = SHORT.get(args[i] ?? '') ?? args[i] ?? '';
    if (arg === '--') {
      positionals.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      positionals.push(arg);
      continue;
    }
    const equals = arg.indexOf('=');
    const typed = equals < 0 ? arg : arg.slice(0, equals);
    const found = lookUp(typed, options);
    if (found === undefined) {
      const meant = nearest(
        typed,
        [...options.keys()].map((name) => `--${name}`),
      );
      problems.push(`${typed}: unknown option${meant === undefined ? '' : `; did you mean '${meant}'?`}`);
      continue;
    }
    const { option, negated } = found;
    let text = equals < 0 ? undefined : arg.slice(equals + 1);
    if (option.kind !== 'boolean' && text === undefined && isValue(args[i + 1], option)) text = args[++i];
    const value = negated && text === undefined ? false : read(option, text);
    if (value === undefined) problems.push(`--${option.name}: ${complaint(option, text)}`);
    else if (option.repeatable === true && values.has(option.name))
      values.set(option.name, `${values.get(option.name)},${value}`);
    else values.set(option.name, value);
  }

  // Who asks for help need not have the rest right.
  const asksOnly = values.get('help') === true || values.get('version') === true;
  const required = declared.positionals.filter((one) => one.required === true);
  for (const { name } of required.slice(positionals.length)) problems.push(`${name}: missing`);
  for (const extra of positionals.slice(declared.positionals.length)) problems.push(`'${extra}': unexpected argument`);
  if (problems.length > 0 && !asksOnly) {
    throw new UserError('Command line is not valid', { exitCode: EXIT.config, problems });
  }

  const get = (name: string, kind: OptionSpec['kind']): Value | undefined => {
    const option = options.get(name);
    if (option?.kind !== kind) throw new RangeError(`Option '--${name}' is not declared as a ${kind}`);
    return values.get(name);
  };
  return {
    positionals,
    string: (name) => get(name, 'string') as string | undefined,
    number: (name) => get(name, 'number') as number | undefined,
    boolean: (name) => get(name, 'boolean') as boolean | undefined,
  };
}

function lookUp(typed: string, options: ReadonlyMap<string, OptionSpec>) {
  if (!typed.startsWith('--')) return undefined;
  const name = typed.slice(2);
  const option = options.get(name);
  if (option !== undefined) return { option, negated: false };
  const positive = name.startsWith('no-') ? options.get(name.slice(3)) : undefined;
  return positive?.kind === 'boolean' ? { option: positive, negated: true } : undefined;
}

/** A next word that begins with a dash is the next flag; `--name=-x` and negative numbers are values. */
function isValue(next: string | undefined, option: OptionSpec): next is string {
  if (next === undefined) return false;
  return !next.startsWith('-') || next === '-' || (option.kind === 'number' && /^-[\d.]/.test(next));
}

function read({ kind }: OptionSpec, text: string | undefined): Value | undefined {
  if (kind === 'boolean') return text === undefined || text === 'true' ? true : text === 'false' ? false : undefined;
  if (text === undefined || text === '') return undefined;
  if (kind === 'string') return text;
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : undefined;
}

function complaint({ kind, placeholder }: OptionSpec, text: string | undefined): string {
  if (kind === 'boolean') return 'wanted nothing, true or false';
  if (text === undefined || text === '') return `needs a value${placeholder === undefined ? '' : ` (${placeholder})`}`;
  return `wanted a number, got ${JSON.stringify(text.slice(0, 40))}`;
}
