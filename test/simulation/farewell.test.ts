// The program ends a call that goes on: the agent says goodbye, whatever was happening, and the call ends when it was heard.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelError } from '../../src/models/port.ts';
import { DEFAULT_SESSION_OPTIONS } from '../../src/session/options.ts';
import { speechMs, writes } from './models.ts';
import { CLIP_SAMPLE, eventsOf, replies, simulate, toldModel } from './simulated-call.ts';

const { goodbye } = DEFAULT_SESSION_OPTIONS.phrases;
const LONG = 'One two three four five six seven eight nine ten eleven twelve.';
/** First words 500..1100, turn over at 1600, answer audible at about 2190. */
const first = { atMs: 500, ms: 600, text: 'count' };

for (const [when, atMs] of [
  ['nobody speaks', 300],
  ['the caller speaks', 900],
  ['the caller pauses', 1400],
  ['the words are recognized', 1700],
  ['the model thinks', 1900],
  ['the agent speaks', 3500],
] as const) {
  test(`while ${when}: at once, whole, and the last that is heard`, async () => {
    const call = await simulate({
      // What is said over the goodbye changes nothing.
      caller: [first, { atMs: atMs + 1000, ms: 900, text: 'wait' }],
      endMs: 20_000,
      llm: () => writes(LONG, 400),
      at: [
        [
          atMs,
          (running) => {
            running.farewell('server is stopping');
            running.farewell('again');
            running.say('Not heard any more.');
          },
        ],
      ],
    });
    assert.equal(call.reason, 'server is stopping');
    assert.equal(replies(call).at(-1), goodbye);
    const last = call.sounds.at(-1);
    assert.ok(last !== undefined && last.startMs - atMs < 700, `${(last?.startMs ?? 0) - atMs} ms until it sounds`);
    assert.ok(Math.abs(last.endMs - last.startMs - speechMs(goodbye)) < 300, `${last.endMs - last.startMs} ms of it`);
    // What was being said before it has stopped at once.
    if (call.sounds.length > 1) assert.ok((call.sounds.at(-2)?.endMs ?? 0) <= atMs + 100);
    assert.equal(eventsOf(call, 'interrupted').length, atMs === 3500 ? 1 : 0);
    assert.ok(call.models.llm.asked.every((asked, i) => i === 0 && toldModel(call, i).length === 1));
  });
}

test('a voice that is dead says it by the clip', async () => {
  const call = await simulate({
    endMs: 10_000,
    tts: () => [{ fail: new ModelError('unavailable', 'scripted', 'Down') }],
    at: [[1000, (running) => running.farewell('server is stopping')]],
  });
  assert.equal(call.reason, 'server is stopping');
  assert.equal(call.sounds.length, 1);
  assert.equal(call.sounds[0]?.samples[0], CLIP_SAMPLE);
});

test('an end that does not wait for it cuts it off', async () => {
  const call = await simulate({
    endMs: 10_000,
    at: [
      [1000, (running) => running.farewell('server is stopping')],
      [2000, (running) => running.close('gave up')],
    ],
  });
  assert.equal(call.reason, 'gave up');
  assert.ok((call.sounds[0]?.endMs ?? 9999) <= 2020);
});
