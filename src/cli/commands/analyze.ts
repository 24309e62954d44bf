// `syrinx analyze`: what a session hears in a recording, as a table, JSON, SVG or a page: what to look at when a call went wrong.
import { readWav, type SampleRateHz, wordAccuracy } from '../../audio/index.ts';
import type { Files } from '../../hosts/port.ts';
import { chartSvg } from '../analyze/chart.ts';
import { measure, type Measurement } from '../analyze/measure.ts';
import { pageHtml } from '../analyze/page.ts';
import { type Source, terminalTable } from '../analyze/table.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { checkOutputs, writeOutputs } from '../outputs.ts';
import { systemProblem, UserError } from '../user-error.ts';

const RATES: readonly number[] = [8000, 16_000, 24_000, 48_000];
/** An hour at 48 kHz: more does not fit into a chart that anybody reads. */
const MOST_SAMPLES = 48_000 * 3600;

export const command: Command = {
  name: 'analyze',
  summary: 'Show what a session hears in a recording, and how good it is',
  usage: 'analyze FILE.wav [options]',
  positionals: [{ name: 'FILE.wav', summary: 'PCM16 WAV at 8, 16, 24 or 48 kHz', required: true }],
  options: [
    { name: 'json', kind: 'boolean', summary: 'Print JSON instead of a table' },
    { name: 'html', kind: 'string', placeholder: 'FILE', summary: 'Charts and table as one page' },
    { name: 'svg', kind: 'string', placeholder: 'FILE', summary: 'The charts alone' },
    {
      name: 'channel',
      kind: 'number',
      placeholder: 'N',
      summary: 'Channel to look at; the caller is 1, the agent 2 (default 1)',
    },
    {
      name: 'reference',
      kind: 'string',
      placeholder: 'FILE',
      summary: 'What was said, as text; with --transcript: share of the words that were recognized',
    },
    { name: 'transcript', kind: 'string', placeholder: 'FILE', summary: 'What was recognized, as text' },
  ],
  notes: ['Needs no models. Detectors are set as in the configuration (listening.*); both are shown.'],
  async run({ host, args, config }) {
    const file = args.positionals[0] as string;
    const [html, svg] = [args.string('html'), args.string('svg')];
    const { source, samples } = await readChannel(host.files, file, args.number('channel') ?? 1);
    await checkOutputs(host.files, { '--html': html, '--svg': svg }, [file]);
    const words = await readWords(host.files, args.string('reference'), args.string('transcript'));
    const found = await measure(samples, source.rateHz as SampleRateHz, config.listening);
    host.print(args.boolean('json') === true ? jsonText(source, found, words) : terminalTable(source, found, words));
    if (html === undefined && svg === undefined) return EXIT.success;
    const chart = chartSvg(samples, source.rateHz, found);
    const encoder = new TextEncoder();
    await writeOutputs(host.files, [
      ['--svg', svg, () => encoder.encode(chart)],
      ['--html', html, () => encoder.encode(pageHtml(source, found, words, chart))],
    ]);
    return EXIT.success;
  },
};

async function readChannel(
  files: Files,
  file: string,
  channel: number,
): Promise<{ source: Source; samples: Int16Array }> {
  const refuse = (reason: string, cause?: unknown) =>
    new UserError('Cannot analyze the file', { exitCode: EXIT.config, problems: [`${file}: ${reason}`], cause });
  const bytes = await files.read(file).catch(systemProblem('Cannot read the file', file));
  let wav: ReturnType<typeof readWav>;
  try {
    wav = readWav(bytes);
  } catch (error) {
    throw refuse((error as Error).message, error);
  }
  const { rateHz, channels } = wav;
  if (!RATES.includes(rateHz))
    throw refuse(
      `its rate is ${rateHz} Hz; convert it to ${RATES.join(', ')} Hz (for example: sox IN.wav -r 16000 OUT.wav)`,
    );
  const samples = channels[channel - 1];
  if (samples === undefined) throw refuse(`there is no channel ${channel}: it has ${channels.length}`);
  if (samples.length === 0) throw refuse('it holds no sound');
  if (samples.length > MOST_SAMPLES) throw refuse('it is longer than can be shown (an hour at 48 kHz); cut it');
  return { source: { file, rateHz, channel, channels: channels.length }, samples };
}

/** Null without the two texts: then word accuracy is not measured. */
async function readWords(files: Files, reference?: string, transcript?: string): Promise<number | null> {
  if (reference === undefined && transcript === undefined) return null;
  if (reference === undefined || transcript === undefined) {
    const problems = ['--reference and --transcript belong together: what was said, and what was recognized'];
    throw new UserError('Cannot measure word accuracy', { exitCode: EXIT.config, problems });
  }
  const read = async (file: string) =>
    new TextDecoder().decode(await files.read(file).catch(systemProblem('Cannot read the file', file)));
  const accuracy = wordAccuracy(await read(reference), await read(transcript));
  if (accuracy !== null) return accuracy;
  throw new UserError('Cannot measure word accuracy', {
    exitCode: EXIT.config,
    problems: [`${reference}: holds no words`],
  });
}

/** Frames are left out: their figures are in the charts. */
function jsonText(source: Source, found: Measurement, words: number | null): string {
  const { seconds, peakDb, hearings, windows, summary } = found;
  const speech = Object.fromEntries(hearings.map((hearing) => [hearing.vad, hearing.speech]));
  const perceived = { naturalness: null, wordAccuracy: words };
  return JSON.stringify({ ...source, seconds, peakDb, quality: summary, ...perceived, speech, windows }, null, 1);
}
