// 200 calls over WebSockets on one core without a late frame, as long as the machine lets a bare echo server be in time.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Step } from '../../benchmarks/websocket/load.ts';
import { bun, run } from '../../scripts/steps.ts';

const SESSIONS = 200;
const SECONDS = 5;
const ATTEMPTS = 2;

interface Outcome {
  readonly echo: Step;
  readonly agent: Step;
}

async function hold(): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'syrinx-many-'));
  try {
    const file = join(folder, 'result.json');
    const options = [
      '--hosts',
      'bun',
      '--sessions',
      String(SESSIONS),
      '--seconds',
      String(SECONDS),
      '--priority',
      '15',
    ];
    const { code, output } = await run([bun, 'benchmarks/websocket.ts', ...options, '--json', file], {
      limitSeconds: 40,
    });
    assert.equal(code, 0, output);
    return (JSON.parse(readFileSync(file, 'utf8')) as { results: [Outcome] }).results[0];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test(`${SESSIONS} calls on one core without a late frame`, { timeout: 90_000 }, async (t) => {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { echo, agent } = await hold();
    // Whatever the machine does, all calls go on and every frame is decided.
    assert.equal(agent.closed, 0);
    assert.ok(agent.count >= SESSIONS * SECONDS * 50 * 0.95, `${agent.count} frames were decided`);
    assert.ok(agent.bytesPerSecond > 36_000, `${agent.bytesPerSecond} bytes a second: the agent does not speak`);
    const figures = `control ${echo.lateCount} of ${echo.count} late, agent ${agent.lateCount} of ${agent.count}, p99 ${agent.answerP99Ms} ms`;
    t.diagnostic(figures);
    if (agent.lateCount === 0) return;
    const isBusy = echo.lateCount > 0 || agent.sentLate > 0.005;
    if (attempt < ATTEMPTS) continue;
    if (isBusy) t.skip(`the machine is too busy for a bare echo or for the callers: ${figures}`);
    else assert.fail(`Frames were late although the control was in time: ${figures}`);
  }
});
