// `syrinx alerts`: what fires on a running server, silences, tests and acknowledgements there, and rules tried out with made-up values.
import { ruleOnTrust } from '../alerts/rules.ts';
import { catalogueOf, simulateRule } from '../../ops/alerts/index.ts';
import { readSimulation } from '../alerts/simulation.ts';
import type { Command, CommandContext } from '../command.ts';
import { readDuration } from '../durations.ts';
import { EXIT } from '../exit-codes.ts';
import { checkAction, formatOf, jsonAnswer, tableOf } from '../livekit/access.ts';
import { askServer, URL_OPTION } from '../operations/server-client.ts';
import { UserError } from '../user-error.ts';

type Row = Readonly<Record<string, unknown>>;
type Format = 'text' | 'json';

const ACTIONS = {
  list: [],
  test: ['RULE'],
  silence: [],
  unsilence: ['ID'],
  acknowledge: ['FINGERPRINT'],
  simulate: ['RULE'],
} as const;

export const command: Command = {
  name: 'alerts',
  summary: 'List, test, silence and acknowledge alerts of a running server; simulate a rule',
  usage:
    'alerts list | test RULE | silence MATCHER ... --for TIME | unsilence ID | acknowledge FINGERPRINT | simulate RULE --values VALUES',
  positionals: [
    {
      name: 'ACTION',
      required: true,
      summary:
        'list: rules, alerts, silences; test: a marked notification through the real channels; silence, unsilence; acknowledge: no more reminders; simulate: what a rule would do',
    },
    {
      name: 'NAME',
      summary: "Rule, silence or alert; of silence a matcher: alertname=high_latency, provider=~'open.*'",
    },
    ...['MATCHER2', 'MATCHER3', 'MATCHER4'].map((name) => ({ name, summary: 'Of silence: a further one' })),
  ],
  options: [
    { name: 'for', kind: 'string', placeholder: 'TIME', summary: 'Of silence: how long, such as 30m, 2h, 1d' },
    { name: 'comment', kind: 'string', placeholder: 'TEXT', summary: 'Of silence: why' },
    { name: 'by', kind: 'string', placeholder: 'NAME', summary: 'Of silence and acknowledge: who you are' },
    {
      name: 'values',
      kind: 'string',
      placeholder: 'VALUES',
      summary:
        'Of simulate: one value an evaluation, "20x10 200x70 _x5" (ten times 20, seventy times 200, five times nothing)',
    },
    { name: 'every', kind: 'number', placeholder: 'SECONDS', summary: 'Of simulate: between two of them (default 5)' },
    URL_OPTION,
    { name: 'format', kind: 'string', placeholder: 'FORMAT', summary: 'text (default) or json' },
  ],
  notes: [
    'list, test, silence, unsilence and acknowledge ask the running server (--url, server.token); simulate needs none.',
    'Example: syrinx alerts simulate high_latency --values "20x10 200x70 20x10"',
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, host } = context;
  const [action = '', ...names] = args.positionals;
  checkAction('alerts', ACTIONS, action === 'silence' ? [action] : args.positionals);
  const format = formatOf(context);
  const [name = ''] = names;
  const say = (data: unknown, text: string): void => host.print(format === 'json' ? jsonAnswer(data) : text);
  switch (action) {
    case 'test': {
      const path = `/api/alerts/rules/${encodeURIComponent(name)}/test`;
      const answer = (await askServer(context, { method: 'POST', path })) as { notifications?: Row[] };
      const channels = (answer.notifications ?? []).map(({ channel }) => String(channel));
      say(answer, channels.length === 0 ? `${name} tells nobody: it has no channel` : `sent to ${channels.join(', ')}`);
      return EXIT.success;
    }
    case 'silence': {
      const body = {
        matchers: names,
        duration_seconds: seconds(args.string('for')),
        comment: args.string('comment'),
        created_by: args.string('by') ?? host.env['USER'],
      };
      const answer = (await askServer(context, { method: 'POST', path: '/api/alerts/silences', body })) as Row;
      say(answer, String(answer['id']));
      return EXIT.success;
    }
    case 'unsilence': {
      const path = `/api/alerts/silences/${encodeURIComponent(name)}`;
      say(await askServer(context, { method: 'DELETE', path }), `silence ${name} is over`);
      return EXIT.success;
    }
    case 'acknowledge': {
      const path = `/api/alerts/${encodeURIComponent(name)}/acknowledge`;
      const body = { by: args.string('by') ?? host.env['USER'] };
      say(await askServer(context, { method: 'POST', path, body }), `${name} is acknowledged: no more reminders`);
      return EXIT.success;
    }
    case 'simulate':
      return trial(context, name, format);
    default:
      return list(context, format);
  }
}

