// What a chunk of audio costs on its way: taking it in, converting it, looking for speech, the whole session; and what it is kept in.
import process from 'node:process';
import { createAudioCore } from '../../src/audio/index.ts';
import type { TtsModel } from '../../src/models/port.ts';
import { callerLoop, instantModels, PACKET_SAMPLES, RATE_HZ } from '../conversation.ts';
import { SessionRig, VOICED } from '../session-rig.ts';
import { percentile } from '../statistics.ts';
import { benchmarkRuntime, openWrittenCall } from './calls.ts';
import type { Measurement } from './report.ts';

const CHUNK_FRAMES = 5;
const CHUNK_SAMPLES = PACKET_SAMPLES * CHUNK_FRAMES;
const HEARD_FRAMES = 2000;

/** Each step of a 100 ms chunk by itself; p95 in ms. */
export function measureStages(chunks: number): Measurement[] {
  const { packets } = callerLoop(4000);
  const chunk = new Uint8Array(Buffer.concat(packets.slice(30, 30 + CHUNK_FRAMES)));
  const core = createAudioCore({ maxSlots: 4 });
  const analyzer = core.openAnalyzer(RATE_HZ);
  const resampler = core.openResampler(24_000, RATE_HZ);
  const input = new Int16Array(2400).map((_, i) => Math.round(9000 * Math.sin(i * 0.05)));
  const output = new Int16Array(resampler.maxOutput(input.length));
  const frames = () => {
    while (analyzer.next());
  };
  const write = p95(chunks, () => void analyzer.write(chunk), frames);
  const detect = p95(chunks, frames, undefined, () => void analyzer.write(chunk));
  const both = p95(chunks, () => {
    analyzer.write(chunk);
    frames();
  });
  const convert = p95(chunks, () => void resampler.process(input, output));
  const copied = new Int16Array(CHUNK_SAMPLES);
  const samples = new Int16Array(chunk.buffer.slice(0));
  const copy = { what: 'ms, copy in plain code', value: p95(chunks, () => copyPlainly(samples, copied)) };
  const method = (what: string) => `${what}; p95 of ${chunks} chunks of 100 ms at 16 kHz`;
  return [
    { id: 'LAT-04', value: both, method: method('`write` and `next` of the analyzer'), control: copy },
    { id: 'LAT-05', value: detect, method: method('`next` of the analyzer, five frames of speech'), control: copy },
    { id: 'LAT-06', value: write, method: method('`write` into the ring'), control: copy },
    { id: 'LAT-07', value: convert, method: method('resampling 24 to 16 kHz'), control: copy },
    {
      id: 'LAT-11',
      value: hear(chunks),
      method: method('`Session.audio`: from the packet to the decision'),
      control: copy,
    },
  ];
}

/** CPU of one stream's frames, in percent of a core: 50 frames a second. */
export function measureStreamCpu(frames: number): Measurement {
  const rig = new SessionRig();
  const cost = (run: () => void) => {
    const fromMs = performance.now();
    for (let i = 0; i < frames; i++) run();
    return (performance.now() - fromMs) / frames / 20;
  };
  cost(() => rig.speak());
  const packet = VOICED[0] as Uint8Array;
  const analyzer = createAudioCore({ maxSlots: 1 }).openAnalyzer(RATE_HZ);
  const alone = cost(() => {
    analyzer.write(packet);
    analyzer.next();
  });
  const value = cost(() => rig.speak()) * 100;
  const control = { what: '%, analyzer alone', value: alone * 100 };
  return { id: 'RES-08', value, method: `${frames} frames of speech through a session, 50 a second`, control };
}

function hear(chunks: number): number {
  const rig = new SessionRig();
  let i = 0;
  const chunk = new Uint8Array(CHUNK_SAMPLES * 2);
  return p95(
    chunks,
    () => rig.session.audio(chunk, i * CHUNK_SAMPLES, i * 100),
    () => void i++,
    () => {
      for (let k = 0; k < CHUNK_FRAMES; k++)
        chunk.set(VOICED[(i * CHUNK_FRAMES + k) % VOICED.length] as Uint8Array, k * PACKET_SAMPLES * 2);
    },
  );
}

/** From the voice model's first chunk to its first sound on the line; p95 in ms. */
export async function measureOutput(times: number): Promise<Measurement> {
  const models = instantModels(500);
  const [{ model, breaker }] = models.tts as [(typeof models.tts)[number]];
  let yieldedMs = 0;
  const tts: TtsModel = {
    name: model.name,
    sampleRateHz: model.sampleRateHz,
    async *synthesize(request, signal) {
      for await (const chunk of model.synthesize(request, signal)) {
        if (yieldedMs === 0) yieldedMs = performance.now();
        yield chunk;
      }
    },
  };
  const runtime = benchmarkRuntime({ models: { ...models, tts: [{ model: tts, breaker }] } });
  // A rest of the reply before does not count.
  const call = openWrittenCall(runtime, () => yieldedMs !== 0);
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    yieldedMs = 0;
    const asked = call.ask('How is the weather?').then(() => performance.now());
    took.push((await asked) - yieldedMs);
  }
  await runtime.closeAll('measured');
  const value = percentile(took.slice(times / 5), 0.95);
  return {
    id: 'LAT-15',
    value,
    method: `voice model's first chunk to the transport, resampling included; p95 of ${times}`,
  };
}

/** The largest buffer of a session: what a turn of 40 s adds to a session that has heard nothing yet. */
export function measureBuffers(): Measurement | null {
  const sessions = 10;
  const held: SessionRig[] = [];
  const bytesOf = (frames: number): number => {
    const before = process.memoryUsage().arrayBuffers;
    for (let k = 0; k < sessions; k++) {
      const rig = new SessionRig();
      for (let i = 0; i < frames; i++) rig.speak();
      held.push(rig);
    }
    return (process.memoryUsage().arrayBuffers - before) / sessions;
  };
  const bytes = bytesOf(HEARD_FRAMES) - bytesOf(0);
  // A runtime that shows less than the audio that is certainly held does not count buffers.
  if (bytes < HEARD_FRAMES * PACKET_SAMPLES * 2) return null;
  return {
    id: 'RES-03',
    value: bytes / 1e6,
    method: `array buffers of ${held.length / 2} sessions with a turn of 40 s, less those of fresh ones`,
  };
}

function p95(times: number, run: () => void, after?: () => void, before?: () => void): number {
  const took: number[] = [];
  for (let i = 0; i < times * 1.2; i++) {
    before?.();
    const fromMs = performance.now();
    run();
    const ms = performance.now() - fromMs;
    after?.();
    // The first fifth warms up.
    if (i >= times * 0.2) took.push(ms);
  }
  return percentile(took, 0.95);
}

function copyPlainly(from: Int16Array, to: Int16Array): void {
  for (let i = 0; i < to.length; i++) to[i] = from[i] as number;
}
