// The simulated server: latencies on virtual time, and faults on purpose.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOpenAiModels } from '../../src/models/openai/index.ts';
import { ModelError } from '../../src/models/port.ts';
import { parseFault } from '../../src/models/simulated/index.ts';
import { eventsOf, phrasePcm } from './conformance.ts';
import { serveFetch } from './http-server.ts';
import { never, start } from './simulated-start.ts';

test('latencies are those of the profile, drawn again alike from the same seed', async () => {
  const measure = async (seed: number): Promise<{ stt: number[]; llm: number[]; tts: number[] }> => {
    const { clock, models } = start({ profile: 'specification', seed });
    const times: { stt: number[]; llm: number[]; tts: number[] } = { stt: [], llm: [], tts: [] };
    for (let i = 0; i < 40; i++) {
      let from = clock.now();
      await models.stt.transcribe({ pcm: new Int16Array(1600), sampleRateHz: 16_000 }, never);
      times.stt.push(clock.now() - from);
      // The first sleep of a streamed answer is its first byte; the others are the pace of the rest.
      for (const route of ['llm', 'tts'] as const) {
        clock.sleeps.length = 0;
        from = clock.now();
        if (route === 'llm') await eventsOf(models, { messages: [{ role: 'user', content: 'Hello world.' }] });
        else for await (const _ of models.tts.synthesize({ text: 'Hello!' }, never));
        times[route].push(clock.sleeps[0] ?? 0);
      }
    }
    return times;
  };
  const times = await measure(7);
  const within = (values: number[], low: number, high: number): void => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    assert.ok(least >= low && most <= high, `${least}..${most}`);
    assert.ok(most - least > 0.7 * (high - low), `${least}..${most} does not fill the range`);
  };
  within(times.stt, 50, 150);
  within(times.llm, 200, 800);
  within(times.tts, 50, 200);
  assert.deepEqual(await measure(7), times);
  assert.notDeepEqual(await measure(8), times);
});
test('single numbers go before the profile; speech comes at its multiple of real time', async () => {
  const { clock, models } = start({ profile: 'slow', latency: { sttMs: 33, ttsMs: 10, ttsSpeed: 2 } });
  await models.stt.transcribe({ pcm: new Int16Array(1600), sampleRateHz: 16_000 }, never);
  assert.equal(clock.now(), 33);
  let bytes = 0;
  for await (const chunk of models.tts.synthesize({ text: 'Please stay calm.' }, never)) bytes += chunk.length;
  const speechMs = bytes / 48;
  assert.ok(
    Math.abs(clock.now() - 33 - 10 - Math.floor(speechMs / 100) * 50) < 1,
    `${clock.now()} ms for ${speechMs} ms of speech`,
  );
});

const KINDS = {
  '401': 'auth',
  '429': 'rate-limit',
  '500': 'unavailable',
  'half-close': 'protocol',
  garbage: 'protocol',
} as const;
for (const transport of ['in process', 'over HTTP'] as const) {
  test(`faults on purpose reach the adapter as what they are, ${transport}`, async () => {
    for (const route of ['stt', 'llm', 'tts'] as const) {
      for (const [kind, expected] of Object.entries(KINDS)) {
        const { server, models: local } = start({ faults: [parseFault(`${route}:2:${kind}`)] });
        const http = transport === 'over HTTP' ? await serveFetch((request) => server.app.fetch(request)) : undefined;
        const models = http ? createOpenAiModels({ apiKey: 'any', baseUrl: http.baseUrl }) : local;
        const ask = async (): Promise<void> => {
          if (route === 'stt') await models.stt.transcribe({ pcm: phrasePcm(0), sampleRateHz: 16_000 }, never);
          if (route === 'llm') await eventsOf(models, { messages: [{ role: 'user', content: 'Hello world.' }] });
          if (route === 'tts') for await (const _ of models.tts.synthesize({ text: 'Hello!' }, never));
        };
        try {
          await ask();
          await assert.rejects(ask(), (error) => {
            assert.ok(error instanceof ModelError);
            assert.equal(error.kind, expected, `${route} ${kind}: ${error.message}`);
            assert.equal(error.retryAfterMs, kind === '429' ? 1000 : undefined);
            return true;
          });
          await ask();
        } finally {
          await http?.close();
        }
      }
    }
  });
}
test('a stall ends with the client, and a slow answer comes late', async () => {
  let asked = (): void => {};
  const { clock, server, models } = start(
    {
      faults: [
        { route: 'llm', nth: 1, kind: 'stall' },
        { route: 'llm', nth: 2, kind: 'slow', delayMs: 5000 },
      ],
    },
    { timer: (run) => ((asked = run), () => {}) },
  );
  const stalled = eventsOf(models, { messages: [{ role: 'user', content: 'x' }] });
  while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  asked();
  await assert.rejects(stalled, (error) => error instanceof ModelError && error.kind === 'timeout');
  await eventsOf(models, { messages: [{ role: 'user', content: 'x' }] });
  assert.equal(clock.now(), 5000);
  assert.deepEqual(
    server.requests.map(({ route, nth, fault }) => [route, nth, fault]),
    [
      ['llm', 1, 'stall'],
      ['llm', 2, 'slow'],
    ],
  );
});
test('faults by chance come at their rate and repeat with the seed', async () => {
  const run = async (seed: number): Promise<string> => {
    const { server, models } = start({ seed, faults: [parseFault('llm:0.3:500')] });
    for (let i = 0; i < 100; i++)
      await eventsOf(models, { messages: [{ role: 'user', content: 'x' }] }).catch(() => {});
    return server.requests.map(({ fault }) => (fault ? 'x' : '.')).join('');
  };
  const once = await run(3);
  const rate = once.split('x').length - 1;
  assert.ok(rate > 15 && rate < 45, `${rate} of 100`);
  assert.equal(await run(3), once);
  for (const text of ['llm', 'llm:x:500', 'nose:1:500', 'llm:1:gone', 'llm::500', 'llm:-1:500']) {
    assert.throws(() => parseFault(text), /Cannot read the fault/);
  }
});
