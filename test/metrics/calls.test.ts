// What is measured of calls: processing latency in a blocked loop, turns, tools, models and the permits that they wait for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAudioCore } from '../../src/audio/index.ts';
import { createRegistry, takeSnapshot } from '../../src/metrics/index.ts';
import { type LlmModel, ModelError, type SttModel, type TtsModel } from '../../src/models/port.ts';
import { Breaker } from '../../src/runner/breaker.ts';
import { createCallInstruments } from '../../src/runner/instruments.ts';
import { measureModels } from '../../src/runner/measured-models.ts';
import { createPermits } from '../../src/runner/permits.ts';
import type { Effects } from '../../src/session/effects.ts';
import type { LedgerTurn } from '../../src/session/ledger.ts';
import { DEFAULT_SESSION_OPTIONS } from '../../src/session/options.ts';
import { createSession } from '../../src/session/session.ts';
import { settled, VirtualTime } from '../simulation/virtual-time.ts';

function valueOf(registry: ReturnType<typeof createRegistry>, name: string, labels: Record<string, string> = {}) {
  const found = takeSnapshot(registry).filter(
    (one) => one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
  );
  assert.equal(found.length, 1, `${name} ${JSON.stringify(labels)}: ${found.length} series`);
  return found[0]!;
}
function numberOf(registry: ReturnType<typeof createRegistry>, name: string, labels: Record<string, string> = {}) {
  const one = valueOf(registry, name, labels);
  return one.kind === 'histogram' ? one.count : one.value;
}

test('a loop that is blocked for 400 ms shows as 400 ms of processing latency', () => {
  const registry = createRegistry();
  const recorder = createCallInstruments(registry).started('test');
  const nothing = () => {};
  const effects = new Proxy({} as Effects, { get: () => nothing });
  const analyzer = createAudioCore({ maxSlots: 1 }).openAnalyzer(16_000);
  const identity = { id: 'x', agent: 'x', transport: 'x', inputRateHz: 16_000, outputRateHz: 16_000 } as const;
  const session = createSession({ ...DEFAULT_SESSION_OPTIONS, ...identity }, analyzer, effects);
  const packet = new Uint8Array(640);
  let sent = 0;
  const hear = (nowMs: number) => {
    const [frames, late] = [session.framesIn, session.framesLate];
    session.audio(packet, sent++ * 320, nowMs);
    recorder.frames(session.framesIn - frames, session.framesLate - late, session.frameLatencyMs, 0.1);
  };
  for (let i = 1; i <= 100; i++) hear(i * 20);
  // Due at 2020, 2040, ...; the loop comes back at 2420 and finds them all.
  for (let i = 101; i <= 121; i++) hear(2420);
  for (let i = 122; i <= 200; i++) hear(i * 20);
  analyzer.release();
  const latency = valueOf(registry, 'syrinx.audio.processing');
  assert.ok(latency.kind === 'histogram' && latency.max !== null);
  assert.ok(Math.abs(latency.max - 0.4) < 0.001, `${latency.max} s`);
  assert.equal(latency.count, numberOf(registry, 'syrinx.audio.frames'));
  // Those that were due 20 ms or less before the loop came back are not late; the filter's delay may take one away.
  assert.ok(Math.abs(numberOf(registry, 'syrinx.audio.frames.late') - 19) <= 1);
  assert.ok(latency.p50 !== null && latency.p50 < 0.001, `${latency.p50}`);
});

test('packets of other lengths than a frame count each frame once', () => {
  const registry = createRegistry();
  const recorder = createCallInstruments(registry).started('test');
  recorder.frames(0, 0, 0, 0.1);
  recorder.frames(3, 3, 50, 0.1);
  assert.equal(numberOf(registry, 'syrinx.audio.processing'), 3);
  assert.equal(numberOf(registry, 'syrinx.audio.frames.late'), 3);
  assert.equal(numberOf(registry, 'syrinx.audio.cpu'), 2);
});

