// `syrinx call`: holds one call with a recorded caller, in real time, and writes what was said and where the time went.
import { createAudioCore, readWav, writeWav } from '../../audio/index.ts';
import type { Files } from '../../hosts/port.ts';
import { systemClock } from '../../runner/clock.ts';
import { FileTransport } from '../../transports/file/file-transport.ts';
import { type NetworkOptions, parseNetwork } from '../../transports/file/network.ts';
import type { TransportRateHz } from '../../transports/port.ts';
import type { Command } from '../command.ts';
import { composeRuntime } from '../compose.ts';
import { loadNeuralVad } from '../ear.ts';
import { EXIT } from '../exit-codes.ts';
import { loadAgent } from '../load-agent.ts';
import { checkOutputs, writeOutputs } from '../outputs.ts';
import { systemProblem, UserError } from '../user-error.ts';

const RATES: readonly number[] = [8000, 16000, 24000, 48000];
/** The agent's voice loses nothing at this rate. */
const VOICE_RATE_HZ = 24_000;

export const command: Command = {
  name: 'call',
  summary: 'Hold one call with a recorded caller',
  usage: 'call IN.wav [options]',
  positionals: [{ name: 'IN.wav', summary: "The caller's side: PCM16 WAV at 8, 16, 24 or 48 kHz", required: true }],
  options: [
    {
      name: 'out',
      kind: 'string',
      placeholder: 'OUT.wav',
      summary: 'Stereo recording: left the caller, right the agent',
    },
    { name: 'ledger', kind: 'string', placeholder: 'FILE', summary: 'Where the time of each turn went, as JSON' },
    { name: 'record', kind: 'string', placeholder: 'FILE', summary: 'Inputs of the call, for `syrinx replay`' },
    {
      name: 'network',
      kind: 'string',
      placeholder: 'loss=5,jitter=40',
      summary: 'A bad network: loss, burst, jitter (ms), reorder, duplicate (%), drift (ppm), seed',
    },
    {
      name: 'agent',
      kind: 'string',
      placeholder: 'agent.ts',
      summary: 'The agent; without it a plain one that does not greet',
    },
    { name: 'agent-name', kind: 'string', placeholder: 'NAME', summary: 'Name of the agent', setting: 'agent.name' },
  ],
  notes: ['Needs OPENAI_API_KEY, or models.provider "simulated". Prints the transcript of the call.'],
  async run({ host, args, config, log }) {
    const file = args.positionals[0] as string;
    const [out, ledger, record] = [args.string('out'), args.string('ledger'), args.string('record')];
    const network = readNetwork(args.string('network'));
    const caller = await readCaller(host.files, file);
    await checkOutputs(host.files, { '--out': out, '--ledger': ledger, '--record': record }, [file]);
    const agent = await loadAgent(host, args.string('agent'));
    const runtime = composeRuntime({ config, agent, log, neural: await loadNeuralVad(config) });
    void runtime.warm();
    const outputRateHz = Math.max(VOICE_RATE_HZ, caller.rateHz) as TransportRateHz;
    let unrecorded: { error: unknown } | undefined;
    const call = runtime.open({
      transport: 'file',
      inputRateHz: caller.rateHz,
      outputRateHz,
      lossy: network !== undefined,
      recording: record === undefined ? undefined : host.files.open(record),
      onRecordingFailed(error) {
        unrecorded = { error };
      },
      onTelemetry(event) {
        if (event.type === 'transcript') host.print(`caller: ${event.text}`);
        else if (event.type === 'reply') host.print(`agent:  ${event.text}`);
        else if (event.type === 'interrupted') host.print(`agent:  ${event.heard} - (interrupted)`);
      },
    });
    const line = new FileTransport({
      caller: caller.samples,
      inputRateHz: caller.rateHz,
      outputRateHz,
      clock: systemClock,
      input: call.input,
      network,
    });
    call.attach(line);
    const stopListening = host.onSignal(() => call.close('stopped'));
    const reason = await call.done;
    stopListening();
    await writeOutputs(host.files, [
      ['--ledger', ledger, () => new TextEncoder().encode(`${JSON.stringify(call.ledger(), null, 1)}\n`)],
      ['--out', out, () => stereo(caller, line)],
    ]);
    if (unrecorded !== undefined) systemProblem('Cannot write the output', `--record: ${record}`)(unrecorded.error);
    // The log says what it was; what there is of the call has been written.
    if (reason === 'internal error') throw new UserError('The call broke off because of a defect in this program');
    return EXIT.success;
  },
};

function readNetwork(text: string | undefined): NetworkOptions | undefined {
  if (text === undefined) return undefined;
  try {
    return parseNetwork(text);
  } catch (error) {
    const problems = [`--network: ${(error as Error).message} (for example: loss=5,jitter=40)`];
    throw new UserError('Cannot simulate the network', { exitCode: EXIT.config, problems, cause: error });
  }
}

interface Caller {
  readonly rateHz: TransportRateHz;
  readonly samples: Int16Array;
}

async function readCaller(files: Files, file: string): Promise<Caller> {
  const bytes = await files.read(file).catch(systemProblem("Cannot read the caller's recording", file));
  let wav: ReturnType<typeof readWav>;
  try {
    wav = readWav(bytes);
  } catch (error) {
    throw new UserError("Cannot read the caller's recording", {
      exitCode: EXIT.config,
      problems: [`${file}: ${(error as Error).message}`],
      cause: error,
    });
  }
  if (!RATES.includes(wav.rateHz)) {
    const problems = [
      `${file}: its rate is ${wav.rateHz} Hz; convert it to ${RATES.join(', ')} Hz (for example: sox IN.wav -r 16000 OUT.wav)`,
    ];
    throw new UserError("Cannot use the caller's recording", { exitCode: EXIT.config, problems });
  }
  return { rateHz: wav.rateHz as TransportRateHz, samples: mono(wav.channels) };
}

function mono(channels: readonly Int16Array[]): Int16Array {
  const [first] = channels as [Int16Array];
  if (channels.length === 1) return first;
  return first.map((_, i) => channels.reduce((sum, c) => sum + (c[i] as number), 0) / channels.length);
}

/** Both sides at the agent's rate, on the caller's clock. */
function stereo(caller: Caller, line: FileTransport): Uint8Array {
  const right = line.agentSide();
  const left = new Int16Array(right.length);
  if (caller.rateHz === line.outputRateHz) left.set(caller.samples.subarray(0, left.length));
  else {
    const resampler = createAudioCore({ maxSlots: 1 }).openResampler(caller.rateHz, line.outputRateHz);
    const samples = new Int16Array(
      resampler.maxOutput(caller.samples.length) + resampler.delaySamples * 2 + line.outputRateHz,
    );
    const count = resampler.process(caller.samples, samples);
    const end = count + resampler.flush(samples.subarray(count));
    left.set(samples.subarray(0, Math.min(end, left.length)));
  }
  return writeWav(line.outputRateHz, [left, right]);
}
