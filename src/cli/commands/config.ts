// `syrinx config`: shows the configuration in force, checks a file, prints the schema and the page about it.
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { nearest } from '../../config/nearest.ts';
import { UserError } from '../user-error.ts';

const ACTIONS = { show, validate, schema, docs } as const;

export const command: Command = {
  name: 'config',
  summary: 'Show, validate or describe the configuration.',
  usage: 'config show|validate|schema|docs [FILE] [--format text|json]',
  options: [
    { name: 'format', kind: 'string', placeholder: 'FORMAT', summary: 'Of show and validate: text (default) or json' },
  ],
  positionals: [
    {
      name: 'ACTION',
      required: true,
      summary:
        'show: values in force and where they came from; validate: check FILE with the environment; schema: JSON Schema; docs: reference page',
    },
    { name: 'FILE', summary: 'Configuration file, instead of --config' },
  ],
  configuration: 'none',
  run,
};

async function run(context: CommandContext): Promise<number> {
  const name = context.args.positionals[0] ?? '';
  if (!Object.hasOwn(ACTIONS, name)) {
    const meant = nearest(name, Object.keys(ACTIONS));
    throw new UserError(`Unknown action '${name}'`, {
      exitCode: EXIT.config,
      problems: [meant === undefined ? `wanted one of ${Object.keys(ACTIONS).join(', ')}` : `did you mean '${meant}'?`],
    });
  }
  const format = context.args.string('format') ?? 'text';
  if (format !== 'text' && format !== 'json') {
    throw new UserError('Command line is not valid', {
      exitCode: EXIT.config,
      problems: ['--format: wanted text or json'],
    });
  }
  await ACTIONS[name as keyof typeof ACTIONS](context, format);
  return EXIT.success;
}

type Format = 'text' | 'json';

async function show({ host, args, loadConfig }: CommandContext, format: Format): Promise<void> {
  const { configData, configText } = await import('../../config/describe.ts');
  const loaded = await loadConfig(args.positionals[1]);
  host.print(format === 'json' ? answer(configData(loaded)) : configText(loaded));
  if (format === 'text') for (const warning of loaded.warnings) host.printError(`Warning: ${warning}`);
}

async function validate({ host, args, loadConfig }: CommandContext, format: Format): Promise<void> {
  const file = args.positionals[1];
  const { SETTINGS } = await import('../../config/settings.ts');
  const { rulesOnTrust } = await import('../alerts/rules.ts');
  const loaded = await loadConfig(file);
  rulesOnTrust(loaded);
  const { origins, warnings } = loaded;
  const given = [...origins].filter(([key, { kind }]) => kind !== 'default' && SETTINGS.has(key)).length;
  if (format === 'json') host.print(answer({ valid: true, given, warnings }));
  else host.print(`Configuration is valid: ${given} settings given, the others by default`);
  if (format === 'text') for (const warning of warnings) host.printError(`Warning: ${warning}`);
}

async function schema({ host }: CommandContext): Promise<void> {
  const { configJsonSchema } = await import('../../config/describe.ts');
  host.print(JSON.stringify(configJsonSchema(), null, 2));
}

async function docs({ host }: CommandContext): Promise<void> {
  const { configurationPage } = await import('../../config/describe.ts');
  host.print(configurationPage().trimEnd());
}

/** The shape of every JSON answer of the command line (requirements 6.1). */
function answer(data: unknown): string {
  return JSON.stringify({ status: 'success', data, timestamp: new Date().toISOString() }, null, 2);
}
