// WAV files as the simulated endpoints take them: PCM16 of any usual rate, mixed to one channel.
import { readWav as readChannels } from '../../audio/wav.ts';

export interface Wav {
  readonly sampleRateHz: number;
  /** All channels mixed to one, -1..1. */
  readonly samples: Float32Array;
}

const MAX_CHANNELS = 8;
const MIN_RATE_HZ = 8000;
const MAX_RATE_HZ = 48_000;

/** Throws `Error` that says what is wrong with the file and what to do. */
export function readWav(bytes: Uint8Array): Wav {
  const { rateHz, channels } = readChannels(bytes);
  if (channels.length > MAX_CHANNELS) {
    throw new Error(`The WAV file has ${channels.length} channels: at most ${MAX_CHANNELS} are accepted.`);
  }
  if (rateHz < MIN_RATE_HZ || rateHz > MAX_RATE_HZ) {
    throw new Error(`The rate of the WAV file is ${rateHz} Hz: ${MIN_RATE_HZ} to ${MAX_RATE_HZ} are accepted.`);
  }
  const samples = new Float32Array(channels[0]?.length ?? 0);
  const scale = 1 / (32_768 * channels.length);
  for (const channel of channels) {
    for (let i = 0; i < samples.length; i++) samples[i] = (samples[i] as number) + (channel[i] as number) * scale;
  }
  return { sampleRateHz: rateHz, samples };
}
