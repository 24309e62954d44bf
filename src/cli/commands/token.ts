// `syrinx token`: mints a token with which a caller joins one room.
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import {
  ACCESS_NOTES,
  FORMAT_OPTION,
  formatOf,
  jsonAnswer,
  liveKitCredentials,
  SERVER_OPTION,
} from '../livekit/access.ts';
import { UserError } from '../user-error.ts';

export const command: Command = {
  name: 'token',
  summary: 'Mint a token with which a caller joins a LiveKit room',
  usage: 'token ROOM [options]',
  positionals: [{ name: 'ROOM', summary: 'The one room that it opens', required: true }],
  options: [
    { name: 'identity', kind: 'string', placeholder: 'NAME', summary: 'Who the caller is; by default a new name' },
    { name: 'name', kind: 'string', placeholder: 'TEXT', summary: 'Name that the others see' },
    {
      name: 'ttl',
      kind: 'number',
      placeholder: 'SECONDS',
      summary: 'How long it may be used to join (default 600)',
    },
    {
      name: 'agent',
      kind: 'string',
      placeholder: 'NAME',
      summary: 'Agent that comes when this token creates the room',
    },
    { name: 'metadata', kind: 'string', placeholder: 'TEXT', summary: 'What that agent is told' },
    { name: 'listen-only', kind: 'boolean', summary: 'The caller may hear and not speak' },
    SERVER_OPTION,
    FORMAT_OPTION,
  ],
  notes: [...ACCESS_NOTES, 'Nothing is asked of the server.'],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, host, config } = context;
  const format = formatOf(context);
  const room = args.positionals[0] ?? '';
  const identity = args.string('identity') ?? `caller-${crypto.randomUUID().slice(0, 8)}`;
  const agent = args.string('agent');
  const metadata = args.string('metadata');
  if (metadata !== undefined && agent === undefined) {
    throw new UserError('Command line is not valid', {
      exitCode: EXIT.config,
      problems: ['--metadata: is for the agent; give --agent too'],
    });
  }
  const credentials = liveKitCredentials(context);
  const { callerToken } = await import('../../livekit/tokens.ts');
  const token = await callerToken(credentials, {
    room,
    identity,
    name: args.string('name'),
    ttlSeconds: args.number('ttl'),
    listenOnly: args.boolean('listen-only'),
    agents: agent === undefined ? [] : [{ agentName: agent, metadata }],
  }).catch((error: unknown) => {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError('Command line is not valid', {
      exitCode: EXIT.config,
      problems: [error.message],
      cause: error,
    });
  });
  const server_url = config.livekit.serverUrl ?? null;
  host.print(format === 'json' ? jsonAnswer({ server_url, room, identity, token }) : token);
  return EXIT.success;
}
