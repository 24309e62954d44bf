// Calls without trouble: turns, pauses, clicks, typed words, announcements, and lines that lose packets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { speechMs, writes } from './models.ts';
import { eventsOf, replies, simulate, toldModel, transcripts } from './simulated-call.ts';

test('two plain turns: words exact, answers whole, the second request knows the first exchange', async () => {
  const call = await simulate({
    caller: [
      { atMs: 500, ms: 800, text: 'what time is it' },
      { atMs: 5000, ms: 600, text: 'thank you' },
    ],
    endMs: 9000,
    llm: (_, n) => writes(n === 0 ? 'It is ten. Anything else?' : 'You are welcome.'),
  });
  assert.deepEqual(transcripts(call), ['what time is it', 'thank you']);
  assert.deepEqual(replies(call), ['It is ten. Anything else?', 'You are welcome.']);
  assert.deepEqual(toldModel(call, 1), [
    { role: 'user', content: 'what time is it' },
    { role: 'assistant', content: 'It is ten. Anything else?' },
    { role: 'user', content: 'thank you' },
  ]);
  const [first] = call.ledger.turns;
  assert.equal(first?.caller?.startMs, 500);
  assert.equal(first?.caller?.endMs, 1300);
  // Endpointing 500; hang-over 200, recognition 200, first word 300, first sentence 40, voice 150.
  assert.ok(Math.abs((first?.responseMs ?? 0) - 890) <= 25, `response ${first?.responseMs} ms`);
  assert.equal(call.sounds[0]?.startMs, first?.agent.startMs);
  assert.ok(
    Math.abs((call.sounds[0]?.endMs ?? 0) - (call.sounds[0]?.startMs ?? 0) - speechMs('It is ten.Anything else?')) < 1,
  );
});

test('a pause inside a turn does not end it, and what was begun on the half is forgotten', async () => {
  const call = await simulate({
    caller: [
      { atMs: 500, ms: 700, text: 'book a table' },
      { atMs: 1620, ms: 700, text: 'for two' },
    ],
    endMs: 6000,
  });
  assert.deepEqual(transcripts(call), ['book a table for two']);
  assert.equal(call.ledger.turns.length, 1);
  assert.equal(call.models.llm.asked.filter((a) => !a.aborted).length, 1);
  assert.deepEqual(toldModel(call, call.models.llm.asked.length - 1), [
    { role: 'user', content: 'book a table for two' },
  ]);
});

test('the first word is not lost although it begins before speech is believed', async () => {
  const call = await simulate({ caller: [{ atMs: 507, ms: 613, text: 'yes' }], endMs: 4000 });
  assert.deepEqual(transcripts(call), ['yes']);
});

test('a click neither begins a turn nor stops the agent', async () => {
  const click = { ms: 40, text: null };
  const call = await simulate({
    caller: [
      { atMs: 500, ms: 600, text: 'go on' },
      { atMs: 300, ...click },
      { atMs: 2500, ...click },
    ],
    endMs: 8000,
    llm: () => writes('This is a long answer that nobody must stop.'),
  });
  assert.deepEqual(transcripts(call), ['go on']);
  assert.deepEqual(replies(call), ['This is a long answer that nobody must stop.']);
  assert.equal(eventsOf(call, 'interrupted').length, 0);
  assert.equal(call.sounds.length, 1);
});

test('clicks after the last word do not keep the turn from ending', async () => {
  const clicks = Array.from({ length: 12 }, (_, i) => ({ atMs: 1300 + i * 240, ms: 40, text: null }));
  const call = await simulate({ caller: [{ atMs: 500, ms: 600, text: 'hello' }, ...clicks], endMs: 6000 });
  const [turn] = call.ledger.turns;
  assert.equal(turn?.caller?.endMs, 1100);
  assert.ok((turn?.responseMs ?? Infinity) < 1100, `response ${turn?.responseMs} ms`);
});

test('typed words and keys are turns of their own, and stop what is being said', async () => {
  const call = await simulate({
    endMs: 9000,
    llm: (_, n) => writes(n === 0 ? 'One two three four five six seven eight nine ten.' : 'Fine.'),
    at: [
      [100, (c) => c.input.text('count')],
      [2000, (c) => c.input.text('stop')],
      [6000, (c) => c.input.dtmf('5')],
    ],
  });
  assert.deepEqual(transcripts(call), ['count', 'stop', '(pressed 5)']);
  const [cut] = eventsOf(call, 'interrupted');
  assert.match(cut?.heard ?? '', /^One two three/);
  assert.deepEqual(toldModel(call, 1), [
    { role: 'user', content: 'count' },
    { role: 'assistant', content: cut?.heard },
    { role: 'user', content: 'stop' },
  ]);
  assert.equal(call.ledger.turns.length, 3);
});

test('two typed messages in a row are answered together', async () => {
  const call = await simulate({
    endMs: 4000,
    at: [
      [100, (c) => c.input.text('my name is Ann')],
      [200, (c) => c.input.text('who am I')],
    ],
  });
  assert.deepEqual(toldModel(call, 1), [{ role: 'user', content: 'my name is Ann who am I' }]);
  assert.equal(call.ledger.turns.length, 1);
});

