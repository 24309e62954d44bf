// The export as Prometheus takes it: promtool makes blocks of it, with every series and no complaint.
// real time: promtool is a process of its own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXPORT_FORMATS, exportPieces } from '../../../src/ops/history/export/formats.ts';
import { createRig, START } from './history-rig.ts';

const PROMTOOL = fileURLToPath(new URL('../../../.cache/observability/promtool', import.meta.url));
const missing = existsSync(PROMTOOL) ? false : 'no promtool: run `bun scripts/install-observability.ts`';

const run = (args: readonly string[]) =>
  new Promise<{ readonly code: number; readonly output: string }>((resolve) => {
    execFile(PROMTOOL, args, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, output: stdout + stderr });
    });
  });

test('promtool makes blocks of an export, with every sample', { skip: missing }, async () => {
  const rig = createRig(undefined, { instruments: undefined });
  const calls = rig.registry.counter({ name: 'calls', help: 'h', labels: ['who'] });
  const level = rig.registry.gauge({ name: 'level', help: 'h' }).labels();
  const time = rig.registry.histogram({ name: 'turn.time', help: 'h', unit: 's' }).labels();
  await rig.history.start();
  let n = 0;
  await rig.seconds(3600, () => {
    calls.labels({ who: n % 2 === 0 ? 'a "quoted" \\ name' : 'ä\n' }).add();
    level.set(Math.sin(n++));
    time.record(0.01 * (1 + (n % 300)));
  });
  const folder = mkdtempSync(join(tmpdir(), 'syrinx-promtool-'));
  try {
    const answer = await rig.query({ name: '*', fromMs: START, stepMs: 60_000, buckets: true });
    const text = [...exportPieces(EXPORT_FORMATS.prometheus, answer)].join('');
    const [file, blocks] = [join(folder, 'history.om'), join(folder, 'blocks')];
    writeFileSync(file, text);
    const made = await run(['tsdb', 'create-blocks-from', 'openmetrics', file, blocks]);
    assert.equal(made.code, 0, made.output);
    // The dump wants a whole database.
    mkdirSync(join(blocks, 'wal'));
    const dump = await run(['tsdb', 'dump', blocks]);
    assert.equal(dump.code, 0, dump.output);
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    // Nothing was dropped: neither as a double nor as out of order.
    assert.equal(dump.output.split('\n').filter((line) => line.startsWith('{')).length, samples.length);
    assert.match(dump.output, /\{__name__="turn_time_seconds_count"\} 3600 /);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
