// What admission is told about a process: late frames of the last seconds, a loop that is late again and again, buffers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchStrain } from '../../../src/cli/admission/strain.ts';

/** A clock whose one timer runs late by whatever it was moved too far. */
function createJumpingClock() {
  let nowMs = 500;
  let timer: { atMs: number; run: () => void } | null = null;
  return {
    now: () => nowMs,
    setTimer(run: () => void, delayMs: number) {
      const own = { atMs: nowMs + delayMs, run };
      timer = own;
      return () => {
        if (timer === own) timer = null;
      };
    },
    jump(ms: number) {
      nowMs += ms;
      if (timer === null || timer.atMs > nowMs) return;
      const { run } = timer;
      timer = null;
      run();
    },
  };
}

function rig(bufferBytes?: () => number) {
  const clock = createJumpingClock();
  const calls = new Map<string, { framesIn: number; framesLate: number }>();
  let looked = 0;
  const strain = watchStrain({ clock, calls: () => calls, bufferBytes, looked: () => void looked++ });
  let lagMs = 0;
  const run = (ms: number, each: (call: { framesIn: number; framesLate: number }) => void = () => {}) => {
    for (let i = 0; i < ms / 100; i++) {
      for (const call of calls.values()) each(call);
      clock.jump(100 + lagMs);
    }
  };
  const setLag = (ms: number) => {
    lagMs = ms;
  };
  return { clock, calls, strain, run, setLag, looked: () => looked };
}

test('what is not measured yet is null, not 0', () => {
  const { strain, run } = rig();
  assert.deepEqual(strain.measures(), { lateFrameShare: null, loopLagMs: null, bufferBytes: null });
  run(3000);
  assert.deepEqual(strain.measures(), { lateFrameShare: null, loopLagMs: 0, bufferBytes: null });
  strain.stop();
});

test('late frames are a share of the last 5 s, over all calls, those that ended included', () => {
  const { calls, strain, run, setLag } = rig(() => 4096);
  setLag(15);
  calls.set('a', { framesIn: 1000, framesLate: 900 });
  calls.set('b', { framesIn: 0, framesLate: 0 });
  run(100);
  run(5000, (call) => void (call.framesIn += 5));
  assert.equal(strain.measures().lateFrameShare, 0, 'what was late before is forgotten');
  run(1000, (call) => {
    call.framesIn += 5;
    call.framesLate += 1;
  });
  assert.equal(strain.measures().lateFrameShare, 20 / 500);
  calls.delete('a');
  run(100);
  assert.equal(strain.measures().lateFrameShare, 20 / 490);
  run(5000, (call) => void (call.framesIn += 5));
  assert.equal(strain.measures().lateFrameShare, 0);
  assert.equal(strain.measures().bufferBytes, 4096);
  strain.stop();
});

test("frames that are late although the loop was on time are the network's, not ours", () => {
  const { calls, strain, run, setLag } = rig();
  calls.set('a', { framesIn: 0, framesLate: 0 });
  const half = (call: { framesIn: number; framesLate: number }) => {
    call.framesIn += 4;
    call.framesLate += 2;
  };
  run(6000, half);
  assert.equal(strain.measures().lateFrameShare, 0);
  setLag(12);
  run(100, half);
  assert.equal(strain.measures().lateFrameShare, 0.5);
  strain.stop();
});

test('one long pause is no lag; a loop that is late again and again is', () => {
  const { clock, strain, run, looked } = rig();
  run(3000);
  assert.equal(looked(), 30);
  clock.jump(800);
  assert.equal(strain.measures().loopLagMs, 0);
  for (let i = 0; i < 20; i++) clock.jump(250);
  assert.equal(strain.measures().loopLagMs, 150);
  run(3000);
  assert.equal(strain.measures().loopLagMs, 0);
  strain.stop();
  const before = looked();
  run(1000);
  assert.equal(looked(), before);
});
