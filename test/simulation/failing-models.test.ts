// Models that fail, each in each way and at each point: the caller hears something within two seconds, and the call goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelError } from '../../src/models/port.ts';
import { DEFAULT_PERSIST_POLICY } from '../../src/runner/persist.ts';
import { Caller } from './caller.ts';
import { hears, sampleAt, speechMs, type Step, speaks, writes } from './models.ts';
import {
  begin,
  checkNothingLeft,
  CLIP_SAMPLE,
  createWorld,
  eventsOf,
  replies,
  type Scenario,
  type Simulated,
  simulate,
  toldModel,
  transcripts,
} from './simulated-call.ts';

const { phrases } = await import('../../src/session/options.ts').then((m) => m.DEFAULT_SESSION_OPTIONS);
const ask = { atMs: 500, ms: 600, text: 'hello' };
const again = { atMs: 14_000, ms: 600, text: 'once more' };
const caller = [ask, again];
/** When the first turn of `ask` is over. */
const ENDPOINT_MS = 1600;

type Fault = readonly [name: string, steps: readonly Step<never>[]];
const error = (kind: ConstructorParameters<typeof ModelError>[0], retryAfterMs?: number) =>
  new ModelError(kind, 'scripted', `scripted ${kind}`, { retryAfterMs });

/** What may happen instead of the next item. */
const FAULTS: readonly Fault[] = [
  ['401', [{ afterMs: 50, fail: error('auth') }]],
  ['429 and a long Retry-After', [{ afterMs: 50, fail: error('rate-limit', 3000) }]],
  ['500', [{ afterMs: 50, fail: error('unavailable') }]],
  ['a stall', [{ stall: true }]],
  ['a stall of a deaf client', [{ stall: true, deaf: true }]],
  ['half a connection', []],
  ['garbage', [{ afterMs: 50, fail: error('protocol') }]],
  ['a bug', [{ afterMs: 50, fail: new TypeError('undefined is not a function') }]],
];

/** The first sound of any kind after the fault; the caller must not wait longer for it. */
function heardWithin(call: Simulated, fromMs: number, limitMs: number): void {
  const sound = call.sounds.find((s) => s.endMs > fromMs);
  const waited = Math.max(0, (sound?.startMs ?? Infinity) - fromMs);
  assert.ok(waited <= limitMs, `heard nothing for ${waited} ms`);
}

/** The call went on: the second turn was answered. */
function wentOn(call: Simulated): void {
  assert.equal(call.reason, 'caller hung up');
  assert.deepEqual(transcripts(call).at(-1), again.text);
  assert.equal(replies(call).at(-1), 'Certainly.');
  assert.equal(eventsOf(call, 'state').at(-1)?.state, 'listening');
}

const faulty = (until: number, steps: readonly Step<never>[], n: number): boolean => n < until && steps !== undefined;

for (const [name, steps] of FAULTS) {
  test(`the recognizer answers with ${name}`, async () => {
    const hear = hears(new Caller(caller));
    const call = await simulate({
      caller,
      endMs: 20_000,
      stt: (request, n) =>
        request.pcm.length > 0 && new Caller(caller).recognize(request.pcm) === ask.text && faulty(99, steps, n)
          ? steps
          : hear(request, n),
    });
    heardWithin(call, ENDPOINT_MS, 2000);
    wentOn(call);
    // Only the apology, the wait phrase and the answer to the second turn were said.
    assert.ok(eventsOf(call, 'failure').length >= 1);
  });

  test(`the language model answers with ${name}`, async () => {
    const call = await simulate({
      caller,
      endMs: 20_000,
      llm: ({ messages }) => (messages.at(-1)?.content === ask.text ? steps : writes('Certainly.')),
    });
    heardWithin(call, ENDPOINT_MS, 2000);
    wentOn(call);
    const [turn] = call.ledger.turns;
    assert.ok([phrases.apology].includes(turn?.agent.text ?? ''), turn?.agent.text);
    // An apology is no answer: the model is not told that it said it.
    assert.deepEqual(toldModel(call, call.models.llm.asked.length - 1), [
      { role: 'user', content: ask.text },
      { role: 'user', content: again.text },
    ]);
  });

  test(`the language model breaks off with ${name} in the middle of an answer`, async () => {
    const call = await simulate({
      caller: [ask, { ...again, atMs: 24_000 }],
      endMs: 30_000,
      llm: ({ messages }) =>
        messages.at(-1)?.content === ask.text
          ? [...writes('The answer is. And then').slice(0, 5), ...(steps as never[])]
          : writes('Certainly.'),
    });
    heardWithin(call, (call.sounds[0]?.startMs ?? 0) + speechMs('The answer is.') + 1, 2000);
    assert.match(call.ledger.turns[0]?.agent.heard ?? '', /^The answer is\. .*sorry/);
    assert.equal(toldModel(call, call.models.llm.asked.length - 1)[1]?.content, 'The answer is.');
    wentOn(call);
  });

  test(`the voice answers with ${name}`, async () => {
    const speak = speaks();
    const call = await simulate({
      caller,
      endMs: 34_000,
      tts: (text, n) => (text === again.text || call2(text) ? speak(text, n) : steps),
    });
    heardWithin(call, ENDPOINT_MS + 350, 2000);
    assert.equal(call.sounds[0]?.samples[0], CLIP_SAMPLE);
    assert.equal(call.ledger.turns[0]?.agent.text.endsWith(phrases.apology), true);
    assert.equal(call.reason, 'caller hung up');
    assert.equal(eventsOf(call, 'state').at(-1)?.state, 'listening');
    // Nothing of the answer was heard.
    const told = toldModel(call, call.models.llm.asked.length - 1);
    assert.deepEqual(told, [
      { role: 'user', content: ask.text },
      { role: 'user', content: again.text },
    ]);
  });

  test(`the voice breaks off with ${name} in the middle of a piece`, async () => {
    const speak = speaks();
    const text = 'This is a sentence of some length that breaks.';
    const call = await simulate({
      caller: [ask, { ...again, atMs: 24_000 }],
      endMs: 30_000,
      llm: (_, n) => writes(n === 0 ? text : 'Certainly.'),
      tts: (piece, n) => (piece === text ? [...speak(piece, n).slice(0, 8), ...steps] : speak(piece, n)),
    });
    if (name === 'half a connection') return;
    const [turn] = call.ledger.turns;
    const heard = turn?.agent.heard.replace(` ${phrases.apology}`, '') ?? '';
    // 800 ms of audio are the first words, not the whole sentence.
    assert.ok(text.startsWith(heard) && heard.length < text.length / 2, `heard '${heard}'`);
    assert.ok(turn?.agent.heard.endsWith(phrases.apology));
    heardWithin(call, (call.sounds[0]?.startMs ?? 0) + 900, 2000);
    wentOn(call);
  });
}

