// The simulated server: routes, refusals, formats, scripts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeWav } from '../../src/audio/wav.ts';
import { wavOf } from '../../src/models/openai/stt.ts';
import {
  createSimulatedOpenAi,
  demoAgent,
  demoDialogue,
  loadRecordings,
  parseScript,
  type SimulatedOpenAi,
} from '../../src/models/simulated/index.ts';
import { readWav } from '../../src/models/simulated/wav.ts';
import { eventsOf, phrasePcm, textOf } from './conformance.ts';
import { BASE, never, start } from './simulated-start.ts';

const post = (
  server: SimulatedOpenAi,
  path: string,
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<Response> =>
  server.fetch(`${BASE}${path}`, { method: 'POST', body, headers: { authorization: 'Bearer any', ...headers } });
const postJson = (server: SimulatedOpenAi, path: string, value: unknown): Promise<Response> =>
  post(server, path, JSON.stringify(value), { 'content-type': 'application/json' });
function upload(
  fields: Record<string, string> = {},
  file: Uint8Array<ArrayBuffer> | null = wavOf(phrasePcm(0), 16_000),
): FormData {
  const form = new FormData();
  if (file) form.set('file', new File([file], 'x.wav'));
  for (const [name, value] of Object.entries({ model: 'm', ...fields })) form.set(name, value);
  return form;
}
async function refusal(
  response: Promise<Response>,
): Promise<{ status: number; message: string; type: string; param: string | null; code: string | null }> {
  const { status, headers } = await response;
  assert.match(headers.get('content-type') ?? '', /application\/json/);
  const { error } = (await (await response).json()) as {
    error: { message: string; type: string; param: string | null; code: string | null };
  };
  assert.ok(error.message && error.type);
  return { status, ...error };
}

test('lists its models', async () => {
  const { server } = start();
  const answer = await server.fetch(`${BASE}/models`, { headers: { authorization: 'Bearer x' } });
  const { data } = (await answer.json()) as { data: { id: string; object: string }[] };
  assert.ok(data.length >= 3 && data.every(({ object }) => object === 'model'));
});
test('wants a key, and says so', async () => {
  const { server } = start();
  for (const path of ['/models', '/chat/completions', '/audio/speech', '/audio/transcriptions']) {
    const { status, code, message } = await refusal(server.fetch(`${BASE}${path}`, { method: 'POST' }));
    assert.deepEqual([status, code], [401, 'invalid_api_key']);
    assert.match(message, /Authorization: Bearer/);
  }
});
test('refuses unknown paths and methods', async () => {
  const { server } = start();
  assert.equal((await refusal(post(server, '/images', '{}'))).status, 404);
  const get = server.fetch(`${BASE}/chat/completions`, { headers: { authorization: 'Bearer x' } });
  assert.equal((await refusal(get)).status, 405);
});
test('refuses bad chat requests with the place that is wrong', async () => {
  const { server } = start();
  const messages = [{ role: 'user', content: 'x' }];
  const bad: [unknown, string][] = [
    [{ messages }, 'model'],
    [{ model: 'm' }, 'messages'],
    [{ model: 'm', messages: [] }, 'messages'],
    [{ model: 'm', messages: [{ role: 'robot', content: 'x' }] }, 'messages.0.role'],
    [{ model: 'm', messages, stream: 'yes' }, 'stream'],
  ];
  for (const [body, place] of bad) {
    const { status, param } = await refusal(postJson(server, '/chat/completions', body));
    assert.deepEqual([status, param], [400, place]);
  }
  for (const body of ['', '{', '[]', 'null', '"x"'])
    assert.equal((await refusal(post(server, '/chat/completions', body))).status, 400);
});
test('refuses bad speech requests', async () => {
  const { server } = start();
  const good = { model: 'm', voice: 'v', input: 'x', response_format: 'pcm' };
  for (const [name, value] of [
    ['input', undefined],
    ['input', ' '],
    ['voice', undefined],
    ['model', undefined],
    ['response_format', 'mp3'],
    ['input', 'x'.repeat(4097)],
  ]) {
    const { status, param } = await refusal(postJson(server, '/audio/speech', { ...good, [name as string]: value }));
    assert.deepEqual([status, param], [400, name]);
  }
});
test('refuses bad uploads and says what is wrong with the file', async () => {
  const { server } = start();
  const wav = wavOf(phrasePcm(0), 16_000);
  const changed = (at: number, value: number): Uint8Array<ArrayBuffer> => {
    const copy = wav.slice();
    copy[at] = value;
    return copy;
  };
  const short = writeWav(16_000, [new Int16Array(1599)]);
  const files: [Uint8Array<ArrayBuffer> | null, RegExp][] = [
    [null, /'file'/],
    [new Uint8Array(0), /is empty/],
    [new Uint8Array(1000), /not a WAV file/],
    [changed(20, 3), /floating-point/],
    [changed(34, 24), /24-bit/],
    [changed(22, 0), /0 channels/],
    [changed(22, 9), /9 channels/],
    [changed(25, 0), /128 Hz/],
    [wav.slice(0, 40), /truncated/],
    [wav.slice(0, 100), /truncated/],
    [short, /too short/],
  ];
  for (const [file, message] of files) {
    const error = await refusal(post(server, '/audio/transcriptions', upload({}, file)));
    assert.equal(error.status, 400);
    assert.match(error.message, message);
  }
  assert.equal(
    (await refusal(post(server, '/audio/transcriptions', upload({ response_format: 'srt' })))).param,
    'response_format',
  );
  assert.equal((await refusal(postJson(server, '/audio/transcriptions', {}))).status, 400);
  assert.equal(
    (await refusal(post(server, '/audio/transcriptions', 'x', { 'content-type': 'multipart/form-data; boundary=y' })))
      .status,
    400,
  );
});
test('refuses bodies that are too large', async () => {
  const { server } = start();
  const large = new Uint8Array(26 * 1024 * 1024);
  assert.equal((await refusal(post(server, '/audio/transcriptions', upload({}, large)))).status, 413);
  assert.equal((await refusal(post(server, '/chat/completions', large.subarray(0, 5 * 1024 * 1024)))).status, 413);
});
test('transcribes as json, text, verbose_json and stream', async () => {
  const { server } = start();
  const said = demoDialogue.phrases[0]?.text;
  const ask = (fields: Record<string, string>): Promise<Response> =>
    post(server, '/audio/transcriptions', upload(fields));
  assert.equal(((await (await ask({})).json()) as { text: string }).text, said);
  assert.equal(await (await ask({ response_format: 'text' })).text(), `${said}\n`);
  const verbose = (await (await ask({ response_format: 'verbose_json' })).json()) as {
    text: string;
    duration: number;
    segments: { start: number }[];
  };
  assert.equal(verbose.text, said);
  assert.ok(Math.abs((verbose.segments[0]?.start ?? 0) - 0.3) < 0.01);
  const events = (await (await ask({ stream: 'true' })).text())
    .trim()
    .split('\n\n')
    .map((line) => JSON.parse(line.slice(6)));
  assert.equal(
    events
      .slice(0, -1)
      .map((event) => event.delta)
      .join(''),
    said,
  );
  assert.deepEqual([events.at(-1).type, events.at(-1).text], ['transcript.text.done', said]);
});
test('chats without a stream too', async () => {
  const { server } = start();
  const messages = [{ role: 'user', content: [{ type: 'text', text: 'hello, WORLD' }] }];
  const answer = await (await postJson(server, '/chat/completions', { model: 'm', messages })).json();
  assert.equal(answer.choices[0].message.content, demoDialogue.script.turns?.[0]?.reply);
  assert.equal(answer.choices[0].finish_reason, 'stop');
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});
test('speaks WAV with the same samples as pcm', async () => {
  const { server } = start();
  const ask = async (format: string): Promise<Uint8Array> =>
    new Uint8Array(
      await (
        await postJson(server, '/audio/speech', { model: 'm', voice: 'v', input: 'Hello!', response_format: format })
      ).arrayBuffer(),
    );
  const [pcm, wav] = [await ask('pcm'), await ask('wav')];
  assert.deepEqual(wav.subarray(44), pcm);
  assert.equal(readWav(wav).sampleRateHz, 24_000);
  assert.equal(readWav(wav).samples.length * 2, pcm.length);
});

test('a whole call of the demonstration, turn by turn', async () => {
  const { models } = start();
  const messages: { role: 'user' | 'assistant'; content: string }[] = [];
  const tools = demoAgent.tools.map(({ run: _, ...tool }) => tool);
  for (const [i, turn] of (demoDialogue.script.turns ?? []).entries()) {
    const { text } = await models.stt.transcribe({ pcm: phrasePcm(i), sampleRateHz: 16_000 }, never);
    messages.push({ role: 'user', content: text });
    const events = await eventsOf(models, { messages, tools });
    assert.equal(
      events.some((event) => event.type === 'tool-call'),
      (turn.tools?.length ?? 0) > 0,
    );
    messages.push({ role: 'assistant', content: textOf(events) || turn.reply });
  }
  assert.deepEqual(demoAgent.tools[0].run({ line: 1 }), { line: 1, works: true });
});
test('admits what it does not know, what was cut, and answers key words', async () => {
  const { models } = start();
  const say = async (content: string): Promise<string> =>
    textOf(await eventsOf(models, { messages: [{ role: 'user', content }] }));
  assert.match(await say('What is the capital of France?'), /simulated model.*only know the demonstration/);
  assert.match(await say('[cut]'), /did not hear/);
  assert.match(await say('Hello world. [cut]'), /did not hear/);
  assert.match(await say('so, HELLO there'), /This is Syrinx/);
  assert.match(textOf(await eventsOf(models, { messages: [{ role: 'system', content: 'x' }] })), /Hello/);
});
test('a script of its own: recordings, repeated turns, results of tools', async () => {
  const pcm = phrasePcm(1);
  const script = parseScript({
    recordings: [{ text: 'Alpha.', wav: 'a.wav', startMs: 300, endMs: 3070 }],
    turns: [
      { user: 'Alpha.', reply: 'First.' },
      { user: 'alpha', reply: 'Again: {result}', tools: [{ name: 'look' }] },
    ],
    fallback: 'No idea.',
  });
  const recordings = await loadRecordings(script, async (name) => {
    assert.equal(name, 'a.wav');
    return wavOf(pcm, 16_000);
  });
  const { models } = start({ script, recordings });
  assert.equal((await models.stt.transcribe({ pcm, sampleRateHz: 16_000 }, never)).text, 'Alpha.');
  assert.equal((await models.stt.transcribe({ pcm: phrasePcm(0), sampleRateHz: 16_000 }, never)).text, '');
  const first = [{ role: 'user' as const, content: 'Alpha.' }];
  assert.equal(textOf(await eventsOf(models, { messages: first })), 'First.');
  const second = [...first, { role: 'assistant' as const, content: 'First.' }, ...first];
  const tools = [{ name: 'look', description: '', parameters: {} }];
  assert.equal((await eventsOf(models, { messages: second, tools }))[0]?.type, 'tool-call');
  const answered = [
    ...second,
    { role: 'assistant' as const, content: '', toolCalls: [{ id: '1', name: 'look', arguments: '{}' }] },
    { role: 'tool' as const, toolCallId: '1', content: '42 $& fish' },
  ];
  assert.equal(textOf(await eventsOf(models, { messages: answered, tools })), 'Again: 42 $& fish');
  assert.equal(textOf(await eventsOf(models, { messages: [{ role: 'user', content: 'Beta' }] })), 'No idea.');
});
test('a wrong script names its places', async () => {
  const wrong = (value: unknown, message: RegExp): void => assert.throws(() => parseScript(value), message);
  wrong(
    {
      turns: [
        { user: 'a', reply: 'b' },
        { user: 'a', reply: '' },
      ],
    },
    /turns\[1\]\.reply: must not be empty/,
  );
  wrong({ turns: [{ user: 'a' }] }, /turns\[0\]\.reply/);
  wrong({ turn: [] }, /turn: is not known here/);
  wrong({ keywords: [{ words: [], reply: 'x' }] }, /keywords\[0\]\.words/);
  wrong('x', /\(top\)/);
  const script = parseScript({ recordings: [{ text: 'a', wav: 'no.wav' }] });
  await assert.rejects(
    loadRecordings(script, async () => new Uint8Array(5)),
    /recordings\[0\].wav.*'no.wav'.*not a WAV file/,
  );
  assert.throws(() => createSimulatedOpenAi({ profile: 'quick' as 'fast' }), /profile: must be one of instant, fast/);
  assert.throws(() => createSimulatedOpenAi({ faults: [{ route: 'llm', kind: '500' }] }), /faults\[0\]: needs either/);
});
