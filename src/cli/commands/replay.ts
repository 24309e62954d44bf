// `syrinx replay`: feeds a recorded call to a new session and writes down what it decides.
import { createAudioCore } from '../../audio/index.ts';
import { RecordingError, readRecording } from '../../runner/recorder.ts';
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
  ],
  async run({ host, args }) {
    const file = args.positionals[0] as string;
    const bytes = await host.files.read(file).catch(systemProblem('Cannot read the recording', file));
    await checkOutputs(host.files, { '--effects': args.string('effects'), '--ledger': args.string('ledger') }, [file]);
    try {
      const recording = readRecording(bytes);
      const { effects, session } = replay(recording, createAudioCore({ maxSlots: 1 }));
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
