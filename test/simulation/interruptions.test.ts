// Callers who speak over the agent, at every point of its answer; the names of the tests are the races.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OUTPUT_HZ } from './line.ts';
import { type Step, hears, sampleAt, speechMs, writes } from './models.ts';
import {
  eventsOf,
  replies,
  type Scenario,
  type Simulated,
  simulate,
  toldModel,
  transcripts,
} from './simulated-call.ts';
import { Caller } from './caller.ts';

const LONG = 'One two three four five six seven eight nine ten eleven twelve.';
/** First words 500..1100, turn over at 1600, answer audible at about 2190. */
const first = { atMs: 500, ms: 600, text: 'count' };

function answers(n: number) {
  return writes(n === 0 ? LONG : 'Very well.');
}

function last(call: Simulated) {
  return toldModel(call, call.models.llm.asked.length - 1);
}

async function bargeIn(atMs: number, more: Partial<Scenario> = {}): Promise<Simulated> {
  return simulate({
    caller: [first, { atMs, ms: 700, text: 'stop' }],
    endMs: 10_000,
    llm: (_, n) => answers(n),
    ...more,
  });
}

test('during the answer: silent within 150 ms, only heard words are remembered', async () => {
  const call = await bargeIn(3500);
  const [cut] = eventsOf(call, 'interrupted');
  assert.equal(eventsOf(call, 'interrupted').length, 1);
  const [sound, second] = call.sounds;
  assert.ok((sound?.endMs ?? 0) - 3500 <= 150, `silent after ${(sound?.endMs ?? 0) - 3500} ms`);
  // What the ear got, word by word, against what the session thinks.
  const heardMs = (sound?.endMs ?? 0) - (sound?.startMs ?? 0);
  assert.ok(Math.abs(speechMs(cut?.heard ?? '') - heardMs) < 300, `${cut?.heard} in ${heardMs} ms`);
  assert.deepEqual(last(call), [
    { role: 'user', content: 'count' },
    { role: 'assistant', content: cut?.heard },
    { role: 'user', content: 'stop' },
  ]);
  assert.equal(call.ledger.turns[0]?.agent.heard, cut?.heard);
  assert.equal(call.ledger.turns[0]?.agent.endMs, sound?.endMs);
  assert.equal(call.ledger.turns[0]?.agent.text, LONG);
  assert.ok((second?.startMs ?? 0) > 4700);
  assert.deepEqual(transcripts(call), ['count', 'stop']);
});

test('a line that reports what was played is believed', async () => {
  const reported = await bargeIn(3500, { line: { leadMs: 600, reportsPlayed: true } });
  const assumed = await bargeIn(3500, { line: { leadMs: 600 } });
  assert.equal(eventsOf(reported, 'interrupted')[0]?.heard, eventsOf(assumed, 'interrupted')[0]?.heard);
  assert.ok((reported.sounds[0]?.endMs ?? 0) - 3500 <= 150);
});

test('heard words do not count what the line held and dropped, however long its lead', async () => {
  const short = await bargeIn(3500, { line: { leadMs: 40 } });
  const long = await bargeIn(3500, { line: { leadMs: 1500 } });
  assert.equal(eventsOf(short, 'interrupted')[0]?.heard, eventsOf(long, 'interrupted')[0]?.heard);
});

test('before the first token: the turn goes on and is answered whole', async () => {
  const call = await bargeIn(1650, {
    llm: (_, n) => writes('Very well.', n === 0 ? 3000 : 300),
  });
  assert.deepEqual(transcripts(call).at(-1), 'count stop');
  assert.deepEqual(replies(call), ['Very well.']);
  assert.deepEqual(last(call), [{ role: 'user', content: 'count stop' }]);
  assert.equal(call.ledger.turns.length, 1);
});

test('before the first audio: nothing of the first answer sounds', async () => {
  const call = await bargeIn(1700, {
    tts: (text) => [
      { afterMs: 900, give: new Uint8Array(Int16Array.from({ length: 2400 }, (_, i) => sampleAt(i)).buffer) },
      ...(text === 'Very well.' ? [] : ([{ stall: true }] as Step<Uint8Array>[])),
    ],
  });
  assert.deepEqual(replies(call), ['Very well.']);
  assert.equal(call.sounds.length, 1);
  assert.deepEqual(last(call), [{ role: 'user', content: 'count stop' }]);
});

