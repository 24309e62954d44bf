// `syrinx start`: serves an agent until it is told to stop, in one process or in several.
import type { Command } from '../command.ts';
import { NUMBER_VARIABLE } from '../processes/processes.ts';
import { untilStopped } from '../stopped.ts';

export const command: Command = {
  name: 'start',
  summary: 'Serve an agent: calls, health, metrics',
  usage: 'start [agent.ts] [options]',
  positionals: [{ name: 'agent.ts', summary: 'The agent; without it a plain one that does not greet' }],
  options: [
    {
      name: 'port',
      kind: 'number',
      placeholder: 'PORT',
      summary: 'Port to listen on; 0 takes a free one',
      setting: 'health_server.port',
    },
    {
      name: 'host',
      kind: 'string',
      placeholder: 'ADDRESS',
      summary: 'Address to listen on',
      setting: 'health_server.host',
    },
    { name: 'agent-name', kind: 'string', placeholder: 'NAME', summary: 'Name of the agent', setting: 'agent.name' },
    {
      name: 'max-sessions',
      kind: 'number',
      placeholder: 'N',
      summary: 'Calls at one time',
      setting: 'capacity.max_sessions',
    },
    {
      name: 'processes',
      kind: 'number',
      placeholder: 'N',
      summary: 'Processes that share the calls; each takes --max-sessions',
      setting: 'capacity.processes',
    },
    {
      name: 'drain-timeout',
      kind: 'number',
      placeholder: 'MS',
      summary: 'How long calls may go on after a signal',
      setting: 'capacity.drain_timeout_ms',
    },
    {
      name: 'record',
      kind: 'string',
      placeholder: 'DIR',
      summary: 'Write the inputs of every call there, for `syrinx replay` (what people say is in them)',
    },
    {
      name: 'ledger',
      kind: 'string',
      placeholder: 'FILE',
      summary:
        'Write the newest call\'s ledger there after every turn; "{session}" in the name makes it one file a call',
    },
    {
      name: 'demo',
      kind: 'boolean',
      summary: 'Simulated models, and a demonstration call through the own WebSocket; needs no key',
    },
  ],
  notes: [
    'Stops on SIGINT and SIGTERM: no new calls, the running ones may end; a second signal ends them at once, a third the program.',
  ],
  async run(context) {
    const { host, config, args } = context;
    const stopped = untilStopped(host);
    const isOne = host.env[NUMBER_VARIABLE] !== undefined || config.capacity.processes === 1;
    // A supervisor loads nothing of what its processes need.
    if (isOne || args.boolean('demo') === true) {
      return await (await import('../start-agent.ts')).startAgent(context, stopped);
    }
    return await (await import('../processes/supervise.ts')).supervise(context, stopped);
  },
};
