// A frame of a running session allocates nothing.
// hosts: node (the others do not tell the bytes of their heap exactly)
// alone: the bytes of the heap are counted, and another suite's would count too
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createAudioCore } from '../../src/audio/index.ts';
import { describeEffects } from '../../src/runner/replay.ts';
import { DEFAULT_SESSION_OPTIONS } from '../../src/session/options.ts';
import { createSession } from '../../src/session/session.ts';

const FRAMES = 200_000;
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

for (const [what, level] of [
  ['silence', 0],
  ['speech', 5000],
] as const) {
  test(`${FRAMES} frames of ${what} allocate nothing`, () => {
    const analyzer = createAudioCore({ maxSlots: 1 }).openAnalyzer(16_000);
    const session = createSession(
      {
        ...DEFAULT_SESSION_OPTIONS,
        listening: { ...DEFAULT_SESSION_OPTIONS.listening, maxTurnMs: 10_000_000 },
        id: 'a',
        agent: 'a',
        transport: 'a',
        inputRateHz: 16_000,
        outputRateHz: 24_000,
      },
      analyzer,
      describeEffects(() => {}),
    );
    const packet = new Uint8Array(
      Int16Array.from({ length: 320 }, (_, i) => ((i >> 4) % 2 === 0 ? level : -level)).buffer,
    );
    let n = 0;
    const feed = (frames: number): number => {
      // The audio of a turn is kept and grows: only what else a frame costs is looked for.
      const { heapUsed } = process.memoryUsage();
      for (let i = 0; i < frames; i++, n++) session.audio(packet, n * 320, (n + 1) * 20);
      return process.memoryUsage().heapUsed - heapUsed;
    };
    feed(20_000);
    // What the host does beside is not in every round; what a frame costs is.
    const rounds = [1, 2].map(() => {
      gc();
      return feed(FRAMES);
    });
    const grown = Math.min(...rounds.map(Math.abs));
    // A report of quality every 500 frames is text of a few hundred bytes here; one boxed number a frame would be 12 bytes and more.
    assert.ok(grown / FRAMES < 3, `${grown} bytes in ${FRAMES} frames`);
    assert.ok(session.framesIn >= FRAMES);
  });
}