test('in the first instant of the answer', async () => {
  const call = await bargeIn(2100);
  assert.deepEqual(transcripts(call), ['count', 'stop']);
  const [cut] = eventsOf(call, 'interrupted');
  assert.ok(['', 'One'].includes(cut?.heard ?? 'none'), cut?.heard);
  assert.ok((call.sounds[0]?.endMs ?? 0) <= 2260);
});

test('at the last frame: the answer counts as heard and the words are a new turn', async () => {
  const alone = await simulate({ caller: [first], endMs: 10_000, llm: () => writes(LONG) });
  const endMs = Math.round(alone.sounds[0]?.endMs ?? 0);
  for (const atMs of [endMs - 60, endMs - 20, endMs, endMs + 20]) {
    const call = await bargeIn(atMs);
    assert.deepEqual(transcripts(call), ['count', 'stop'], `at ${atMs}`);
    assert.ok([LONG, LONG.slice(0, LONG.lastIndexOf(' '))].includes(String(call.ledger.turns[0]?.agent.heard)));
    assert.ok(Math.abs((call.ledger.turns[1]?.caller?.startMs ?? 0) - atMs) <= 20);
  }
});

test('twice in a row', async () => {
  const call = await simulate({
    caller: [first, { atMs: 3500, ms: 500, text: 'stop' }, { atMs: 5400, ms: 500, text: 'really' }],
    endMs: 10_000,
    llm: (_, n) => writes(n < 2 ? LONG : 'Very well.'),
  });
  assert.deepEqual(transcripts(call), ['count', 'stop', 'really']);
  assert.equal(eventsOf(call, 'interrupted').length, 2);
  assert.deepEqual(replies(call), ['Very well.']);
  assert.equal(last(call).length, 5);
});

test('twice before the recognizer has answered', async () => {
  const script = hears(
    new Caller([first, { atMs: 3500, ms: 400, text: 'stop' }, { atMs: 4600, ms: 400, text: 'now' }]),
  );
  const call = await simulate({
    caller: [first, { atMs: 3500, ms: 400, text: 'stop' }, { atMs: 4600, ms: 400, text: 'now' }],
    endMs: 10_000,
    llm: (_, n) => answers(n),
    stt: (request, n) =>
      [{ afterMs: n === 0 ? 200 : 1200, give: script(request, n)[0] as never }].map((step) => ({
        ...step,
        give: (step.give as { give: string }).give,
      })),
  });
  assert.deepEqual(transcripts(call), ['count', 'stop now']);
  const [cut] = eventsOf(call, 'interrupted');
  // The second interruption must not make more of the first answer heard than was.
  assert.ok(speechMs(cut?.heard ?? '') <= 1800, cut?.heard);
});

test('with a late final transcript: the answer is held until the words are known', async () => {
  const caller = [first, { atMs: 3500, ms: 600, text: 'stop' }];
  const hear = new Caller(caller);
  const call = await simulate({
    caller,
    endMs: 12_000,
    llm: (_, n) => answers(n),
    stt: ({ pcm }, n) => [{ afterMs: n === 0 ? 200 : 2500, give: hear.recognize(pcm) }],
  });
  assert.deepEqual(transcripts(call), ['count', 'stop']);
  assert.equal(eventsOf(call, 'resumed').length, 0);
  assert.equal(eventsOf(call, 'interrupted')[0]?.atMs, eventsOf(call, 'interrupted')[0]?.atMs);
  assert.ok(call.sounds.every((s) => s.endMs <= 3650 || s.startMs >= 6600));
});

test('a sound without words does not end the answer: it goes on at the very sample', async () => {
  const call = await simulate({
    caller: [first, { atMs: 3500, ms: 400, text: null }],
    endMs: 12_000,
    llm: (_, n) => answers(n),
  });
  assert.equal(eventsOf(call, 'resumed').length, 1);
  assert.deepEqual(replies(call), [LONG]);
  assert.equal(call.ledger.turns.length, 1);
  const [before, after] = call.sounds;
  assert.equal(call.sounds.length, 2);
  assert.equal(after?.samples[0], (before?.samples.at(-1) ?? 0) + 1);
  assert.equal((before?.samples.length ?? 0) + (after?.samples.length ?? 0), speechMs(LONG) * 24);
});