const turn = (more: Partial<LedgerTurn>): LedgerTurn => ({
  turn: 1,
  caller: { startMs: 0, endMs: 1000, text: 'secret words' },
  agent: { text: 'secret', heard: 'secret', startMs: 1800, endMs: 3800, interruptedAtMs: null },
  stages: [
    { name: 'endpointing', startMs: 1000, endMs: 1500, provider: false },
    { name: 'llm', startMs: 1500, endMs: 1800, provider: true },
  ],
  responseMs: 800,
  overheadMs: 0,
  unexplainedMs: 0,
  ...more,
});

test('turns, tools, calls: counted by how they ended, and no word or id is a label', () => {
  const registry = createRegistry();
  const recorder = createCallInstruments(registry, ['look_up']).started('websocket');
  const tool = (name: string, phase: 'started' | 'finished' | 'failed', nowMs: number) =>
    recorder.telemetry({ type: 'tool', turn: 1, callId: `secret-${name}`, name, phase }, nowMs);
  recorder.telemetry({ type: 'turn', ledger: turn({}) }, 0);
  recorder.telemetry(
    { type: 'turn', ledger: turn({ caller: null, responseMs: null, overheadMs: null, stages: [] }) },
    0,
  );
  const interrupted = { text: '', heard: '', startMs: 1800, endMs: 2000, interruptedAtMs: 2000 };
  recorder.telemetry({ type: 'turn', ledger: turn({ agent: interrupted }) }, 0);
  tool('look_up', 'started', 100);
  tool('secret', 'started', 100);
  tool('look_up', 'finished', 350);
  tool('secret', 'failed', 400);
  recorder.telemetry({ type: 'usage', turn: 1, inputTokens: 40, outputTokens: 7 }, 0);
  recorder.ended('model failure', 12_000);
  for (const outcome of ['answered', 'unasked', 'interrupted']) {
    assert.equal(numberOf(registry, 'syrinx.turns.ended', { outcome }), 1);
  }
  assert.equal(numberOf(registry, 'syrinx.turn.stage.duration', { stage: 'llm', provider: 'true' }), 2);
  const took = valueOf(registry, 'syrinx.tool.duration', { tool: 'look_up', outcome: 'ok' });
  assert.ok(took.kind === 'histogram' && Math.abs(took.sum - 0.25) < 1e-9);
  assert.equal(numberOf(registry, 'syrinx.tool.duration', { tool: '_other', outcome: 'error' }), 1);
  assert.equal(numberOf(registry, 'syrinx.model.tokens', { direction: 'output' }), 7);
  assert.equal(numberOf(registry, 'syrinx.sessions.ended', { outcome: 'failed' }), 1);
  assert.equal(numberOf(registry, 'syrinx.sessions.active'), 0);
  const length = valueOf(registry, 'syrinx.session.duration');
  assert.ok(length.kind === 'histogram' && length.sum === 12);
  assert.doesNotMatch(JSON.stringify(takeSnapshot(registry)), /secret/);
});

function modelsWith(time: VirtualTime, more: { llm?: LlmModel['generate']; stt?: SttModel['transcribe'] } = {}) {
  const wait = (ms: number, signal: AbortSignal) =>
    time.wait(ms, signal, () => new ModelError('aborted', 'p.llm', 'Given up'));
  const stt: SttModel = { name: 'p.stt', transcribe: more.stt ?? (() => Promise.resolve({ text: 'hello' })) };
  const llm: LlmModel = {
    name: 'p.llm',
    generate:
      more.llm ??
      async function* generate(_request, signal) {
        await wait(200, signal);
        yield { type: 'text', text: 'a' };
        await wait(300, signal);
        yield { type: 'finish', reason: 'stop' };
      },
  };
  const tts: TtsModel = {
    name: 'p.tts',
    sampleRateHz: 24_000,
    async *synthesize(_request, signal) {
      await wait(50, signal);
      yield new Uint8Array(2);
    },
  };
  const guarded = <M>(model: M) => [{ model, breaker: new Breaker(time) }];
  return { stt: guarded(stt), llm: guarded(llm), tts: guarded(tts) };
}
async function readAll<T>(stream: AsyncIterable<T>, limit = Number.POSITIVE_INFINITY): Promise<T[]> {
  const read: T[] = [];
  for await (const one of stream) {
    read.push(one);
    if (read.length >= limit) break;
  }
  return read;
}
const REQUEST = { messages: [], tools: [] };

