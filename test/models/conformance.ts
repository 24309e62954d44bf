// What every implementation of a model port must do; each adapter runs these with models that know the demonstration.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GenerateEvent, type GenerateRequest, ModelError, type Models } from '../../src/models/port.ts';
import { demoDialogue } from '../../src/models/simulated/index.ts';

export interface Subject {
  readonly models: Models;
  close(): Promise<void>;
}

const never = (): AbortSignal => new AbortController().signal;
const aborted = (): AbortSignal => AbortSignal.abort(new Error('the caller hung up'));
const isAborted = (error: unknown): boolean =>
  error instanceof ModelError && error.kind === 'aborted' && !error.retryable;

export function phrasePcm(index: number): Int16Array {
  const phrase = demoDialogue.phrases[index];
  assert.ok(phrase);
  return demoDialogue.callerPcm().slice((phrase.startMs - 300) * 16, (phrase.endMs + 400) * 16);
}
export async function eventsOf(
  models: Models,
  request: Partial<GenerateRequest>,
  signal = never(),
): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = [];
  for await (const event of models.llm.generate({ messages: [], tools: [], ...request }, signal)) events.push(event);
  return events;
}
export const textOf = (events: readonly GenerateEvent[]): string =>
  events.map((event) => (event.type === 'text' ? event.text : '')).join('');

export function conformance(name: string, open: () => Promise<Subject>): void {
  const check = (title: string, run: (models: Models) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const subject = await open();
      try {
        await run(subject.models);
      } finally {
        await subject.close();
      }
    });
  };

  check('hears each known phrase', async ({ stt }) => {
    for (const [i, phrase] of demoDialogue.phrases.entries()) {
      const { text } = await stt.transcribe({ pcm: phrasePcm(i), sampleRateHz: 16_000 }, never());
      assert.equal(text, phrase.text);
    }
  });
  check('hears no words in silence, in nothing and in a click', async ({ stt }) => {
    for (const pcm of [new Int16Array(16_000), new Int16Array(0), Int16Array.of(20_000)]) {
      assert.equal((await stt.transcribe({ pcm, sampleRateHz: 16_000 }, never())).text, '');
    }
  });
  check('does not change the samples it is given', async ({ stt }) => {
    const pcm = phrasePcm(0);
    const before = pcm.slice();
    await stt.transcribe({ pcm, sampleRateHz: 16_000 }, never());
    assert.deepEqual(pcm, before);
  });
  check('answers in pieces of text, then usage, then one finish', async (models) => {
    const events = await eventsOf(models, { messages: [{ role: 'user', content: 'Hello world.' }] });
    assert.equal(textOf(events), demoDialogue.script.turns?.[0]?.reply);
    assert.ok(events.filter((event) => event.type === 'text').length > 3);
    assert.deepEqual(
      events.slice(-2).map((event) => event.type),
      ['usage', 'finish'],
    );
    assert.deepEqual(events.at(-1), { type: 'finish', reason: 'stop' });
    assert.equal(events.filter((event) => event.type === 'finish').length, 1);
  });
  check('calls a tool that is offered, whole, and goes on with its result', async (models) => {
    const messages = [{ role: 'user' as const, content: 'They have been carried away by monkeys.' }];
    const tools = [
      { name: 'check_line', description: 'Tests a line.', parameters: { type: 'object', properties: {} } },
    ];
    const events = await eventsOf(models, { messages, tools });
    const calls = events.flatMap((event) => (event.type === 'tool-call' ? [event.call] : []));
    assert.equal(calls.length, 1);
    assert.equal(calls[0]?.name, 'check_line');
    assert.deepEqual(JSON.parse(calls[0]?.arguments ?? ''), { line: 1 });
    assert.deepEqual(events.at(-1), { type: 'finish', reason: 'tool-calls' });
    const after = await eventsOf(models, {
      tools,
      messages: [
        ...messages,
        { role: 'assistant', content: '', toolCalls: calls },
        { role: 'tool', toolCallId: calls[0]?.id ?? '', content: '{"works":true}' },
      ],
    });
    assert.equal(textOf(after), demoDialogue.script.turns?.[2]?.reply);
  });
  check('speaks in whole samples that an Int16Array can be laid on', async ({ tts }) => {
    let bytes = 0;
    let loudest = 0;
    for await (const chunk of tts.synthesize({ text: 'Hello!' }, never())) {
      assert.equal(chunk.length % 2, 0);
      const samples = new Int16Array(chunk.buffer, chunk.byteOffset, chunk.length / 2);
      for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample));
      bytes += chunk.length;
    }
    assert.equal(tts.sampleRateHz, 24_000);
    assert.ok(bytes > tts.sampleRateHz / 5, `${bytes} bytes`);
    assert.ok(loudest > 3000, `loudest ${loudest}`);
  });
  check('refuses to start when the signal is aborted already', async (models) => {
    await assert.rejects(
      models.stt.transcribe({ pcm: new Int16Array(1600), sampleRateHz: 16_000 }, aborted()),
      isAborted,
    );
    await assert.rejects(eventsOf(models, { messages: [{ role: 'user', content: 'x' }] }, aborted()), isAborted);
    await assert.rejects(models.tts.synthesize({ text: 'x' }, aborted())[Symbol.asyncIterator]().next(), isAborted);
  });
  check('stops between two pieces when it is aborted there', async (models) => {
    const llm = new AbortController();
    await assert.rejects(async () => {
      for await (const event of models.llm.generate(
        { messages: [{ role: 'user', content: 'Hello world.' }], tools: [] },
        llm.signal,
      )) {
        if (event.type === 'text') llm.abort();
      }
    }, isAborted);
  });
  check('can be left in the middle without an error', async (models) => {
    for await (const _ of models.llm.generate(
      { messages: [{ role: 'user', content: 'Hello world.' }], tools: [] },
      never(),
    ))
      break;
    for await (const _ of models.tts.synthesize({ text: 'Please stay calm.' }, never())) break;
    assert.equal(
      (await eventsOf(models, { messages: [{ role: 'user', content: 'Hello world.' }] })).at(-1)?.type,
      'finish',
    );
  });
  check('keeps concurrent requests apart', async (models) => {
    const turns = demoDialogue.script.turns ?? [];
    const replies = await Promise.all(
      turns.map(async ({ user }) => textOf(await eventsOf(models, { messages: [{ role: 'user', content: user }] }))),
    );
    assert.deepEqual(
      replies,
      turns.map((turn) => turn.reply),
    );
  });
}
