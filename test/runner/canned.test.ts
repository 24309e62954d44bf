// Stock phrases: by the voice where it is quick, else by the clip; the voice's are kept.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAudioCore } from '../../src/audio/index.ts';
import { ModelError } from '../../src/models/port.ts';
import { createCannedAudio } from '../../src/runner/canned.ts';
import { scriptedTts, type TtsScript } from '../simulation/models.ts';
import { VirtualTime } from '../simulation/virtual-time.ts';

const CLIP = new Int16Array(2400).fill(7);
const spoken = new Uint8Array(new Int16Array(480).fill(3).buffer);

function stage(script: TtsScript, maxSlots = 2) {
  const time = new VirtualTime();
  const tts = scriptedTts(time, script);
  const core = createAudioCore({ maxSlots });
  const canned = createCannedAudio({
    tts,
    voice: undefined,
    clip: () => ({ sampleRateHz: 24_000, samples: CLIP }),
    core,
    clock: time,
  });
  return { time, tts, core, canned };
}

/** The first sample of a phrase, and when it was there. */
async function first(at: ReturnType<typeof stage>, untilMs: number, rateHz: 8000 | 24000 = 24_000) {
  const got = at.canned
    .get('apology', 'sorry', rateHz)
    .then((samples) => ({ value: samples[0], length: samples.length, atMs: at.time.now() }));
  await at.time.runTo(at.time.now() + untilMs);
  return got;
}

test('a quick voice speaks it, once for all calls', async () => {
  const at = stage(() => [{ afterMs: 300, give: spoken }]);
  assert.deepEqual(await first(at, 500), { value: 3, length: 480, atMs: 300 });
  assert.equal((await first(at, 0)).value, 3);
  assert.equal(at.tts.asked.length, 1);
  assert.equal(at.time.pending, 0);
});

test('a slow voice is not waited for, but kept for the next time', async () => {
  const at = stage(() => [{ afterMs: 2000, give: spoken }]);
  assert.deepEqual(await first(at, 500), { value: 7, length: 2400, atMs: 450 });
  assert.equal((await first(at, 500)).value, 7);
  assert.equal(at.tts.asked.length, 1, 'asked again although the first request still runs');
  await at.time.runTo(3000);
  assert.equal((await first(at, 0)).value, 3);
});

test('a voice that fails, says nothing, talks without end or hangs: the clip', async () => {
  const scripts: TtsScript[] = [
    () => [{ fail: new ModelError('auth', 't', 'no') }],
    () => [],
    () => Array.from({ length: 60 }, () => ({ give: new Uint8Array(96_000) })),
    () => [{ stall: true, deaf: true }],
  ];
  for (const script of scripts) {
    const at = stage(script);
    assert.equal((await first(at, 500)).value, 7);
    await at.time.runTo(10_000);
    assert.equal(at.time.pending, 0);
    assert.ok(at.tts.asked.every((a) => a.aborted || a.endedMs !== null));
  }
});

test("the clip at the line's rate; silence where no slot is left; slots are given back", async () => {
  const at = stage(() => [], 1);
  const clip = await first(at, 500, 8000);
  assert.ok(Math.abs(clip.length - 800) <= 2, `${clip.length}`);
  assert.equal(at.core.slotsInUse, 0);
  const taken = at.core.openAnalyzer(16_000);
  assert.equal((await first(at, 500, 8000)).length, 0);
  taken.release();
});
