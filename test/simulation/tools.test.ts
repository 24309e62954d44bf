// Tools in whole calls: together, failing, too slow, interrupted, unknown, and a model that never stops calling them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ToolDefinition } from '../../src/agent/tool.ts';
import { calls, type LlmScript, writes } from './models.ts';
import { CLIP_SAMPLE, eventsOf, replies, type Scenario, simulate, toldModel, transcripts } from './simulated-call.ts';

const ask = { atMs: 500, ms: 600, text: 'what is the weather' };

function call(id: string, name: string, args: unknown = {}) {
  return { id, name, arguments: typeof args === 'string' ? args : JSON.stringify(args) };
}

/** Calls the tools at the first request, then answers. */
function callsThenAnswers(...all: ReturnType<typeof call>[]): LlmScript {
  return (_, n) => (n === 0 ? calls(...all) : writes('It is sunny.'));
}

function tool(name: string, run: ToolDefinition['run'], more: Partial<ToolDefinition> = {}): ToolDefinition {
  return { name, description: name, run, ...more };
}

/** A tool that answers when the test says so. */
function gate() {
  let open: (value: unknown) => void = () => {};
  const opened = new Promise((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const base: Scenario = { caller: [ask], endMs: 9000 };

test('two tools of one round run at the same time and go back in one request, each with its call', async () => {
  const order: string[] = [];
  const other = gate();
  const result = await simulate({
    ...base,
    llm: callsThenAnswers(call('a', 'first', { city: 'Rome' }), call('b', 'second')),
    tools: [
      tool('first', async (args: { city: string }) => {
        order.push('first begins');
        await other.opened;
        return { warm: args.city };
      }),
      tool('second', () => {
        order.push('second begins');
        other.open(null);
        return 'dry';
      }),
    ],
  });
  assert.deepEqual(order, ['first begins', 'second begins']);
  assert.deepEqual(toldModel(result, 1), [
    { role: 'user', content: ask.text },
    { role: 'assistant', content: '', toolCalls: [call('a', 'first', { city: 'Rome' }), call('b', 'second')] },
    { role: 'tool', toolCallId: 'a', content: '{"warm":"Rome"}' },
    { role: 'tool', toolCallId: 'b', content: 'dry' },
  ]);
  assert.equal(result.models.llm.asked.length, 2);
  assert.deepEqual(replies(result), ['It is sunny.']);
});

test('tools wait until the turn is sure: half a turn changes nothing', async () => {
  let runs = 0;
  const result = await simulate({
    caller: [
      { atMs: 500, ms: 600, text: 'cancel my order' },
      { atMs: 1580, ms: 600, text: 'no do not' },
    ],
    endMs: 9000,
    llm: ({ messages }) =>
      messages.at(-1)?.content === 'cancel my order' ? calls(call('a', 'cancel')) : writes('I will not.'),
    tools: [tool('cancel', () => ++runs)],
  });
  assert.deepEqual(transcripts(result), ['cancel my order no do not']);
  assert.equal(runs, 0);
});

for (const [what, run, expected] of [
  [
    'throws',
    () => {
      throw new Error('No such city');
    },
    'Error: No such city',
  ],
  ['rejects', () => Promise.reject(new Error('Offline')), 'Error: Offline'],
  ['returns what no JSON can hold', () => 10n, /^Error: .*BigInt/i],
  ['returns nothing', () => undefined, ''],
] as const) {
  test(`a tool that ${what} tells the model, and the call goes on`, async () => {
    const result = await simulate({
      ...base,
      llm: callsThenAnswers(call('a', 'weather')),
      tools: [tool('weather', run)],
    });
    const content = toldModel(result, 1).at(-1)?.content ?? '';
    if (typeof expected === 'string') assert.equal(content, expected);
    else assert.match(content, expected);
    assert.deepEqual(replies(result), ['It is sunny.']);
  });
}

test('unknown tools, arguments that are no JSON and arguments that are missing go back as errors', async () => {
  const result = await simulate({
    ...base,
    llm: callsThenAnswers(
      call('a', 'nothing'),
      call('b', 'weather', '{"city":'),
      call('c', 'weather', {}),
      call('d', 'weather', '[1]'),
    ),
    tools: [tool('weather', () => 'never', { parameters: { type: 'object', required: ['city'] } })],
  });
  assert.deepEqual(
    toldModel(result, 1)
      .slice(2)
      .map((m) => m.content),
    [
      "Error: There is no tool named 'nothing'",
      "Error: The arguments of 'weather' are not valid JSON",
      'Error: Wrong arguments: missing city',
      'Error: Wrong arguments: an object is needed',
    ],
  );
  assert.equal(eventsOf(result, 'tool').filter((e) => e.phase === 'failed').length, 4);
});

test('a tool that never ends is given up after a minute; the caller is told to wait meanwhile', async () => {
  const result = await simulate({
    ...base,
    endMs: 70_000,
    llm: callsThenAnswers(call('a', 'slow')),
    tools: [tool('slow', () => new Promise(() => {}))],
  });
  assert.equal(toldModel(result, 1).at(-1)?.content, "Error: 'slow' did not end within 60000 ms");
  assert.equal(result.sounds.length, 2);
  // The wait phrase, then the answer.
  assert.ok((result.sounds[0]?.startMs ?? Infinity) < 1600 + 2000 + 500, `${result.sounds[0]?.startMs}`);
  assert.deepEqual(replies(result), ['It is sunny.']);
  assert.ok(Math.abs((result.ledger.turns[0]?.responseMs ?? 0) - 61_200) < 1000);
});

test('interrupted while a tool runs: its result reaches the next request', async () => {
  const { opened, open } = gate();
  const aborted: boolean[] = [];
  const result = await simulate({
    caller: [ask, { atMs: 3000, ms: 600, text: 'and tomorrow' }],
    endMs: 12_000,
    llm: (_, n) =>
      n === 0
        ? [
            { afterMs: 100, give: { type: 'text', text: 'Let me look that up for you right now. ' } },
            ...calls(call('a', 'weather')),
          ]
        : writes('It is sunny.'),
    tools: [
      tool('weather', async (_, { signal }) => {
        await opened;
        aborted.push(signal.aborted);
        return 'sun';
      }),
    ],
    at: [
      [5000, () => open(null)],
      [8000, (c) => c.input.text('again')],
    ],
  });
  assert.equal(eventsOf(result, 'interrupted').length, 1);
  assert.deepEqual(aborted, [false]);
  const [, told] = toldModel(result, 1);
  assert.equal(told?.role, 'assistant');
  assert.match(told?.content ?? '', /^Let me/);
  assert.equal(toldModel(result, 1)[2]?.content, '(still running)');
  assert.deepEqual(toldModel(result, 2)[2], { role: 'tool', toolCallId: 'a', content: 'sun' });
});

test('interrupted while a tool runs that may be stopped: it is', async () => {
  const reasons: unknown[] = [];
  const result = await simulate({
    caller: [ask, { atMs: 2500, ms: 600, text: 'never mind' }],
    endMs: 9000,
    llm: callsThenAnswers(call('a', 'weather')),
    tools: [
      tool(
        'weather',
        (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              reasons.push('stopped');
              reject(new Error('stopped'));
            });
          }),
        { interruptible: true },
      ),
    ],
  });
  assert.deepEqual(reasons, ['stopped']);
  assert.deepEqual(transcripts(result).at(-1), `${ask.text} never mind`);
  assert.deepEqual(replies(result), ['It is sunny.']);
});