/** The second answer. */
function call2(text: string): boolean {
  return text === 'never';
}

test('a short Retry-After is waited for, and the answer comes', async () => {
  const call = await simulate({
    caller: [ask],
    endMs: 9000,
    llm: (_, n) => (n === 0 ? [{ afterMs: 50, fail: error('rate-limit', 400) }] : writes('Certainly.')),
  });
  const [a, b] = call.models.llm.asked;
  assert.equal((b?.atMs ?? 0) - (a?.atMs ?? 0), 450);
  assert.deepEqual(replies(call), ['Certainly.']);
  assert.deepEqual(call.failures, ['llm scripted.llm rate-limit']);
});

test('a long Retry-After: the caller is asked to wait, then hears the answer', async () => {
  const call = await simulate({
    caller: [ask],
    endMs: 14_000,
    llm: (_, n) => (n === 0 ? [{ afterMs: 50, fail: error('rate-limit', 5000) }] : writes('Certainly.')),
  });
  heardWithin(call, ENDPOINT_MS, 2000);
  assert.deepEqual(replies(call), ['Certainly.']);
  assert.equal(call.sounds.length, 2);
  assert.equal(call.ledger.turns.length, 1);
});

test('three failures in a row say goodbye and end the call', async () => {
  const call = await simulate({
    caller: [0, 8000, 16_000].map((ms, i) => ({ ...ask, atMs: 500 + ms, text: `question ${i}` })),
    endMs: 40_000,
    llm: () => [{ afterMs: 10, fail: error('auth') }],
  });
  assert.equal(call.reason, 'model failure');
  assert.deepEqual(
    call.ledger.turns.map((t) => t.agent.text),
    [phrases.apology, phrases.apology, phrases.goodbye],
  );
  assert.equal(call.ledger.turns[2]?.agent.heard, phrases.goodbye);
  assert.ok(call.told.at(-1)!.atMs < 30_000);
});

test('a good answer between failures forgives them', async () => {
  const call = await simulate({
    caller: [0, 8000, 16_000, 24_000].map((ms, i) => ({ ...ask, atMs: 500 + ms, text: `question ${i}` })),
    endMs: 40_000,
    llm: ({ messages }) =>
      messages.at(-1)?.content === 'question 1' ? writes('Certainly.') : [{ afterMs: 10, fail: error('auth') }],
  });
  assert.equal(call.reason, 'caller hung up');
  assert.equal(call.ledger.turns.length, 4);
});

test('an answer without words is an apology', async () => {
  for (const reason of ['stop', 'length', 'content-filter'] as const) {
    const call = await simulate({
      caller,
      endMs: 20_000,
      llm: (_, n) => (n === 0 ? [{ afterMs: 300, give: { type: 'finish', reason } }] : writes('Certainly.')),
    });
    heardWithin(call, ENDPOINT_MS, 2000);
    assert.deepEqual(
      eventsOf(call, 'failure').map((e) => [e.stage, e.kind]),
      [['llm', 'protocol']],
    );
    wentOn(call);
  }
});

