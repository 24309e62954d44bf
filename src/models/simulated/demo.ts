// The demonstration call: a caller's recorded voice, a script that answers it, and the agent that speaks.
import { bytesOfBase64, decodeAdpcm } from './adpcm.ts';
import { DEMO_RECORDINGS } from './demo-recordings.generated.ts';
import { DEMO_INSTRUCTIONS, DEMO_LENGTH_MS, DEMO_PHRASES, DEMO_SCRIPT } from './demo-script.ts';
import type { KnownRecording } from './recognizer.ts';
import type { Script } from './script.ts';

export interface DemoPhrase {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  /** True where the caller speaks over the agent. */
  readonly interrupts: boolean;
}
export interface DemoDialogue {
  readonly sampleRateHz: 16_000;
  /** The caller's side of the whole call: mono PCM16, digital silence between the phrases. A new array each time. */
  callerPcm(): Int16Array;
  readonly phrases: readonly DemoPhrase[];
  readonly lengthMs: number;
  readonly script: Script;
  /** The phrases by themselves, as the simulated recognizer knows them. */
  recordings(): KnownRecording[];
}

const RATE_HZ = 16_000;

/** Recordings by Allison Smith, CC-BY-SA-3.0 (see NOTICE). */
export const demoDialogue: DemoDialogue = {
  sampleRateHz: RATE_HZ,
  lengthMs: DEMO_LENGTH_MS,
  script: DEMO_SCRIPT,
  phrases: DEMO_PHRASES.map(({ clip, text, atMs, interrupts }) => ({
    text,
    startMs: atMs,
    endMs: atMs + (clipPlace(clip)[1] * 1000) / RATE_HZ,
    interrupts,
  })),
  callerPcm() {
    const pcm = new Int16Array((DEMO_LENGTH_MS * RATE_HZ) / 1000);
    for (const { clip, atMs } of DEMO_PHRASES) pcm.set(decodeClip(clip), (atMs * RATE_HZ) / 1000);
    return pcm;
  },
  recordings: () =>
    DEMO_PHRASES.map(({ clip, text }) => ({
      text,
      samples: Float32Array.from(decodeClip(clip), (sample) => sample / 32768),
      sampleRateHz: RATE_HZ,
    })),
};

/** The agent of the demonstration, in the shape that an agent file exports. Its tool only pretends to test a line. */
export const demoAgent = {
  name: 'demonstration',
  instructions: DEMO_INSTRUCTIONS,
  tools: [
    {
      name: 'check_line',
      description: 'Tests a telephone line and says whether it works.',
      parameters: {
        type: 'object',
        properties: { line: { type: 'integer', minimum: 1 } },
        required: ['line'],
        additionalProperties: false,
      },
      run: ({ line }: { line: number }) => ({ line, works: true }),
    },
  ],
} as const;

function clipPlace(clip: string): readonly [number, number] {
  const place = DEMO_RECORDINGS.clips[clip];
  if (!place) throw new Error(`The demonstration has no recording '${clip}': run scripts/render-voice.ts`);
  return place;
}

function decodeClip(clip: string): Int16Array {
  const [at, samples] = clipPlace(clip);
  return decodeAdpcm(bytesOfBase64(DEMO_RECORDINGS.data).subarray(at, at + ((samples + 1) >> 1)), samples);
}