test('models: time to the first part and to the end, outcomes, kinds of failure', async () => {
  const registry = createRegistry();
  const time = new VirtualTime();
  const options = { registry, now: () => time.now(), names: { llm: 'm-1' }, permits: createPermits() };
  const measured = measureModels(modelsWith(time), options);
  const llm = measured.llm[0]!.model;
  const signal = new AbortController().signal;
  const whole = readAll(llm.generate(REQUEST, signal));
  await time.runTo(1000);
  assert.equal((await whole).length, 2);
  const labels = { provider: 'p', stage: 'llm', model: 'm-1' };
  const first = valueOf(registry, 'syrinx.model.first.chunk', labels);
  const all = valueOf(registry, 'syrinx.model.duration', labels);
  assert.ok(first.kind === 'histogram' && all.kind === 'histogram');
  assert.ok(Math.abs(first.sum - 0.2) < 1e-9 && Math.abs(all.sum - 0.5) < 1e-9, `${first.sum} ${all.sum}`);

  // Whoever stops reading did not want the rest; that is no failure of the provider.
  const part = readAll(llm.generate(REQUEST, signal), 1);
  await time.runTo(2000);
  await part;
  const given = new AbortController();
  const gone = readAll(llm.generate(REQUEST, given.signal)).catch((error: ModelError) => error.kind);
  await time.runTo(2050);
  given.abort();
  assert.equal(await gone, 'aborted');

  const broken = measureModels(
    modelsWith(time, { stt: () => Promise.reject(new ModelError('rate-limit', 'p.stt', 'Too many')) }),
    options,
  );
  await assert.rejects(broken.stt[0]!.model.transcribe({ pcm: new Int16Array(1), sampleRateHz: 16_000 }, signal));
  const requests = (stage: string, outcome: string) => numberOf(registry, 'syrinx.api.requests', { stage, outcome });
  assert.deepEqual([requests('llm', 'ok'), requests('llm', 'aborted'), requests('llm', 'failed')], [1, 2, 0]);
  assert.equal(requests('stt', 'failed'), 1);
  assert.equal(numberOf(registry, 'syrinx.model.errors', { stage: 'stt', kind: 'rate-limit' }), 1);
  assert.equal(numberOf(registry, 'syrinx.model.requests.active', { stage: 'llm' }), 0);
});

test('permits: so many at a time, the rest in order; who gives up leaves the queue', async () => {
  const registry = createRegistry();
  const time = new VirtualTime();
  const permits = createPermits(1);
  const { model } = measureModels(modelsWith(time), { registry, now: () => time.now(), permits }).llm[0]!;
  const signal = new AbortController().signal;
  const one = readAll(model.generate(REQUEST, signal));
  const leaver = new AbortController();
  const two = readAll(model.generate(REQUEST, leaver.signal)).catch((error: ModelError) => error.kind);
  const three = readAll(model.generate(REQUEST, signal));
  await settled();
  assert.equal(permits.waiting, 2);
  leaver.abort();
  assert.equal(await two, 'aborted');
  assert.equal(permits.waiting, 1);
  await time.runTo(500);
  await one;
  await settled();
  assert.equal(permits.waiting, 0);
  await time.runTo(1000);
  assert.equal((await three).length, 2);
  const wait = valueOf(registry, 'syrinx.model.permit.wait', { stage: 'llm' });
  assert.ok(wait.kind === 'histogram' && wait.count === 2 && Math.abs(wait.sum - 0.5) < 1e-9, JSON.stringify(wait));
});
