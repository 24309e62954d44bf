// The ledger of a turn: stages in order without overlap, sums that fit, null where nothing was measured.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ledgerTurn, type TurnMarks, type Wait } from '../../src/session/ledger.ts';

const marks: TurnMarks = {
  turn: 1,
  callerText: 'hello',
  callerStartMs: 1500,
  callerEndMs: 2000,
  endpointedMs: 2500,
  waits: [],
  text: 'hi',
  heard: 'hi',
  audibleMs: 3000,
  audibleEndMs: 3500,
  interruptedMs: null,
};
const wait = (name: string, fromMs: number, toMs: number, provider = true): Wait => ({ name, provider, fromMs, toMs });

test('a usual turn', () => {
  const turn = ledgerTurn(
    {
      ...marks,
      waits: [
        wait('stt', 2200, 2400),
        wait('llm', 2400, 2700),
        wait('tts', 2700, 2900),
        wait('playout', 2900, Infinity, false),
      ],
    },
    1000,
  );
  assert.deepEqual(turn.stages, [
    { name: 'endpointing', startMs: 1000, endMs: 1500, provider: false },
    { name: 'llm', startMs: 1500, endMs: 1700, provider: true },
    { name: 'tts', startMs: 1700, endMs: 1900, provider: true },
    { name: 'playout', startMs: 1900, endMs: 2000, provider: false },
  ]);
  assert.deepEqual([turn.responseMs, turn.overheadMs, turn.unexplainedMs], [1000, 100, 0]);
  assert.deepEqual(turn.caller, { startMs: 500, endMs: 1000, text: 'hello' });
});

test('a hole belongs to nobody, and waits that were begun later come later whatever their place in the list', () => {
  const turn = ledgerTurn({ ...marks, waits: [wait('tts', 2800, 2950), wait('llm', 2500, 2700)] }, 0);
  assert.deepEqual(
    turn.stages.map((s) => s.name),
    ['endpointing', 'llm', 'tts'],
  );
  assert.equal(turn.unexplainedMs, 150);
});

test('nothing heard, or nobody asked: null, not zero', () => {
  const silent = ledgerTurn({ ...marks, audibleMs: null, audibleEndMs: null }, 0);
  assert.deepEqual(
    [silent.responseMs, silent.overheadMs, silent.unexplainedMs, silent.stages.length],
    [null, null, null, 0],
  );
  const unasked = ledgerTurn({ ...marks, callerText: null }, 0);
  assert.deepEqual([unasked.caller, unasked.responseMs], [null, null]);
});

test('any waits: contiguous, inside the response, and the sums are right', () => {
  const waits = fc.array(
    fc.tuple(fc.integer({ min: 1500, max: 3500 }), fc.integer({ min: 0, max: 900 }), fc.boolean(), fc.boolean()),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(waits, fc.integer({ min: 1900, max: 3100 }), (list, endpointedMs) => {
      const turn = ledgerTurn(
        {
          ...marks,
          endpointedMs,
          waits: list.map(([from, ms, provider, open], i) =>
            wait(`w${i}`, from, open ? Infinity : from + ms, provider),
          ),
        },
        0,
      );
      let at = 2000;
      let sum = 0;
      for (const { startMs, endMs } of turn.stages) {
        assert.ok(startMs >= at && endMs > startMs && endMs <= 3000);
        at = endMs;
        sum += endMs - startMs;
      }
      assert.equal(turn.responseMs, 1000);
      assert.equal(turn.unexplainedMs, 1000 - sum);
      assert.ok((turn.overheadMs ?? -1) >= (turn.unexplainedMs ?? 0));
    }),
    { seed: 51, numRuns: 500 },
  );
});
