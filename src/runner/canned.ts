// Stock phrases that must be speakable when no model is: said by the voice if it answers quickly, else by a clip in this program.
import type { AudioCore, Resampler, SampleRateHz } from '../audio/core.ts';
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
const VOICE_LIMIT_MS = 450;
/** A voice that is slower is not heard this time, but kept for the next. */
const KEEP_LIMIT_MS = 5000;
const MAX_KEPT = 32;
/** Half a minute at 48 kHz. */
const MAX_PHRASE_BYTES = 2_880_000;

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
  const { core, clock, clip } = options;
  /** Only the agent's own voice is kept: the clip is for as long as the voice is away. */
  const kept = new Map<string, Int16Array>();
  const asked = new Map<string, Promise<Int16Array | null>>();

  async function ask(key: string, text: string, rateHz: SampleRateHz): Promise<Int16Array | null> {
    const spoken = await byVoice(options, text);
    asked.delete(key);
    if (spoken === null) return null;
    const samples = atRate(core, spoken, rateHz);
    if (samples.length > 0 && kept.size < MAX_KEPT) kept.set(key, samples);
    return samples;
  }

  return {
    async get(name, text, rateHz) {
      const key = `${rateHz} ${text}`;
      const known = kept.get(key);
      if (known !== undefined) return known;
      const asking = asked.get(key) ?? ask(key, text, rateHz);
      if (!kept.has(key)) asked.set(key, asking);
      const spoken = await within(asking, clock, VOICE_LIMIT_MS);
      return spoken ?? atRate(core, clip(name), rateHz);
    },
  };
}

/** Null when it takes longer. */
function within<T>(promise: Promise<T | null>, clock: Clock, limitMs: number): Promise<T | null> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(() => resolve(null), limitMs);
    const done = (value: T | null) => {
      cancel();
      resolve(value);
    };
    promise.then(done, () => done(null));
  });
}

/** Never rejects; null when the voice has no answer. */
function byVoice({ tts, voice, clock }: CannedOptions, text: string): Promise<Clip | null> {
  if (tts === null) return Promise.resolve(null);
  const scope = createScope();
  return new Promise((resolve) => {
    const cancel = clock.setTimer(() => {
      scope.stop();
      resolve(null);
    }, KEEP_LIMIT_MS);
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
    if (length > MAX_PHRASE_BYTES) throw new RangeError(`A phrase must not take more than ${MAX_PHRASE_BYTES} bytes`);
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
  let resampler: Resampler;
  try {
    resampler = core.openResampler(clip.sampleRateHz, rateHz);
  } catch {
    return new Int16Array(0);
  }
  try {
    const out = new Int16Array(resampler.maxOutput(clip.samples.length) + resampler.delaySamples * 2 + rateHz / 50);
    const count = resampler.process(clip.samples, out);
    return out.subarray(0, count + resampler.flush(out.subarray(count)));
  } finally {
    resampler.release();
  }
}
