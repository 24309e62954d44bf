// What `--help` prints, for the program and for each command.
import { GLOBAL_OPTIONS } from './arguments.ts';
import type { Command, OptionSpec } from './command.ts';

const WIDTH = 100;

export function programHelp(version: string, commands: readonly Pick<Command, 'name' | 'summary'>[]): string {
  return [
    `syrinx ${version}: real-time voice agents`,
    '',
    'Usage: syrinx COMMAND [options]',
    '',
    'Commands:',
    ...table(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Options of every command:',
    ...table(GLOBAL_OPTIONS.map(optionRow)),
    '',
    "Use 'syrinx COMMAND --help' for more about a command.",
  ].join('\n');
}

export function commandHelp(command: Command): string {
  const lines = [`Usage: syrinx ${command.usage}`, '', command.summary];
  if (command.positionals.length > 0) {
    lines.push('', 'Arguments:', ...table(command.positionals.map(({ name, summary }) => [name, summary])));
  }
  if (command.options.length > 0) lines.push('', 'Options:', ...table(command.options.map(optionRow)));
  lines.push('', 'Options of every command:', ...table(GLOBAL_OPTIONS.map(optionRow)));
  if (command.notes !== undefined && command.notes.length > 0) lines.push('', ...command.notes);
  return lines.join('\n');
}

function optionRow({ name, kind, placeholder, summary }: OptionSpec): readonly [string, string] {
  return [`--${name}${kind === 'boolean' ? '' : ` ${placeholder ?? (kind === 'number' ? 'N' : 'TEXT')}`}`, summary];
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const left = Math.min(30, Math.max(0, ...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, about]) => {
    const [first = '', ...more] = wrap(about, WIDTH - left - 4);
    const indent = ' '.repeat(left + 4);
    // A long name stands on a line of its own.
    const head = name.length > left ? [`  ${name}`, `${indent}${first}`] : [`  ${name.padEnd(left)}  ${first}`];
    return [...head, ...more.map((line) => `${indent}${line}`)];
  });
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 1 <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
