// How long a simulated model takes: named profiles, and numbers for each stage.
import * as v from 'valibot';

/** One number, or a range from which each request draws evenly. */
const Duration = v.union(
  [
    v.pipe(v.number(), v.minValue(0), v.maxValue(600_000)),
    v.pipe(
      v.tuple([v.pipe(v.number(), v.minValue(0)), v.pipe(v.number(), v.maxValue(600_000))]),
      v.check(([from, to]) => from <= to, 'must be [from, to] with from <= to'),
    ),
  ],
  'must be milliseconds from 0 to 600000, or a range [from, to] of them',
);
export type DurationMs = v.InferOutput<typeof Duration>;

export const LatencySchema = v.strictObject({
  /** Transcription, from the end of the upload. */
  sttMs: v.optional(Duration),
  /** First token. */
  llmMs: v.optional(Duration),
  /** Each further word. */
  tokenMs: v.optional(Duration),
  /** First speech byte. */
  ttsMs: v.optional(Duration),
  /** Speech after the first byte, as a multiple of real time; 0: all at once. */
  ttsSpeed: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1000))),
});
export type Latency = Required<{
  [K in keyof v.InferOutput<typeof LatencySchema>]: NonNullable<v.InferOutput<typeof LatencySchema>[K]>;
}>;

/** `specification`: the component ranges that the specification's latency budget is made of. */
export const PROFILES = {
  instant: { sttMs: 0, llmMs: 0, tokenMs: 0, ttsMs: 0, ttsSpeed: 0 },
  fast: { sttMs: 80, llmMs: 150, tokenMs: 8, ttsMs: 80, ttsSpeed: 8 },
  specification: { sttMs: [50, 150], llmMs: [200, 800], tokenMs: [10, 30], ttsMs: [50, 200], ttsSpeed: 4 },
  slow: { sttMs: [600, 1200], llmMs: [1500, 3000], tokenMs: [60, 120], ttsMs: [600, 1200], ttsSpeed: 1.5 },
} as const satisfies Record<
  string,
  { readonly [K in keyof Latency]: K extends 'ttsSpeed' ? number : number | readonly [number, number] }
>;
export type ProfileName = keyof typeof PROFILES;
export const PROFILE_NAMES = Object.keys(PROFILES) as ProfileName[];

export function drawMs(duration: number | readonly [number, number], random: () => number): number {
  return typeof duration === 'number' ? duration : duration[0] + (duration[1] - duration[0]) * random();
}
