// `syrinx dispatch`: sends an agent to a room and sees to it that it comes; lists and takes back what was sent.
import { summonAgent } from '../../livekit/dispatch-watch.ts';
import { systemClock } from '../../runner/clock.ts';
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
import { UserError } from '../user-error.ts';

const ACTIONS = { create: ['ROOM', 'AGENT'], list: ['ROOM'], delete: ['ROOM', 'ID'] } as const;
const MAX_WAIT_SECONDS = 3600;

export const command: Command = {
  name: 'dispatch',
  summary: 'Send an agent to a LiveKit room, list or take back what was sent',
  usage: 'dispatch create ROOM AGENT | list ROOM | delete ROOM ID [options]',
  positionals: [
    {
      name: 'ACTION',
      required: true,
      summary: 'create: send AGENT to ROOM; list: what was sent; delete: take ID back',
    },
    { name: 'ROOM', summary: 'Name of the room; made where it does not exist' },
    { name: 'AGENT|ID', summary: 'Name under which the agent is registered, or id of a dispatch' },
  ],
  options: [
    { name: 'metadata', kind: 'string', placeholder: 'TEXT', summary: 'What the agent is told' },
    {
      name: 'attribute',
      kind: 'string',
      placeholder: 'NAME=VALUE',
      summary: 'Of create: the same in parts; several, by repetition or commas',
      repeatable: true,
    },
    {
      name: 'wait',
      kind: 'number',
      placeholder: 'SECONDS',
      summary:
        'Of create: wait for the agent, and send again when none has come in this time; exit code 1 when none comes',
    },
    {
      name: 'attempts',
      kind: 'number',
      placeholder: 'N',
      summary: 'Of --wait: how often it is sent at most (default 3)',
    },
    SERVER_OPTION,
    FORMAT_OPTION,
  ],
  notes: [
    ...ACCESS_NOTES,
    'A dispatch that finds no worker is never repeated by the server: use --wait where somebody is on the line.',
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args } = context;
  const action = checkAction('dispatch', ACTIONS, args.positionals);
  const format = formatOf(context);
  const [, room = '', third = ''] = args.positionals;
  const [metadata, attribute] = [args.string('metadata'), args.string('attribute')];
  const [wait, attempts] = [args.number('wait'), args.number('attempts')];
  refuseProblems(strayOptions(action, 'create', { metadata, attribute, wait, attempts }));
  if (action === 'list') await list(context, room, format);
  else if (action === 'delete') await remove(context, room, third, format);
  else return await create(context, room, third, format);
  return EXIT.success;
}

type Format = 'text' | 'json';

async function create(context: CommandContext, room: string, agentName: string, format: Format): Promise<number> {
  const { args, host } = context;
  const metadata = args.string('metadata');
  const given = args.string('attribute')?.split(',') ?? [];
  const attributes =
    given.length === 0 ? undefined : Object.fromEntries(given.map((one) => one.split(/=(.*)/s, 2) as [string, string]));
  const wait = args.number('wait');
  const attempts = args.number('attempts') ?? 3;
  const problems = [
    ...(wait === undefined || (wait > 0 && wait <= MAX_WAIT_SECONDS)
      ? []
      : [`--wait: wanted up to ${MAX_WAIT_SECONDS}`]),
    ...(Number.isInteger(attempts) && attempts >= 1 && attempts <= 100 ? [] : ['--attempts: wanted 1 to 100']),
    ...(given.every((one) => /^[^=]+=/.test(one)) ? [] : ['--attribute: wanted NAME=VALUE']),
    ...(wait === undefined && args.number('attempts') !== undefined ? ['--attempts: is for --wait; give it too'] : []),
  ];
  refuseProblems(problems);
  if (wait === undefined) {
    const made = await askLiveKit(context, (api) => api.dispatch.create(room, { agentName, metadata, attributes }));
    host.print(format === 'json' ? jsonAnswer(made) : made.id);
    return EXIT.success;
  }
  const found = await askLiveKit(context, (api) =>
    summonAgent({ api, room, agentName, metadata, attributes, withinMs: wait * 1000, attempts, clock: systemClock }),
  );
  if (found.identity === undefined) {
    throw new UserError(`No agent '${agentName}' has come to room '${room}'`, {
      exitCode: EXIT.general,
      problems: [
        `sent ${found.attempts} times within ${(found.waitedMs / 1000).toFixed(1)} s`,
        'is a worker registered under this name, and has it room for a call?',
      ],
    });
  }
  host.print(format === 'json' ? jsonAnswer(found) : `${found.dispatchId} ${found.identity}`);
  return EXIT.success;
}

async function list(context: CommandContext, room: string, format: Format): Promise<void> {
  const all = await askLiveKit(context, (api) => api.dispatch.list(room));
  if (format === 'json') context.host.print(jsonAnswer(all));
  else if (all.length === 0) context.host.print('No dispatches');
  else {
    const rows = all.map(({ id, agentName, jobs, metadata }) => [
      id,
      agentName || '(automatic)',
      String(jobs),
      metadata,
    ]);
    context.host.print(tableOf(['ID', 'AGENT', 'JOBS', 'METADATA'], rows));
  }
}

async function remove(context: CommandContext, room: string, id: string, format: Format): Promise<void> {
  await askLiveKit(context, (api) => api.dispatch.delete(room, id));
  context.host.print(format === 'json' ? jsonAnswer({ id }) : id);
}
