// Admission: exactly N, hysteresis, and a load that is below the server's target exactly while one more call is welcome.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type AdmissionInputs,
  type AdmissionLimits,
  type AdmissionState,
  assess,
  DEFAULT_ADMISSION,
  INITIAL_ADMISSION,
} from '../../../src/livekit/admission.ts';

const limits: AdmissionLimits = { ...DEFAULT_ADMISSION, maxSessions: 100, bufferBytes: 1000 };
const idle: AdmissionInputs = { sessions: 0, pending: 0, lateFrameShare: 0, loopLagMs: 0, bufferBytes: 0 };

/** Looks at one set of inputs after the other, `stepMs` apart. */
function follow(inputs: readonly Partial<AdmissionInputs>[], stepMs: number, given = limits) {
  let state: AdmissionState = INITIAL_ADMISSION;
  return inputs.map((more, i) => {
    const result = assess(state, { ...idle, ...more }, given, i * stepMs);
    state = result.state;
    return result.verdict;
  });
}
const repeat = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

test('exactly N, whether they run or wait', () => {
  const open = (sessions: number, pending: number) => follow([{ sessions, pending }], 0)[0]?.open;
  assert.equal(open(99, 0), true);
  assert.equal(open(0, 99), true);
  assert.equal(open(60, 40), false);
  assert.equal(open(100, 0), false);
  assert.equal(open(250, 0), false);
  assert.equal(follow([{ sessions: 100 }], 0)[0]?.reason, 'full');
  let taken = 0;
  for (let i = 0; i < 300; i++) if (open(30, taken)) taken++;
  assert.equal(taken, 70);
  assert.equal(follow([{}], 0, { ...limits, maxSessions: 0 })[0]?.open, false);
});

test('a short peak closes nothing, a lasting one does, and it must be calm for a while before the door opens', () => {
  const late = { lateFrameShare: 0.05 };
  const calm = { lateFrameShare: 0.01 };
  const middling = { lateFrameShare: 0.018 };
  const open = follow(
    [
      ...repeat(4, late),
      {},
      ...repeat(6, late),
      ...repeat(20, middling),
      ...repeat(49, calm),
      late,
      ...repeat(52, calm),
    ],
    100,
  ).map((v) => v.open);
  assert.deepEqual(open.slice(0, 10), repeat(10, true));
  assert.equal(open[10], false);
  assert.deepEqual(open.slice(11, 31), repeat(20, false), 'below the limit is not calm');
  assert.deepEqual(open.slice(31, 81), repeat(50, false), 'one peak begins the wait again');
  assert.deepEqual(open.slice(81), [...repeat(50, false), true, true]);
});

test('each measure closes it, under its own name; the worst is told', () => {
  const reason = (more: Partial<AdmissionInputs>) => follow(repeat(8, more), 100).at(-1)?.reason;
  assert.equal(reason({ lateFrameShare: 0.03 }), 'late-frames');
  assert.equal(reason({ loopLagMs: 150 }), 'loop-lag');
  assert.equal(reason({ bufferBytes: 1001 }), 'buffer-bytes');
  assert.equal(reason({ lateFrameShare: 0.03, loopLagMs: 900 }), 'loop-lag');
});

test('what is not measured, not a number or without a limit decides nothing', () => {
  const unknown = { lateFrameShare: null, loopLagMs: null, bufferBytes: null };
  for (const inputs of [unknown, { ...unknown, lateFrameShare: Number.NaN }, { ...unknown, loopLagMs: -5 }]) {
    const verdict = follow(repeat(20, inputs), 1000).at(-1);
    assert.deepEqual(verdict, { open: true, reason: null, load: 0, scaleUp: false });
  }
  const free = { ...limits, bufferBytes: Number.POSITIVE_INFINITY };
  assert.equal(follow(repeat(20, { bufferBytes: 1e12 }), 1000, free).at(-1)?.open, true);
});

test('another process is wanted from 0.75 N on, and no longer only clearly below', () => {
  const wanted = follow(
    [74, 75, 100, 74, 66, 65, 74].map((sessions) => ({ sessions })),
    1000,
  ).map((v) => v.scaleUp);
  assert.deepEqual(wanted, [false, true, true, true, true, false, false]);
});

test('the load of an idle process is 0, of a half full one half the target, of a full one the target', () => {
  const load = (sessions: number) => follow([{ sessions }], 0)[0]?.load ?? Number.NaN;
  assert.equal(load(0), 0);
  assert.equal(load(50), 0.35);
  assert.ok(load(99) <= 0.69 && load(99) > 0.68);
  assert.equal(load(100), 0.7);
  assert.ok(load(120) > 0.7 && load(1000) <= 1);
});

test('whatever happens: open exactly while the load is at most 0.69, never open at N', () => {
  const input = fc.record({
    sessions: fc.nat(150),
    pending: fc.nat(60),
    lateFrameShare: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    loopLagMs: fc.option(fc.double({ min: 0, max: 2000, noNaN: true })),
    bufferBytes: fc.option(fc.nat(3000)),
  });
  fc.assert(
    fc.property(fc.array(input, { maxLength: 60 }), fc.nat(2000), (inputs, stepMs) => {
      follow(inputs, stepMs).forEach((verdict, i) => {
        const { sessions = 0, pending = 0 } = inputs[i] ?? {};
        assert.equal(verdict.open, verdict.load < 0.6999);
        assert.equal(verdict.open, verdict.reason === null);
        assert.ok(verdict.load >= 0 && verdict.load <= 1);
        if (sessions + pending >= 100) assert.equal(verdict.reason, 'full');
        if (verdict.open) assert.ok(verdict.load <= 0.69 + 1e-9);
      });
    }),
    { seed: 20261124 },
  );
});
