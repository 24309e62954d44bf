// Conversions of formats are counted apart (TRK-08), and counting allocates nothing.
// alone: the bytes of the heap are counted, and another suite's would count too
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { createAudioCore } from '../../src/audio/index.ts';
import { defineAgent } from '../../src/agent/define-agent.ts';
import { composeRuntime } from '../../src/cli/compose.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createRegistry, type Registry, takeSnapshot } from '../../src/metrics/index.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { Readings } from '../../src/ops/views/index.ts';
import { createConversions, measureCore } from '../../src/runner/measured-core.ts';
import { speechLike } from '../audio/signals.ts';

/** A core whose clock goes on by a quarter of a millisecond whenever it is read. */
function measured(maxSlots = 4) {
  const registry = createRegistry();
  let nowMs = 0;
  const now = () => (nowMs += 0.25);
  return {
    registry,
    core: measureCore(createAudioCore({ maxSlots }), { conversions: createConversions(registry), now }),
  };
}
const read = (registry: Registry, name: string, labels: Record<string, string>) =>
  new Readings(takeSnapshot(registry)).value(`syrinx.conversion.${name}`, labels);

test('TRK-08: seconds, bytes and time of conversions, by kind and formats', () => {
  const { registry, core } = measured();
  const analyzer = core.openAnalyzer(48_000);
  for (let i = 0; i < 50; i++) {
    analyzer.write(new Uint8Array(1920));
    while (analyzer.next());
  }
  const voice = { kind: 'resample', from: '48000', to: '16000' };
  assert.equal(read(registry, 'pieces', voice), 50);
  assert.ok(Math.abs((read(registry, 'audio', voice) ?? 0) - 1) < 1e-9);
  assert.ok(Math.abs((read(registry, 'time', voice) ?? 0) - 50 * 0.00025) < 1e-9);
  assert.equal(read(registry, 'input', voice), 96_000);
  assert.equal(read(registry, 'output', voice), 32_000);

  const resampler = core.openResampler(24_000, 8_000);
  const out = new Int16Array(400);
  let written = resampler.process(new Int16Array(960), out);
  written += resampler.flush(out);
  const down = { kind: 'resample', from: '24000', to: '8000' };
  assert.equal(written, 320);
  assert.ok(Math.abs((read(registry, 'audio', down) ?? 0) - 0.04) < 1e-9);
  assert.equal(read(registry, 'output', down), 640);

  const pcm = new Int16Array(160);
  core.decodeG711('mu', new Uint8Array(160).fill(0xff), pcm);
  core.encodeG711('a', pcm, new Uint8Array(160));
  assert.equal(read(registry, 'audio', { kind: 'g711', from: 'mu', to: 'pcm16' }), 0.02);
  assert.equal(read(registry, 'output', { kind: 'g711', from: 'mu', to: 'pcm16' }), 320);
  assert.equal(read(registry, 'output', { kind: 'g711', from: 'pcm16', to: 'a' }), 160);
  assert.equal(read(registry, 'input', { kind: 'g711', from: 'pcm16', to: 'a' }), 320);
});

test('what needs no conversion is none, and the measured core gives the same samples', () => {
  const { registry, core } = measured();
  const plain = createAudioCore({ maxSlots: 4 });
  const pcm = speechLike({ seconds: 1, seed: 3, noiseDb: -50 });
  const outputs = [core, plain].map((one) => {
    const resampler = one.openResampler(16_000, 24_000);
    const out = new Int16Array(resampler.maxOutput(pcm.length));
    return out.subarray(0, resampler.process(pcm, out));
  });
  assert.deepEqual(outputs[0], outputs[1]);
  const scores = [core, plain].map((one) => {
    const analyzer = one.openAnalyzer(16_000);
    analyzer.write(new Uint8Array(pcm.buffer, 0, 640));
    assert.ok(analyzer.next());
    return analyzer.score;
  });
  assert.equal(scores[0], scores[1]);
  assert.equal(read(registry, 'pieces', { from: '16000', to: '16000' }), null);
  assert.equal(core.slotsInUse, 2);
});

test('the program measures its own conversions: voices, and utterances that are packed as WAV', async () => {
  const flag = (key: string, value: unknown) => ({ name: key, key, value });
  const { config } = loadConfig({
    flags: [flag('models.provider', 'simulated'), flag('listening.vad', 'energy')],
    environment: {},
  });
  const log = createLogger({ level: 'error', format: 'json', write() {}, now: Date.now });
  const runtime = composeRuntime({ config, agent: defineAgent({ instructions: 'Help.', greeting: 'Hello.' }), log });
  const call = runtime.open({ transport: 'test', inputRateHz: 48_000, outputRateHz: 16_000 });
  for (let i = 0; i < 10; i++) call.input.audio(new Uint8Array(1920), i * 960);
  const heard = read(runtime.registry, 'audio', { kind: 'resample', from: '48000', to: '16000' });
  assert.ok(Math.abs((heard ?? 0) - 0.2) < 1e-9, String(heard));
  // The series of utterances is there from the start: none has been packed, and that is known.
  assert.equal(read(runtime.registry, 'pieces', { kind: 'wav', from: 'pcm16', to: 'wav' }), 0);
  await runtime.closeAll('over');
});

const ROUNDS = 20;
const FRAMES = 5000;
/** One boxed number a frame would be 60 kB or more. Bun reports its heap only when it collects: there this shows less. */
const TOLERANCE_BYTES = 20_000;

test('measuring a conversion allocates nothing', () => {
  const registry = createRegistry();
  const conversions = createConversions(registry);
  const clock = new Float64Array(1);
  const core = measureCore(createAudioCore({ maxSlots: 2 }), { conversions, now: () => (clock[0]! += 0.001) });
  const analyzer = core.openAnalyzer(48_000);
  const resampler = core.openResampler(24_000, 48_000);
  const packet = new Uint8Array(1920);
  const input = new Int16Array(480);
  const output = new Int16Array(960);
  const run = (frames: number): void => {
    for (let i = 0; i < frames; i++) {
      analyzer.write(packet);
      while (analyzer.next());
      resampler.process(input, output);
    }
  };
  run(20_000);
  run(20_000);
  const changes: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.memoryUsage().heapUsed;
    run(FRAMES);
    changes.push(Math.abs(process.memoryUsage().heapUsed - before));
  }
  const median = changes.sort((a, b) => a - b)[ROUNDS / 2]!;
  assert.ok(median < TOLERANCE_BYTES, `${median} bytes in ${FRAMES} frames`);
  assert.ok((read(registry, 'pieces', { kind: 'resample' }) ?? 0) > 2 * FRAMES);
});
