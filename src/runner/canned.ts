// Stock phrases that must be speakable when no model is: said by the voice if it answers quickly, else by a clip in this program.
import type { AudioCore, SampleRateHz } from '../audio/core.ts';
import type { TtsModel } from '../models/port.ts';
import type { Clock } from './clock.ts';
import { createScope } from './scope.ts';

export type CannedName = 'apology' | 'wait' | 'goodbye';
/** A clip that needs nobody: mono PCM16. */
export interface Clip {
  readonly sampleRateHz: SampleRateHz;
  readonly samples: Int16Array;
}

/** The voice has this long for the whole phrase, so that the caller hears something within two seconds of a dead model. */
const VOICE_LIMIT_MS = 700;
const MAX_KEPT = 32;

export interface CannedAudio {
  /** Never rejects. */
  get(name: CannedName, text: string, rateHz: SampleRateHz): Promise<Int16Array>;
}

export interface CannedOptions {
  readonly tts: TtsModel | null;
  readonly voice: string | undefined;
  readonly clip: (name: CannedName) => Clip;
  readonly core: AudioCore;
  readonly clock: Clock;
}

export function createCannedAudio(options: CannedOptions): CannedAudio {
  const kept = new Map<string, Int16Array>();
  return {
    async get(name, text, rateHz) {
      const key = `${rateHz} ${text}`;
      const known = kept.get(key);
      if (known !== undefined) return known;
      const spoken = await byVoice(options, text);
      const clip = spoken ?? options.clip(name);
      const samples = atRate(options.core, clip, rateHz);
      // Only the agent's own voice is kept: the clip is for as long as the voice is away.
      if (spoken !== null && kept.size < MAX_KEPT) kept.set(key, samples);
      return samples;
    },
  };
}

function byVoice({ tts, voice, clock }: CannedOptions, text: string): Promise<Clip | null> {
  if (tts === null) return Promise.resolve(null);
  const scope = createScope();
  return new Promise((resolve) => {
    const cancel = clock.setTimer(() => {
      scope.stop();
      resolve(null);
    }, VOICE_LIMIT_MS);
    collect(tts, text, voice, scope.signal).then(
      (samples) => {
        cancel();
        resolve(samples.length === 0 ? null : { sampleRateHz: tts.sampleRateHz as SampleRateHz, samples });
      },
      () => {
        cancel();
        resolve(null);
      },
    );
  });
}

async function collect(
  tts: TtsModel,
  text: string,
  voice: string | undefined,
  signal: AbortSignal,
): Promise<Int16Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of tts.synthesize({ text, voice }, signal)) {
    chunks.push(chunk.slice());
    length += chunk.length;
  }
  const bytes = new Uint8Array(length & ~1);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk.subarray(0, bytes.length - at), at);
    at += chunk.length;
  }
  return new Int16Array(bytes.buffer);
}

/** The clip at the line's rate; silence where no resampler is free. */
function atRate(core: AudioCore, clip: Clip, rateHz: SampleRateHz): Int16Array {
  if (clip.sampleRateHz === rateHz) return clip.samples;
  const resampler = core.openResampler(clip.sampleRateHz, rateHz);
  try {
    const out = new Int16Array(resampler.maxOutput(clip.samples.length) + resampler.delaySamples * 2 + rateHz / 50);
    const count = resampler.process(clip.samples, out);
    return out.subarray(0, count + resampler.flush(out.subarray(count)));
  } finally {
    resampler.release();
  }
}
