// `syrinx simulate`: serves simulated models that speak OpenAI's wire.
import {
  createSimulatedOpenAi,
  loadRecordings,
  parseFault,
  parseScript,
  SIMULATE_FLAGS,
  type SimulatedServerOptions,
} from '../../models/simulated/index.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { UserError } from '../user-error.ts';

export const command: Command = {
  name: 'simulate',
  summary: "Serve simulated models that speak OpenAI's API",
  usage: 'simulate [options]',
  positionals: [],
  options: SIMULATE_FLAGS.map(({ flag, value, help }) => ({
    name: flag,
    kind: flag === 'port' || flag === 'seed' ? 'number' : 'string',
    placeholder: value,
    summary: help,
    repeatable: flag === 'fault',
  })),
  configuration: 'none',
  async run({ host, args }) {
    const options = await readOptions(host, args);
    const { app } = createSimulatedOpenAi(options);
    const server = await host.serve({
      port: args.number('port') ?? 8089,
      hostname: '127.0.0.1',
      fetch: (request) => app.fetch(request),
      sockets: {},
      maxMessageBytes: 1024,
      maxBodyBytes: 32 * 1024 * 1024,
    });
    host.print(`OPENAI_BASE_URL=${server.url}v1 OPENAI_API_KEY=simulated`);
    await new Promise<void>((stop) => host.onSignal(() => stop()));
    await server.stop();
    return EXIT.success;
  },
};

async function readOptions(
  host: CommandContext['host'],
  args: CommandContext['args'],
): Promise<SimulatedServerOptions> {
  const script = args.string('script');
  const fault = args.string('fault');
  try {
    const faults = fault === undefined ? [] : fault.split(',').map(parseFault);
    const profile = args.string('profile') as SimulatedServerOptions['profile'];
    const options = { profile, faults, seed: args.number('seed') };
    if (script === undefined) return options;
    const parsed = parseScript(parseJson(script, await host.files.read(script)));
    const folder = script.includes('/') ? script.slice(0, script.lastIndexOf('/') + 1) : '';
    return {
      ...options,
      script: parsed,
      recordings: await loadRecordings(parsed, (path) => host.files.read(path.startsWith('/') ? path : folder + path)),
    };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UserError('Cannot start the simulated models', {
      exitCode: EXIT.config,
      problems: error.message.split('\n').slice(0, 20),
      cause: error,
    });
  }
}

function parseJson(file: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new TypeError(`${file} is not valid JSON: ${(error as Error).message}`);
  }
}
