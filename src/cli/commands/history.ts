// `syrinx history`: what a running server, or a data directory, remembers: lists series, prints ranges in steps, exports them to a file.
import { nearest } from '../../config/nearest.ts';
import {
  chosenSeries,
  durationText,
  type HistoryAnswer,
  type HistorySeries,
  type HistorySource,
  scaleOf,
  shown,
  timeText,
  unknownMetric,
} from '../../ops/history/index.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonAnswer, refuseProblems, tableOf } from '../livekit/access.ts';
import { EXPORT_NAMES, type ExportName, exportHistory, openOutput } from '../operations/history-export.ts';
import { historyOfFolder } from '../operations/history-folder.ts';
import { type AskedRange, RANGE_OPTIONS, readRange } from '../operations/history-range.ts';
import { remoteHistory } from '../operations/remote-history.ts';
import { askServer, URL_OPTION } from '../operations/server-client.ts';
import { checkOutputs } from '../outputs.ts';
import { UserError } from '../user-error.ts';

const ACTIONS = ['list', 'query', 'export'];
/** What a month of a busy series may be. */
const MAX_ANSWER_CHARS = 64_000_000;
/** Rows that fit on a screen. */
const TERMINAL_STEPS = 24;
const TERMINAL_QUANTILES = [0.5, 0.95, 0.99];

export const command: Command = {
  name: 'history',
  summary: 'List, query and export the history of a running server or a data directory',
  usage: 'history list [NAME] | query NAME ... | export [NAME ...] --format FORMAT [--out FILE]',
  positionals: [
    {
      name: 'ACTION',
      required: true,
      summary: 'list: all series; query: a range in steps; export: the same as a file, a report with plots included',
    },
    { name: 'NAME', summary: 'Metric, as in the registry or as at /metrics; * stands for any characters' },
    ...Array.from({ length: 15 }, (_, i) => ({ name: `NAME${i + 2}`, summary: 'A further one' })),
  ],
  options: [
    ...RANGE_OPTIONS,
    {
      name: 'format',
      kind: 'string',
      placeholder: 'FORMAT',
      summary: 'text or json; of export: json, csv, prometheus, html',
    },
    { name: 'out', kind: 'string', placeholder: 'FILE', summary: 'Of export: the file; default standard output' },
    {
      name: 'dir',
      kind: 'string',
      placeholder: 'DIR',
      summary: 'Reads this data directory instead; changes nothing in it',
    },
    URL_OPTION,
  ],
  notes: [
    'Asks the running server (--url, server.token), or reads a data directory (--dir), also while a server writes there.',
    'prometheus is OpenMetrics text with times: promtool tsdb create-blocks-from openmetrics FILE DIR',
    'Examples: syrinx history query syrinx.conversation.response --last 24h --step 1h',
    '          syrinx history export --format html --last 24h --out report.html',
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, host } = context;
  const [action = '', ...names] = args.positionals;
  if (!ACTIONS.includes(action)) {
    const meant = nearest(action, ACTIONS);
    throw new UserError(`Unknown action '${action}'`, {
      exitCode: EXIT.config,
      problems: [meant === undefined ? `wanted one of ${ACTIONS.join(', ')}` : `did you mean '${meant}'?`],
    });
  }
  const formats: readonly string[] = action === 'export' ? EXPORT_NAMES : ['text', 'json'];
  const format = args.string('format') ?? formats[0] ?? '';
  const range = readRange(args, Date.now());
  const dir = args.string('dir');
  refuseProblems([
    ...(formats.includes(format) ? [] : [`--format: wanted one of ${formats.join(', ')}`]),
    ...(action === 'query' && names.length === 0 ? ['NAME: missing; syrinx history list names all'] : []),
    ...(action !== 'export' && args.string('out') !== undefined ? [`--out: is for 'export', not for '${action}'`] : []),
    ...(dir !== undefined && args.string('url') !== undefined ? ['--dir and --url: give one of them'] : []),
  ]);
  const out = args.string('out');
  await checkOutputs(host.files, { '--out': out });
  const source =
    dir === undefined
      ? remoteHistory(async (path) => await askServer(context, { method: 'GET', path, maxChars: MAX_ANSWER_CHARS }))
      : await historyOfFolder(context, dir);
  const known = await source.series();
  const unknown = unknownMetric(names, known, nearest);
  if (unknown !== undefined) throw new UserError('Unknown metric', { exitCode: EXIT.config, problems: [unknown] });
  try {
    if (action === 'list') return await list(context, source, names, format);
    if (action === 'query') return await query(context, source, names, range, format);
    return await write(context, source, names, range, format as ExportName);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError('Cannot answer the query', { exitCode: EXIT.config, problems: [error.message], cause: error });
  }
}

