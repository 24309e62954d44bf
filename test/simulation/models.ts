// Scripted models on virtual time: what each request answers, when, and how it may go wrong.
import {
  type GenerateEvent,
  type GenerateRequest,
  type LlmModel,
  ModelError,
  type SttModel,
  type ToolCall,
  type TranscribeRequest,
  type TtsModel,
} from '../../src/models/port.ts';
import type { Caller } from './caller.ts';
import { OUTPUT_HZ } from './line.ts';
import type { VirtualTime } from './virtual-time.ts';

/** One step of an answer. `stall`: nothing comes any more. `deaf`: the model does not even heed its signal. */
export type Step<T> =
  | { readonly afterMs?: number; readonly give: T }
  | { readonly afterMs?: number; readonly fail: ModelError | Error }
  | { readonly stall: true; readonly deaf?: boolean };

/** `n` counts the requests of the model from 0. */
export type Script<Request, T> = (request: Request, n: number) => readonly Step<T>[];

/** A request that was made. `endedMs`: when its stream was over, aborted or given back. */
export interface Asked<Request> {
  readonly request: Request;
  readonly atMs: number;
  endedMs: number | null;
  aborted: boolean;
}

async function* perform<Request, T>(
  script: Script<Request, T>,
  request: Request,
  asked: Asked<Request>[],
  signal: AbortSignal,
  time: VirtualTime,
): AsyncGenerator<T> {
  const entry: Asked<Request> = { request, atMs: time.now(), endedMs: null, aborted: false };
  asked.push(entry);
  const aborted = () => new ModelError('aborted', 'scripted', 'Request was given up');
  const noticed = () => {
    entry.aborted = true;
  };
  signal.addEventListener('abort', noticed);
  try {
    for (const step of script(request, asked.length - 1)) {
      if ('stall' in step) {
        if (step.deaf === true) await new Promise<never>(() => {});
        await time.wait(1e9, signal, aborted);
      } else {
        if ((step.afterMs ?? 0) > 0) await time.wait(step.afterMs ?? 0, signal, aborted);
        if ('fail' in step) throw step.fail;
        yield step.give;
      }
    }
  } finally {
    signal.removeEventListener('abort', noticed);
    entry.endedMs = time.now();
  }
}

export type SttScript = Script<TranscribeRequest, string>;
export type LlmScript = Script<GenerateRequest, GenerateEvent>;
export type TtsScript = Script<string, Uint8Array>;

export interface ScriptedModels {
  readonly stt: SttModel & { asked: Asked<TranscribeRequest>[] };
  readonly llm: LlmModel & { asked: Asked<GenerateRequest>[] };
  readonly tts: TtsModel & { asked: Asked<string>[] };
}

export function scriptedStt(time: VirtualTime, script: SttScript, name = 'scripted.stt'): ScriptedModels['stt'] {
  const asked: Asked<TranscribeRequest>[] = [];
  return {
    name,
    asked,
    async transcribe(request, signal) {
      for await (const text of perform(script, request, asked, signal, time)) return { text };
      throw new ModelError('protocol', name, 'Ended without an answer');
    },
  };
}

export function scriptedLlm(time: VirtualTime, script: LlmScript, name = 'scripted.llm'): ScriptedModels['llm'] {
  const asked: Asked<GenerateRequest>[] = [];
  return { name, asked, generate: (request, signal) => perform(script, request, asked, signal, time) };
}

export function scriptedTts(time: VirtualTime, script: TtsScript, name = 'scripted.tts'): ScriptedModels['tts'] {
  const asked: Asked<string>[] = [];
  return {
    name,
    asked,
    sampleRateHz: OUTPUT_HZ,
    synthesize: ({ text }, signal) => perform(script, text, asked, signal, time),
  };
}

// ---- usual answers ----

/** Hears the caller's words after `afterMs`. */
export function hears(caller: Caller, afterMs = 200): SttScript {
  return ({ pcm }) => [{ afterMs, give: caller.recognize(pcm) }];
}

/** Words one by one, then the end. */
export function writes(text: string, firstMs = 300, tokenMs = 20): Step<GenerateEvent>[] {
  const words = text.match(/\S+\s*/g) ?? [];
  return [
    ...words.map(
      (word, i): Step<GenerateEvent> => ({
        afterMs: i === 0 ? firstMs : tokenMs,
        give: { type: 'text', text: word },
      }),
    ),
    { give: { type: 'usage', inputTokens: 10, outputTokens: words.length } },
    { give: { type: 'finish', reason: 'stop' } },
  ];
}

/** Calls of tools, all in one round. */
export function calls(...all: readonly ToolCall[]): Step<GenerateEvent>[] {
  return [
    ...all.map((call, i): Step<GenerateEvent> => ({ afterMs: i === 0 ? 300 : 0, give: { type: 'tool-call', call } })),
    { give: { type: 'finish', reason: 'tool-calls' } },
  ];
}

/** Speech takes this long for a text. */
export function speechMs(text: string): number {
  return text.length * 60;
}

const CHUNK_MS = 100;
/** Samples of a text count up from here, so that a hole, a repetition or a swap shows. */
export const FIRST_SAMPLE = 1000;
const SAMPLE_RANGE = 30_000;
export function sampleAt(index: number): number {
  return FIRST_SAMPLE + (index % SAMPLE_RANGE);
}

/** Samples are copied from here: a function call for each would be most of the time of a test. */
let table = new Int16Array(0);
function samplesFrom(at: number, count: number): Int16Array {
  if (table.length < at + count) table = new Int16Array((at + count) * 2).map((_, i) => sampleAt(i));
  return table.slice(at, at + count);
}

/** A voice that is ten times as fast as speech. */
export function speaks(firstMs = 150): TtsScript {
  return (text) => {
    const total = (speechMs(text) * OUTPUT_HZ) / 1000;
    const chunk = (CHUNK_MS * OUTPUT_HZ) / 1000;
    const steps: Step<Uint8Array>[] = [];
    for (let at = 0; at < total; at += chunk) {
      const samples = samplesFrom(at, Math.min(chunk, total - at));
      steps.push({ afterMs: at === 0 ? firstMs : CHUNK_MS / 10, give: new Uint8Array(samples.buffer) });
    }
    return steps;
  };
}