test('an answer that was cut for its length is spoken as far as it goes', async () => {
  const call = await simulate({
    caller: [ask],
    endMs: 9000,
    llm: () => [...writes('I was about to').slice(0, 4), { give: { type: 'finish', reason: 'length' } }],
  });
  assert.deepEqual(replies(call), ['I was about to']);
});

test('signs without words are not sent to the voice', async () => {
  const call = await simulate({
    caller: [ask],
    endMs: 9000,
    llm: () => writes('--- \nHere you are.\n *** \n'),
    tts: (text, n) => (/[a-z]/.test(text) ? speaks()(text, n) : []),
  });
  assert.equal(eventsOf(call, 'failure').length, 0);
  assert.match(replies(call)[0] ?? '', /Here you are\./);
});

test('a second request beside a silent one wins; the silent one is given up', async () => {
  const call = await simulate({
    caller: [ask],
    endMs: 9000,
    llm: (_, n) => (n === 0 ? [{ stall: true }] : writes('Certainly.')),
  });
  assert.deepEqual(replies(call), ['Certainly.']);
  const [lost, won] = call.models.llm.asked;
  assert.equal((won?.atMs ?? 0) - (lost?.atMs ?? 0), DEFAULT_PERSIST_POLICY.hedgeAfterMs);
  assert.ok(lost?.aborted);
  assert.equal(lost?.endedMs, (won?.atMs ?? 0) + 300);
  assert.equal(call.breakers.llm.state, 'closed');
});

test('a model that fails five times is left alone, and its stand-in answers at once', async () => {
  const call = await simulate({
    caller: [0, 5000, 10_000, 15_000, 20_000, 25_000].map((ms, i) => ({
      ...ask,
      atMs: 500 + ms,
      text: `question ${i}`,
    })),
    endMs: 34_000,
    llm: () => [{ afterMs: 10, fail: error('unavailable') }],
    fallback: { llm: () => writes('Certainly.') },
  });
  assert.equal(replies(call).length, 6);
  assert.ok(replies(call).every((r) => r === 'Certainly.'));
  assert.equal(call.models.llm.asked.length, 5);
  assert.equal(call.fallback.asked.length, 6);
});

test('a model that floods words fills no memory and ends by itself', async () => {
  const flood = 'word '.repeat(2000);
  const call = await simulate({
    caller: [ask],
    endMs: 12_000,
    llm: () => [
      ...Array.from({ length: 30 }, (): Step<never> => ({ give: { type: 'text', text: flood } as never })),
      { give: { type: 'finish', reason: 'stop' } as never },
    ],
  });
  assert.ok((call.ledger.turns[0]?.agent.text.length ?? 0) <= 16_000);
  assert.ok(call.maxQueuedMs <= 4200);
});

test('a voice that sends odd and empty chunks is understood as far as samples are whole', async () => {
  const whole = Int16Array.from({ length: 2400 }, (_, i) => sampleAt(i));
  const call = await simulate({
    caller: [ask],
    endMs: 9000,
    llm: () => writes('Yes.'),
    tts: () => [{ afterMs: 100, give: new Uint8Array(0) }, { give: new Uint8Array(whole.buffer) }],
  });
  assert.deepEqual(replies(call), ['Yes.']);
  assert.equal(call.sounds[0]?.samples.length, 2400);
});

test("one call's dead models leave the other call alone", async () => {
  const world = createWorld();
  const scenario: Scenario = { caller: [ask], endMs: 9000, llm: () => writes('All is well here.') };
  const broken = begin(world, { ...scenario, llm: () => [{ stall: true, deaf: true }] });
  const healthy = begin(world, scenario);
  await world.time.runTo(9000);
  const [bad, good] = await Promise.all([broken.finish(), healthy.finish()]);
  await world.time.runTo(90_000);
  checkNothingLeft(world);
  const alone = await simulate(scenario);
  assert.deepEqual(good.ledger.turns, alone.ledger.turns);
  assert.equal(bad.ledger.turns[0]?.agent.heard === 'All is well here.', false);
});

for (const atMs of [50, 700, 1200, 1400, 1650, 1900, 2100, 2190, 2300, 3000, 3550, 3650, 4200, 6000]) {
  test(`hung up after ${atMs} ms: everything ends and is given back`, async () => {
    const call = await simulate({
      caller: [ask, { atMs: 3500, ms: 600, text: 'stop' }],
      endMs: atMs,
      llm: () => writes('One two three four five six seven eight nine ten.'),
      at: [[0, (c) => c.say('Hello.')]],
    });
    assert.equal(call.reason, 'caller hung up');
    assert.ok(call.models.llm.asked.every((a) => a.endedMs !== null && a.endedMs <= atMs));
    assert.ok(call.models.tts.asked.every((a) => a.endedMs !== null && a.endedMs <= atMs));
    assert.equal(call.ledger.session.durationMs, call.ledger.session.endReason === '' ? -1 : atMs);
  });
}