async function list({ host }: CommandContext, source: HistorySource, names: readonly string[], format: string) {
  const [status, all] = await Promise.all([source.status(), source.series()]);
  const series = chosenSeries(all, names.length === 0 ? ['*'] : names);
  if (format === 'json') {
    host.print(jsonAnswer({ ...status, series }));
    return EXIT.success;
  }
  const rows = series.map(({ name, kind, unit, labels }) => [name, kind, unit, labelText(labels)]);
  host.print(rows.length === 0 ? 'There is no history yet.' : tableOf(['METRIC', 'KIND', 'UNIT', 'LABELS'], rows));
  const where = status.storage === 'disk' ? 'on disk' : 'in memory';
  const size = shown(status.bytes, scaleOf({ name: '', labels: {}, kind: 'gauge', unit: 'By' }, status.bytes));
  host.print(`\n${series.length} series; blocks of full hours ${where}: ${size}`);
  if (status.problem !== null) host.print(`disk: ${status.problem}`);
  return EXIT.success;
}

async function query(
  { host, log }: CommandContext,
  source: HistorySource,
  names: readonly string[],
  range: AskedRange,
  format: string,
) {
  const isText = format === 'text';
  const stepMs = range.stepMs ?? (isText ? terminalStep(range.toMs - range.fromMs) : undefined);
  const quantiles = range.quantiles ?? (isText ? TERMINAL_QUANTILES : []);
  const answers: HistoryAnswer[] = [];
  for (const name of names) answers.push(await source.query({ ...range, name, stepMs, quantiles }));
  const missing = new Set(answers.flatMap((answer) => answer.missing ?? []));
  if (missing.size > 0) log.warn('processes did not answer and are not in the numbers', { processes: [...missing] });
  if (!isText) {
    host.print(jsonAnswer(answers.length === 1 ? answers[0] : answers));
    return EXIT.success;
  }
  const texts = answers.flatMap((answer) => answer.series.map((one) => seriesTable(one, answer)));
  host.print(texts.length === 0 ? 'There is nothing in this range.' : texts.join('\n\n'));
  return EXIT.success;
}

function terminalStep(rangeMs: number): number {
  const seconds = rangeMs / 1000 / TERMINAL_STEPS;
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
  return 1000 * (steps.find((step) => step >= seconds) ?? Math.ceil(seconds / 86_400) * 86_400);
}

function seriesTable(one: HistorySeries, { stepMs, quantiles }: HistoryAnswer): string {
  const { info, atMs, count, sum, min, max } = one;
  const isCounter = info.kind === 'counter';
  const perSecond = (increase: number) => (increase * 1000) / stepMs;
  const biggest = (isCounter ? sum.map(perSecond) : max).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const scale = scaleOf(info, biggest, isCounter);
  const head = isCounter
    ? ['TIME (UTC)', 'INCREASE', 'RATE']
    : ['TIME (UTC)', 'COUNT', 'MEAN', 'MIN', ...quantiles.map((q) => `P${Number((q * 100).toFixed(4))}`), 'MAX'];
  const rows = atMs.map((at, i) => {
    const [n = 0, total = 0] = [count[i], sum[i]];
    if (isCounter) return [timeText(at), String(Number(total.toPrecision(10))), shown(perSecond(total), scale)];
    const percentiles = one.quantiles.map((column) => shown(column[i], scale));
    return [
      timeText(at),
      String(n),
      shown(total / n, scale),
      shown(min[i], scale),
      ...percentiles,
      shown(max[i], scale),
    ];
  });
  const labels = labelText(info.labels);
  return `${info.name}${labels === '' ? '' : ` {${labels}}`}, ${info.kind}, steps of ${durationText(stepMs)}\n${tableOf(head, rows)}`;
}

async function write(
  { host, args }: CommandContext,
  source: HistorySource,
  names: readonly string[],
  range: AskedRange,
  format: ExportName,
) {
  const path = args.string('out');
  const request = {
    ...range,
    names,
    format,
    origin: args.string('dir') ?? args.string('url') ?? 'this machine',
    madeAtMs: Date.now(),
  };
  if (path === undefined) {
    let text = '';
    await exportHistory(source, request, (piece) => (text += piece));
    host.print(text.replace(/\n$/, ''));
    return EXIT.success;
  }
  const file = openOutput(host.files, path);
  try {
    const { series, steps } = await exportHistory(source, request, file.write);
    host.print(format === 'html' ? `report written to ${path}` : `${series} series, ${steps} steps written to ${path}`);
  } finally {
    file.close();
  }
  return EXIT.success;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}
