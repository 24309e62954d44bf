// Running tools: checked arguments, limits, cancelling, and outcomes instead of rejections.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentSession } from '../../src/agent/agent-session.ts';
import type { ToolDefinition } from '../../src/agent/tool.ts';
import { runTool } from '../../src/runner/tools.ts';
import { VirtualTime } from '../simulation/virtual-time.ts';

async function run(tool: Partial<ToolDefinition> | undefined, args = '{}', untilMs = 400_000, abortAtMs?: number) {
  const time = new VirtualTime();
  const controller = new AbortController();
  if (abortAtMs !== undefined) time.setTimer(() => controller.abort(), abortAtMs);
  const session = {} as AgentSession;
  const context = { sessionId: 's', turn: 1, callId: 'c', signal: controller.signal, session };
  const definition = tool === undefined ? undefined : { name: 't', description: 't', run: () => '', ...tool };
  const outcome = runTool(definition, { name: 't', arguments: args }, context, time).then((o) => ({
    ...o,
    atMs: time.now(),
  }));
  await time.runTo(untilMs);
  assert.equal(time.pending, 0, 'a timer is left');
  return outcome;
}

test('strings go back as they are, everything else as JSON, nothing as nothing', async () => {
  for (const [value, output] of [
    ['text', 'text'],
    [{ a: 1 }, '{"a":1}'],
    [undefined, ''],
    [null, 'null'],
    [0, '0'],
  ] as const)
    assert.deepEqual(await run({ run: async () => value }), { output, isError: false, atMs: 0 });
});

test('arguments: none is an empty object; a schema of another library is asked, whether it answers at once or later', async () => {
  const seen: unknown[] = [];
  await run({ run: (args) => seen.push(args) }, '');
  assert.deepEqual(seen, [{}]);
  const schema = (later: boolean) => ({
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (value: unknown) => {
        const { n } = value as { n: unknown };
        const result =
          typeof n === 'string' ? { value: { n: Number(n) } } : { issues: [{ message: 'n must be text' }] };
        return later ? Promise.resolve(result) : result;
      },
    },
  });
  for (const later of [false, true]) {
    const good = await run({ parameters: schema(later), run: ({ n }: { n: number }) => n + 1 }, '{"n":"41"}');
    assert.equal(good.output, '42');
    const bad = await run({ parameters: schema(later) }, '{"n":1}');
    assert.deepEqual([bad.output, bad.isError], ['Error: Wrong arguments: n must be text', true]);
  }
});

test('a tool that does not end is given up: after a minute, its own limit, or five minutes at most', async () => {
  const forever = () => new Promise(() => {});
  assert.equal((await run({ run: forever })).atMs, 60_000);
  assert.equal((await run({ run: forever, timeoutMs: 250 })).atMs, 250);
  assert.equal((await run({ run: forever, timeoutMs: 9e9 })).atMs, 300_000);
});

test('a schema that never answers has the same limit', async () => {
  const parameters = {
    '~standard': { version: 1 as const, vendor: 'x', validate: () => new Promise<never>(() => {}) },
  };
  const outcome = await run({ parameters });
  assert.deepEqual([outcome.isError, outcome.atMs], [true, 60_000]);
});

test('its signal tells the time limit and the cancelling; a late end changes nothing', async () => {
  const aborted: string[] = [];
  const tool = {
    run: (_: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.push('told');
          reject(new Error('late'));
        });
      }),
  };
  const late = await run({ ...tool, timeoutMs: 100 });
  assert.match(late.output, /did not end within 100 ms/);
  const cancelled = await run(tool, '{}', 400_000, 50);
  assert.deepEqual([cancelled.output, cancelled.atMs], ["Error: 't' was cancelled", 50]);
  assert.deepEqual(aborted, ['told', 'told']);
});

test('errors of any kind and long outputs are cut to what a model can take', async () => {
  const thrown = await run({
    run: () => {
      throw 'just text';
    },
  });
  assert.deepEqual([thrown.output, thrown.isError], ['Error: just text', true]);
  const long = await run({ run: () => 'x'.repeat(50_000) });
  assert.equal(long.output.length, 16_000 + ' (cut)'.length);
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  assert.equal((await run({ run: () => circle })).isError, true);
  assert.match((await run(undefined)).output, /no tool named 't'/);
});
