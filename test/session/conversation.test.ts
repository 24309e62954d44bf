// What the model is told later: whole exchanges only, and every tool message with its call.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Conversation, type Message, STILL_RUNNING } from '../../src/session/conversation.ts';

/** A provider refuses a tool message that no call precedes, and a call that has no answer. */
function wellFormed(messages: readonly Message[]): void {
  const open = new Set<string>();
  for (const m of messages) {
    if (m.role === 'tool') assert.ok(open.delete(m.toolCallId), `orphan ${m.toolCallId}`);
    else {
      assert.equal(open.size, 0, 'a call without its answer');
      if (m.role === 'assistant') for (const call of m.toolCalls ?? []) open.add(call.id);
    }
  }
  assert.equal(open.size, 0);
}

let id = 0;
function exchange(rounds: readonly number[], asked: boolean): Message[] {
  const messages: Message[] = asked ? [{ role: 'user', content: 'question' }] : [];
  for (const count of rounds) {
    const calls = Array.from({ length: count }, () => ({ id: `call-${++id}`, name: 'tool', arguments: '{}' }));
    messages.push({ role: 'assistant', content: '', toolCalls: calls });
    for (const call of calls) messages.push({ role: 'tool', toolCallId: call.id, content: STILL_RUNNING });
  }
  return [...messages, { role: 'assistant', content: 'answer' }];
}

test('whatever is added, the limit holds and no tool message is orphaned', () => {
  const exchanges = fc.array(
    fc.record({ rounds: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 5 }), asked: fc.boolean() }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(exchanges, fc.integer({ min: 1, max: 40 }), (all, limit) => {
      const conversation = new Conversation(limit);
      for (const { rounds, asked } of all) {
        conversation.add(...exchange(rounds, asked));
        assert.ok(conversation.messages.length <= limit);
        wellFormed(conversation.messages);
      }
    }),
    { seed: 41, numRuns: 500 },
  );
});

test('the oldest exchanges go first, as wholes', () => {
  const conversation = new Conversation(5);
  for (const n of [1, 2, 3])
    conversation.add({ role: 'user', content: `q${n}` }, { role: 'assistant', content: `a${n}` });
  assert.deepEqual(
    conversation.messages.map((m) => m.content),
    ['q2', 'a2', 'q3', 'a3'],
  );
});

test('a tool that outlived its turn completes its message once', () => {
  const call = { id: 'x', name: 'weather', arguments: '{}' };
  const conversation = new Conversation(10, [
    { role: 'assistant', content: '', toolCalls: [call] },
    { role: 'tool', toolCallId: 'x', content: STILL_RUNNING },
  ]);
  assert.equal(conversation.toolName('x'), 'weather');
  assert.equal(conversation.toolName('y'), '');
  assert.equal(conversation.completeTool('y', 'sun'), false);
  assert.equal(conversation.completeTool('x', 'sun'), true);
  assert.equal(conversation.completeTool('x', 'rain'), false);
  assert.equal(conversation.messages[1]?.content, 'sun');
});
