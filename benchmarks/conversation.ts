// What is said in a benchmark: a recorded caller in a loop, and models that answer at once, so that only the runtime is measured.
import { demoDialogue } from '../src/models/simulated/index.ts';
import type { GenerateEvent, LlmModel, SttModel, TtsModel } from '../src/models/port.ts';
import { Breaker } from '../src/runner/breaker.ts';
import type { CallModels, Guarded } from '../src/runner/call.ts';
import { systemClock } from '../src/runner/clock.ts';

export const RATE_HZ = 16_000;
export const PACKET_MS = 20;
export const PACKET_SAMPLES = (RATE_HZ * PACKET_MS) / 1000;
/** OpenAI's speech comes at 24 kHz, so the cost of bringing it to the line's rate is part of every figure. */
const VOICE_HZ = 24_000;
const CHUNK_BYTES = VOICE_HZ / 5;
const MS_PER_CHAR = 65;
const SENTENCE = 'Please stay calm, count the weasels, and close the cable cupboard. ';

export interface Loop {
  /** 20 ms each. */
  readonly packets: readonly Uint8Array[];
  readonly speechMs: number;
}

/** One recorded phrase (2.5 s) after 400 ms of silence, then silence until `lengthMs`. */
export function callerLoop(lengthMs: number): Loop {
  const speech = phrase();
  const pcm = new Int16Array((lengthMs * RATE_HZ) / 1000);
  pcm.set(speech, 0.4 * RATE_HZ);
  const packets: Uint8Array[] = [];
  for (let at = 0; at + PACKET_SAMPLES <= pcm.length; at += PACKET_SAMPLES)
    packets.push(new Uint8Array(pcm.buffer, at * 2, PACKET_SAMPLES * 2));
  return { packets, speechMs: (speech.length * 1000) / RATE_HZ };
}

function phrase(): Int16Array {
  const samples = demoDialogue.recordings()[1]?.samples;
  if (samples === undefined) throw new Error('The demonstration has no second recording');
  return Int16Array.from(samples, (sample) => Math.round(sample * 32767));
}

/** Models without latency: the same words for everybody, a token a word, recorded speech as the voice. */
export function instantModels(replyMs: number): CallModels {
  const reply = SENTENCE.repeat(Math.ceil(replyMs / MS_PER_CHAR / SENTENCE.length)).slice(0, replyMs / MS_PER_CHAR);
  const tokens = reply.split(/(?<= )/);
  const stt: SttModel = {
    name: 'instant.stt',
    transcribe: () => Promise.resolve({ text: 'Weasels have eaten our phone system.' }),
  };
  const llm: LlmModel = {
    name: 'instant.llm',
    // oxlint-disable-next-line typescript/require-await -- the port wants an async iterable; this one never waits
    async *generate() {
      for (const text of tokens) yield { type: 'text', text } satisfies GenerateEvent;
      yield { type: 'finish', reason: 'stop' } satisfies GenerateEvent;
    },
  };
  const voice = voiceBytes();
  const tts: TtsModel = {
    name: 'instant.tts',
    sampleRateHz: VOICE_HZ,
    // oxlint-disable-next-line typescript/require-await -- as above
    async *synthesize({ text }) {
      const bytes = Math.round((text.length * MS_PER_CHAR * VOICE_HZ) / 1000) * 2;
      for (let done = 0; done < bytes; done += CHUNK_BYTES) {
        const from = done % (voice.length - CHUNK_BYTES);
        yield voice.subarray(from - (from % 2), from - (from % 2) + Math.min(CHUNK_BYTES, bytes - done));
      }
    },
  };
  return { stt: guarded(stt), llm: guarded(llm), tts: guarded(tts) };
}

function guarded<Model>(model: Model): Guarded<Model>[] {
  return [{ model, breaker: new Breaker(systemClock) }];
}

/** The recorded phrase at the voice's rate, by linear interpolation: it only has to be audible. */
function voiceBytes(): Uint8Array {
  const source = phrase();
  const out = new Int16Array(Math.floor(((source.length - 1) * VOICE_HZ) / RATE_HZ));
  for (let i = 0; i < out.length; i++) {
    const at = (i * RATE_HZ) / VOICE_HZ;
    const left = source[Math.floor(at)] as number;
    const right = source[Math.floor(at) + 1] as number;
    out[i] = Math.round(left + (right - left) * (at % 1));
  }
  return new Uint8Array(out.buffer);
}
