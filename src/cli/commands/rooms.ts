// `syrinx rooms`: lists, makes and deletes the rooms of a LiveKit server.
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import {
  ACCESS_NOTES,
  askLiveKit,
  checkAction,
  FORMAT_OPTION,
  formatOf,
  jsonAnswer,
  refuseProblems,
  SERVER_OPTION,
  strayOptions,
  tableOf,
} from '../livekit/access.ts';

const ACTIONS = { list: [], create: ['ROOM'], delete: ['ROOM'] } as const;
const MAX_EMPTY_SECONDS = 86_400;

export const command: Command = {
  name: 'rooms',
  summary: 'List, make or delete rooms of a LiveKit server',
  usage: 'rooms list | create ROOM | delete ROOM [options]',
  positionals: [
    { name: 'ACTION', required: true, summary: 'list, create, or delete (which ends the calls in it)' },
    { name: 'ROOM', summary: 'Name of the room' },
  ],
  options: [
    {
      name: 'agent',
      kind: 'string',
      placeholder: 'NAME',
      summary: 'Of create: agent that is sent at once, so that it is there before the caller',
    },
    { name: 'metadata', kind: 'string', placeholder: 'TEXT', summary: 'Of create: what that agent is told' },
    {
      name: 'empty-timeout',
      kind: 'number',
      placeholder: 'SECONDS',
      summary: 'Of create: how long it stays open while nobody comes',
    },
    SERVER_OPTION,
    FORMAT_OPTION,
  ],
  notes: ACCESS_NOTES,
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, host } = context;
  const action = checkAction('rooms', ACTIONS, args.positionals);
  const format = formatOf(context);
  const name = args.positionals[1] ?? '';
  const agent = args.string('agent');
  const metadata = args.string('metadata');
  const seconds = args.number('empty-timeout');
  refuseProblems([
    ...strayOptions(action, 'create', { agent, metadata, 'empty-timeout': seconds }),
    ...(action === 'create' && metadata !== undefined && agent === undefined
      ? ['--metadata: is for the agent; give --agent too']
      : []),
    ...(seconds === undefined || (Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_EMPTY_SECONDS)
      ? []
      : [`--empty-timeout: wanted 1 to ${MAX_EMPTY_SECONDS} seconds`]),
  ]);
  if (action === 'create') {
    const agents = agent === undefined ? undefined : [{ agentName: agent, metadata }];
    const room = await askLiveKit(context, (api) => api.rooms.create({ name, emptyTimeoutSeconds: seconds, agents }));
    host.print(format === 'json' ? jsonAnswer(room) : room.sid);
  } else if (action === 'delete') {
    await askLiveKit(context, (api) => api.rooms.delete(name));
    host.print(format === 'json' ? jsonAnswer({ name }) : name);
  } else {
    const rooms = await askLiveKit(context, (api) => api.rooms.list());
    if (format === 'json') host.print(jsonAnswer(rooms));
    else if (rooms.length === 0) host.print('No rooms');
    else host.print(tableOf(['ROOM', 'PARTICIPANTS', 'SINCE', 'SID'], rooms.map(row)));
  }
  return EXIT.success;
}

function row({
  name,
  participants,
  createdAtMs,
  sid,
}: {
  name: string;
  participants: number;
  createdAtMs: number;
  sid: string;
}) {
  return [name, String(participants), new Date(createdAtMs).toISOString().slice(0, 19), sid];
}