async function list(context: CommandContext, format: Format): Promise<number> {
  const [{ rules }, { alerts, persistent, channels }, { silences }] = (await Promise.all(
    ['/api/alerts/rules', '/api/alerts', '/api/alerts/silences'].map((path) =>
      askServer(context, { method: 'GET', path }),
    ),
  )) as [{ rules: Row[] }, { alerts: Row[]; persistent: boolean; channels: string[] }, { silences: Row[] }];
  const { print } = context.host;
  if (format === 'json') {
    print(jsonAnswer({ rules, alerts, silences, persistent, channels }));
    return EXIT.success;
  }
  print(tableOf(['RULE', 'STATE', 'CONDITION', 'FOR', 'SEVERITY', 'CHANNELS'], rules.map(ruleRow)));
  if (alerts.length > 0) {
    const head = ['ALERT', 'STATE', 'VALUE', 'SINCE', 'FINGERPRINT', 'NOTE', 'SUMMARY'];
    print(`\n${tableOf(head, alerts.map(alertRow))}`);
  }
  if (silences.length > 0) print(`\n${tableOf(['SILENCE', 'ENDS', 'BY', 'MATCHERS'], silences.map(silenceRow))}`);
  const memory = persistent ? '' : '; state is in memory alone: a restart forgets it';
  print(`\nchannels: ${channels.length === 0 ? 'none, so nobody is told' : channels.join(', ')}${memory}`);
  return EXIT.success;
}

function ruleRow(rule: Row): string[] {
  const { name, state, metric, condition, threshold, duration_seconds, severity, channels } = rule;
  const what = threshold === null ? `${String(condition)} ${String(metric)}` : [metric, condition, threshold].join(' ');
  const told = (channels as string[]).join(', ');
  return [String(name), String(state), what, `${String(duration_seconds)} s`, String(severity ?? ''), told];
}

function alertRow({ rule, state, value, starts_at, fingerprint, muted, acknowledged_by, annotations }: Row): string[] {
  const note = muted !== null ? `muted by ${String(muted)}` : acknowledged_by === null ? '' : `acknowledged`;
  const number = typeof value === 'number' ? Number(value.toPrecision(4)) : value;
  const summary = String((annotations as Record<string, string>)['summary'] ?? '');
  return [
    String(rule),
    String(state),
    String(number),
    String(starts_at).slice(0, 19),
    String(fingerprint),
    note,
    summary,
  ];
}

function silenceRow({ id, ends_at, created_by, matchers }: Row): string[] {
  return [String(id), String(ends_at).slice(0, 19), String(created_by), (matchers as string[]).join(' ')];
}

async function trial(command: CommandContext, name: string, format: Format): Promise<number> {
  const { host, args } = command;
  const rule = ruleOnTrust(command, name);
  const every = args.number('every') ?? 5;
  const request = { rule: name, values: args.string('values'), every_seconds: every };
  const context = { ruleOf: () => rule, metrics: catalogueOf([]), channels: rule.channels };
  const result = { rule: name, ...simulateRule(withProblems(() => readSimulation(request, context))) };
  if (format === 'json') {
    host.print(jsonAnswer(result));
    return EXIT.success;
  }
  const { metric, condition, threshold, forMs } = rule;
  const limit = condition === 'absent' ? 'absent' : `${condition} ${threshold}`;
  host.print(`${name}: ${metric} ${limit} for ${forMs / 1000} s, judged every ${every} s`);
  const at = (secondsIn: number) => `${secondsIn} s`;
  const changes = result.changes.map(({ atSeconds, to, value }) => [at(atSeconds), to, String(value ?? '')]);
  host.print(changes.length === 0 ? 'Nothing happens.' : `\n${tableOf(['AT', 'BECOMES', 'VALUE'], changes)}`);
  const told = result.notifications.map(({ atSeconds, channel, status, reason, summary }) => [
    at(atSeconds),
    channel,
    status,
    reason,
    summary ?? '',
  ]);
  host.print(told.length === 0 ? 'Nobody is told.' : `\n${tableOf(['AT', 'TELLS', 'STATUS', 'WHY', 'SUMMARY'], told)}`);
  return EXIT.success;
}

function withProblems<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error && 'problems' in error)) throw error;
    const problems = (error.problems as string[]).map((problem) =>
      problem.replace(/^(values|every_seconds):/, '--$1:'),
    );
    throw new UserError('Command line is not valid', { exitCode: EXIT.config, problems, cause: error });
  }
}

function seconds(text: string | undefined): number {
  const length = readDuration(text ?? '');
  if (length === undefined) {
    throw new UserError('Command line is not valid', {
      exitCode: EXIT.config,
      problems: ['--for: wanted a time such as 30m, 2h or 1d'],
    });
  }
  return length;
}