test('it goes on at the very sample also where the line holds much and reports what it played', async () => {
  for (const leadMs of [40, 700, 2000]) {
    const call = await simulate({
      caller: [first, { atMs: 3500, ms: 400, text: null }, { atMs: 6000, ms: 400, text: null }],
      endMs: 14_000,
      llm: (_, n) => answers(n),
      line: { leadMs, reportsPlayed: true },
    });
    const [a, b, c] = call.sounds;
    assert.equal(call.sounds.length, 3);
    assert.equal(b?.samples[0], (a?.samples.at(-1) ?? 0) + 1);
    assert.equal(c?.samples[0], (b?.samples.at(-1) ?? 0) + 1);
    assert.equal((a?.samples.length ?? 0) + (b?.samples.length ?? 0) + (c?.samples.length ?? 0), speechMs(LONG) * 24);
  }
});

test('without resuming, a sound without words ends the answer', async () => {
  const call = await simulate({
    caller: [first, { atMs: 3500, ms: 400, text: null }, { atMs: 7000, ms: 400, text: 'and' }],
    endMs: 12_000,
    llm: (_, n) => answers(n),
    options: { turns: { endpointingMs: 500, bargeInMs: 100, early: 'reply', resumeFalseInterruption: false } },
  });
  assert.equal(eventsOf(call, 'resumed').length, 0);
  assert.equal(eventsOf(call, 'interrupted').length, 1);
  assert.deepEqual(transcripts(call), ['count', 'and']);
  assert.equal(call.ledger.turns[1]?.turn, 2);
});

test('a sound without words while the agent thinks changes nothing but the delay', async () => {
  const call = await simulate({
    caller: [first, { atMs: 1650, ms: 300, text: null }],
    endMs: 9000,
    llm: () => writes('Very well.', 1000),
  });
  assert.deepEqual(transcripts(call), ['count']);
  assert.deepEqual(replies(call), ['Very well.']);
  assert.equal(call.ledger.turns[0]?.caller?.endMs, 1100);
});

test('the caller goes on while the agent thinks: one turn with all the words', async () => {
  const call = await bargeIn(1800, { llm: () => writes('Very well.', 1500) });
  assert.deepEqual(transcripts(call).at(-1), 'count stop');
  assert.deepEqual(replies(call), ['Very well.']);
});

for (const [what, atMs] of [
  ['before its first sound', 10],
  ['at its first sound', 150],
  ['in the middle', 900],
] as const) {
  test(`the greeting is interrupted ${what}`, async () => {
    const call = await simulate({
      caller: [{ atMs, ms: 700, text: 'quick question' }],
      endMs: 7000,
      at: [[0, (c) => c.say('Welcome to the very friendly bank of the town.')]],
    });
    assert.deepEqual(transcripts(call), ['quick question']);
    assert.equal(eventsOf(call, 'interrupted').length, 1);
    const greeting = call.ledger.turns[0];
    assert.equal(greeting?.caller, null);
    const heard = greeting?.agent.heard ?? '';
    assert.equal(heard === '', atMs < 500, heard);
    const told = last(call);
    assert.deepEqual(told.at(-1), { role: 'user', content: 'quick question' });
    assert.equal(told.length, heard === '' ? 1 : 2);
    assert.equal(call.ledger.turns[1]?.turn, 1);
  });
}

test('a cough before the greeting sounds only delays it', async () => {
  const call = await simulate({
    caller: [{ atMs: 10, ms: 300, text: null }],
    endMs: 7000,
    at: [[0, (c) => c.say('Welcome to the bank.')]],
  });
  assert.deepEqual(replies(call), ['Welcome to the bank.']);
  assert.equal(call.sounds.at(-1)?.samples.length, speechMs('Welcome to the bank.') * (OUTPUT_HZ / 1000));
});

test('words typed over the answer', async () => {
  const call = await simulate({
    caller: [first],
    endMs: 9000,
    llm: (_, n) => answers(n),
    at: [[3500, (c) => c.input.text('stop')]],
  });
  assert.ok((call.sounds[0]?.endMs ?? 0) <= 3520);
  assert.deepEqual(replies(call), ['Very well.']);
});

test('words typed while the caller speaks: the spoken rest is still heard', async () => {
  const call = await simulate({
    caller: [{ atMs: 500, ms: 3000, text: 'a long story' }],
    endMs: 9000,
    at: [[1500, (c) => c.input.text('typed')]],
  });
  assert.ok(call.models.stt.asked.every((a) => a.request.pcm.length > 0));
  assert.match(transcripts(call).join('|'), /typed/);
  assert.match(transcripts(call).at(-1) ?? '', /a long story/);
});