test('a model that calls tools for ever must answer after the last allowed round', async () => {
  let runs = 0;
  const result = await simulate({
    ...base,
    endMs: 20_000,
    options: { reply: { maxToolRounds: 3, firstPieceChars: 80, maxPieceChars: 240, maxMessages: 200 } },
    llm: (request, n) => (request.tools.length > 0 ? calls(call(`c${n}`, 'again')) : writes('I give up.')),
    tools: [tool('again', () => ++runs)],
  });
  assert.equal(runs, 3);
  assert.equal(result.models.llm.asked.length, 4);
  assert.deepEqual(replies(result), ['I give up.']);
});

test('a model that calls tools that it was not offered is answered for', async () => {
  let runs = 0;
  const result = await simulate({
    ...base,
    endMs: 12_000,
    options: { reply: { maxToolRounds: 1, firstPieceChars: 80, maxPieceChars: 240, maxMessages: 200 } },
    llm: (_, n) => calls(call(`c${n}`, 'again')),
    tools: [tool('again', () => ++runs)],
  });
  assert.equal(runs, 1);
  assert.equal(result.models.llm.asked.length, 2);
  assert.equal(result.ledger.turns.length, 1);
});

test('hung up while a tool runs: the tool is stopped and nothing waits for it', async () => {
  let stopped = false;
  const result = await simulate({
    ...base,
    endMs: 3000,
    llm: callsThenAnswers(call('a', 'slow')),
    tools: [
      tool(
        'slow',
        (_, { signal }) =>
          new Promise(() =>
            signal.addEventListener('abort', () => {
              stopped = true;
            }),
          ),
      ),
    ],
  });
  assert.ok(stopped);
  assert.equal(result.reason, 'caller hung up');
});

test('what was said before a tool is heard while it runs, and both parts are remembered in their places', async () => {
  const result = await simulate({
    ...base,
    endMs: 14_000,
    llm: (_, n) =>
      n === 0
        ? [{ afterMs: 300, give: { type: 'text', text: 'One moment. ' } }, ...calls(call('a', 'weather'))]
        : writes(n === 1 ? 'It is sunny.' : 'Bye.'),
    tools: [tool('weather', () => 'sun')],
    at: [[9000, (c) => c.input.text('thanks')]],
  });
  assert.deepEqual(replies(result)[0], 'One moment. It is sunny.');
  assert.deepEqual(toldModel(result, 2), [
    { role: 'user', content: ask.text },
    { role: 'assistant', content: 'One moment.', toolCalls: [call('a', 'weather')] },
    { role: 'tool', toolCallId: 'a', content: 'sun' },
    { role: 'assistant', content: 'It is sunny.' },
    { role: 'user', content: 'thanks' },
  ]);
  assert.equal(
    result.sounds.every((s) => !s.samples.includes(CLIP_SAMPLE)),
    true,
  );
});