test('an announcement waits until nobody speaks, a greeting comes first', async () => {
  const call = await simulate({
    caller: [{ atMs: 3000, ms: 600, text: 'hello' }],
    endMs: 12_000,
    llm: () => writes('Good morning to you.'),
    at: [
      [0, (c) => c.say('Welcome to the bank.')],
      [3200, (c) => c.say('We close in five minutes.')],
    ],
  });
  assert.deepEqual(replies(call), ['Welcome to the bank.', 'Good morning to you.', 'We close in five minutes.']);
  assert.deepEqual(toldModel(call, 0), [
    { role: 'assistant', content: 'Welcome to the bank.' },
    { role: 'user', content: 'hello' },
  ]);
  assert.equal(call.ledger.turns[0]?.caller, null);
});

test('an announcement that came during a click is made after it', async () => {
  const call = await simulate({
    caller: [{ atMs: 1000, ms: 40, text: null }],
    endMs: 6000,
    at: [[1045, (c) => c.say('We are closing.')]],
  });
  assert.deepEqual(replies(call), ['We are closing.']);
});

test('tuning changes how long a silence ends the turn, and the instructions', async () => {
  const call = await simulate({
    caller: [
      { atMs: 500, ms: 600, text: 'one' },
      { atMs: 5000, ms: 600, text: 'two' },
    ],
    endMs: 9000,
    at: [
      [
        3500,
        (c) => c.session.event({ type: 'tuning', change: { endpointingMs: 900, instructions: 'Be brief.' } }, 3500),
      ],
    ],
  });
  const [first, second] = call.ledger.turns;
  const lengthOf = (turn: typeof first) => {
    const stage = turn?.stages.find((s) => s.name === 'endpointing');
    return stage === undefined ? 0 : stage.endMs - stage.startMs;
  };
  assert.equal(lengthOf(first), 500);
  assert.equal(lengthOf(second), 900);
  assert.equal(call.models.llm.asked.at(-1)?.request.messages[0]?.content, 'Be brief.');
});

test('a client that stops sending in the middle of a word still gets its answer', async () => {
  const call = await simulate({
    caller: [{ atMs: 500, ms: 2000, text: 'is anybody there' }],
    endMs: 7000,
    line: { silentFromMs: 1500 },
  });
  assert.deepEqual(transcripts(call), ['is anybody there~']);
  assert.deepEqual(replies(call), ['Certainly.']);
});

test('a client that stops sending in the pause after its words gets its answer', async () => {
  const call = await simulate({
    caller: [{ atMs: 500, ms: 600, text: 'hello' }],
    endMs: 5000,
    line: { silentFromMs: 1400 },
  });
  assert.deepEqual(transcripts(call), ['hello']);
  assert.ok((call.ledger.turns[0]?.responseMs ?? Infinity) < 1000);
});

test('lost packets are silence, packets that come twice count once', async () => {
  const call = await simulate({
    caller: [
      { atMs: 500, ms: 1000, text: 'one' },
      { atMs: 6000, ms: 600, text: 'two' },
    ],
    endMs: 10_000,
    line: {
      lost: [
        [800, 860],
        [3000, 4000],
      ],
      twice: [[6100, 6300]],
    },
  });
  assert.deepEqual(transcripts(call), ['one~', 'two']);
  assert.equal(call.ledger.turns[1]?.caller?.startMs, 6000);
  assert.equal(call.ledger.turns[1]?.caller?.endMs, 6600);
});

test('a monologue is answered when it is as long as a turn may be, and the rest is heard too', async () => {
  const call = await simulate({
    caller: [
      { atMs: 500, ms: 7000, text: 'once upon a time' },
      { atMs: 7500, ms: 900, text: 'the end' },
    ],
    endMs: 16_000,
    options: {
      listening: {
        vad: 'energy',
        threshold: 0.5,
        minSpeechMs: 60,
        hangoverMs: 200,
        preRollMs: 300,
        maxTurnMs: 4000,
        startThreshold: 0.02,
        endThreshold: 0.01,
      },
    },
  });
  assert.ok(call.models.stt.asked.length <= 4, `${call.models.stt.asked.length} requests`);
  assert.ok(call.models.stt.asked.every((a) => a.request.pcm.length <= 4000 * 16));
  assert.equal(transcripts(call)[0], 'once upon a time~');
  assert.match(transcripts(call).at(-1) ?? '', /the end/);
});

test('an answer of a minute never puts more than three seconds into memory, and is heard whole', async () => {
  const sentence = 'This is one of many sentences that follow each other without an end. ';
  const call = await simulate({
    caller: [{ atMs: 500, ms: 600, text: 'tell me everything' }],
    endMs: 75_000,
    llm: () => writes(sentence.repeat(15), 300, 1),
  });
  assert.ok(call.maxQueuedMs > 2000 && call.maxQueuedMs <= 3200, `${call.maxQueuedMs} ms`);
  assert.deepEqual(replies(call), [sentence.repeat(15).trim()]);
  assert.equal(call.sounds.length, 1);
  assert.ok(Math.abs((call.sounds[0]?.samples.length ?? 0) - 15 * speechMs(sentence.trim()) * 24) <= 1);
  assert.equal(eventsOf(call, 'dropped').length, 0);
});

test('a long lead of the line costs room, never speech', async () => {
  const sentence = 'This is one of many sentences that follow each other without an end. ';
  const call = await simulate({
    caller: [{ atMs: 500, ms: 600, text: 'go' }],
    endMs: 40_000,
    llm: () => writes(sentence.repeat(6), 300, 1),
    line: { leadMs: 2000, reportsPlayed: true },
  });
  assert.deepEqual(replies(call), [sentence.repeat(6).trim()]);
  assert.equal(call.sounds.length, 1);
  assert.equal(eventsOf(call, 'dropped').length, 0);
});
