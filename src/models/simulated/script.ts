// What a simulated model knows: a dialogue, answers to key words, and an honest answer to everything else.
import * as v from 'valibot';
import type { KnownRecording } from './recognizer.ts';
import { readWav } from './wav.ts';

const Text = v.pipe(
  v.string('must be text'),
  v.minLength(1, 'must not be empty'),
  v.maxLength(5000, 'must be at most 5000 characters'),
);

const ToolUse = v.strictObject({ name: Text, arguments: v.optional(v.record(v.string(), v.unknown())) });
const Turn = v.strictObject({
  /** What the caller says; compared without case and punctuation. */
  user: Text,
  /** `{result}` stands for the result of the last tool. */
  reply: Text,
  /** Called before the reply, where the request offers them. */
  tools: v.optional(v.pipe(v.array(ToolUse), v.maxLength(16))),
});
const Recording = v.strictObject({
  text: Text,
  /** File beside the script. */
  wav: Text,
  startMs: v.optional(v.pipe(v.number(), v.minValue(0))),
  endMs: v.optional(v.pipe(v.number(), v.minValue(0))),
});
export const ScriptSchema = v.strictObject({
  name: v.optional(Text),
  language: v.optional(Text),
  recordings: v.optional(v.pipe(v.array(Recording), v.maxLength(200))),
  turns: v.optional(v.pipe(v.array(Turn), v.maxLength(1000))),
  keywords: v.optional(
    v.pipe(v.array(v.strictObject({ words: v.pipe(v.array(Text), v.minLength(1)), reply: Text })), v.maxLength(1000)),
  ),
  /** Said when nothing else fits. */
  fallback: v.optional(Text),
  /** Said when a recording was damaged or cut. */
  unclear: v.optional(Text),
  /** Said when nobody has said anything. */
  greeting: v.optional(Text),
});
export type Script = v.InferOutput<typeof ScriptSchema>;

export const DEFAULT_FALLBACK = 'I am a simulated model. I only know the demonstration.';
export const DEFAULT_UNCLEAR = 'I did not hear all of that. Please say it again.';
export const DEFAULT_GREETING = 'Hello!';

/** Checks a script. Throws `TypeError` that names each wrong place and what is wanted. */
export function parseScript(value: unknown): Script {
  const result = v.safeParse(ScriptSchema, value);
  if (result.success) return result.output;
  throw new TypeError(`Cannot use the script:\n${describeIssues(result.issues)}`);
}

/** One line for each of the first five issues: `  turns[2].reply: must not be empty`. */
export function describeIssues(issues: readonly v.BaseIssue<unknown>[]): string {
  const lines = issues.slice(0, 5).map((issue) => {
    const path = v.getDotPath(issue)?.replace(/\.(\d+)(?=\.|$)/g, '[$1]') ?? '(top)';
    const message =
      issue.type === 'strict_object' && issue.expected === 'never'
        ? 'is not known here; remove it or correct its name'
        : issue.message.startsWith('must') || issue.message.startsWith('needs')
          ? issue.message
          : `expected ${issue.expected ?? 'another value'}, got ${issue.received}`;
    return `  ${path}: ${message}`;
  });
  if (issues.length > 5) lines.push(`  and ${issues.length - 5} more`);
  return lines.join('\n');
}

/** Cuts a script's recordings out of its WAV files. `read` gives the bytes of a file that the script names. Throws `TypeError`. */
export async function loadRecordings(
  script: Script,
  read: (name: string) => Promise<Uint8Array>,
): Promise<KnownRecording[]> {
  const files = new Map<string, ReturnType<typeof readWav>>();
  const recordings: KnownRecording[] = [];
  for (const [index, { text, wav: name, startMs, endMs }] of (script.recordings ?? []).entries()) {
    let wav = files.get(name);
    if (!wav) {
      try {
        wav = readWav(await read(name));
      } catch (error) {
        throw new TypeError(
          `Cannot use recordings[${index}].wav of the script, '${name}': ${error instanceof Error ? error.message : error}`,
        );
      }
      files.set(name, wav);
    }
    const at = (ms: number): number => Math.round((ms * (wav as { sampleRateHz: number }).sampleRateHz) / 1000);
    const samples = wav.samples.slice(at(startMs ?? 0), endMs === undefined ? undefined : at(endMs));
    if (samples.length < wav.sampleRateHz / 5) {
      throw new TypeError(
        `Cannot use recordings[${index}] of the script: only ${samples.length} samples lie between its startMs and endMs, 200 ms are needed`,
      );
    }
    recordings.push({ text, samples, sampleRateHz: wav.sampleRateHz });
  }
  return recordings;
}
