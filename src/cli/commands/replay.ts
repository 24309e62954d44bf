// `syrinx replay`: feeds a recorded call to a new session and writes down what it decides.
import { type Analyzer, type AudioCore, createAudioCore } from '../../audio/index.ts';
import { type Recording, RecordingError, readRecording } from '../../runner/recorder.ts';
import { replay } from '../../runner/replay.ts';
import type { Command } from '../command.ts';
import { checkOutputs } from '../outputs.ts';
import { EXIT } from '../exit-codes.ts';
import { systemProblem, UserError } from '../user-error.ts';

export const command: Command = {
  name: 'replay',
  summary: 'Decide a recorded call again: same inputs, same effects',
  usage: 'replay RECORDING [options]',
  positionals: [{ name: 'RECORDING', summary: 'Written by `--record`', required: true }],
  options: [
    {
      name: 'effects',
      kind: 'string',
      placeholder: 'FILE',
      summary: 'Effects as JSON lines; without it they are printed',
    },
    { name: 'ledger', kind: 'string', placeholder: 'FILE', summary: 'The ledger of the replayed call' },
    {
      name: 'frames',
      kind: 'string',
      placeholder: 'FILE',
      summary: 'What the VAD heard in each 20 ms of the caller, as CSV',
    },
  ],
  async run({ host, args }) {
    const file = args.positionals[0] as string;
    const bytes = await host.files.read(file).catch(systemProblem('Cannot read the recording', file));
    const outputs = { '--effects': args.string('effects'), '--ledger': args.string('ledger') };
    await checkOutputs(host.files, { ...outputs, '--frames': args.string('frames') }, [file]);
    try {
      const recording = readRecording(bytes);
      const frames = args.string('frames');
      const table: string[] = [];
      const core = await earsOf(recording);
      const { effects, session } = replay(
        recording,
        core,
        frames === undefined ? undefined : (frame) => table.push(row(table.length, frame)),
      );
      if (frames !== undefined)
        await host.files.write(frames, new TextEncoder().encode(`${COLUMNS}\n${table.join('')}`));
      const to = args.string('effects');
      if (to === undefined) host.print(effects.trimEnd());
      else await host.files.write(to, new TextEncoder().encode(effects));
      const ledger = args.string('ledger');
      if (ledger !== undefined) {
        const text = JSON.stringify(
          session.ledger((hostMs) => new Date(hostMs).toISOString()),
          null,
          1,
        );
        await host.files.write(ledger, new TextEncoder().encode(`${text}\n`));
      }
      if (recording.truncated)
        host.printError(`${file} ends in the middle of an input: it was replayed as far as it goes`);
      return EXIT.success;
    } catch (error) {
      if (!(error instanceof RecordingError)) throw error;
      throw new UserError('Cannot replay the file', {
        exitCode: EXIT.config,
        problems: [`${file}: ${error.message}`],
        cause: error,
      });
    }
  },
};

/** The VAD that the call heard with: the recording says which. */
async function earsOf({ options }: Recording): Promise<AudioCore> {
  const core = createAudioCore({ maxSlots: 1 });
  if (options.listening.vad !== 'neural') return core;
  const { createNeuralVad, withNeuralEars } = await import('../../audio/neural/index.ts');
  return withNeuralEars(core, createNeuralVad({ maxSlots: 1 }));
}

const COLUMNS = 'frame,score,first_half_dbfs,second_half_dbfs,noise_floor_dbfs';

function row(number: number, { score, firstHalfDb, secondHalfDb, floorDb }: Analyzer): string {
  return `${number},${[score, firstHalfDb, secondHalfDb, floorDb].map((value) => value.toFixed(4)).join(',')}\n`;
}
