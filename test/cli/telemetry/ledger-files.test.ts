// Ledgers of running calls as files: after each turn, at the end, and where nothing can be written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallRequest, Runtime } from '../../../src/cli/compose.ts';
import { withLedgerFiles } from '../../../src/cli/telemetry/ledger-files.ts';
import { UserError } from '../../../src/cli/user-error.ts';
import type { Files } from '../../../src/hosts/port.ts';
import { createLogger } from '../../../src/ops/logs.ts';

function setUp(failure?: Error) {
  const written: [string, string][] = [];
  const lines: string[] = [];
  const files = {
    checkWritable: async () => {},
    write: async (path: string, bytes: Uint8Array) => {
      if (failure !== undefined) throw failure;
      written.push([path, new TextDecoder().decode(bytes)]);
    },
  } as unknown as Files;
  let end: () => void = () => {};
  let turns = 0;
  let request: CallRequest | null = null;
  const runtime = {
    agentName: 'anna',
    open(given: CallRequest) {
      request = given;
      const done = new Promise<string>((resolve) => {
        end = () => resolve('bye');
      });
      return { id: 'one', done, ledger: () => ({ turns }) };
    },
  } as unknown as Runtime;
  const log = createLogger({ level: 'info', format: 'json', write: (line) => lines.push(line), now: () => 0 });
  const turn = () => {
    turns++;
    request?.onTelemetry?.({ type: 'turn' } as never);
  };
  return { written, lines, files, runtime, log, turn, end: () => end() };
}
const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};
const REQUEST = { transport: 'file', inputRateHz: 16_000, outputRateHz: 24_000 } as const;

test('written after each turn and at the end, under the name of the call', async () => {
  const { written, files, runtime, log, turn, end } = setUp();
  const with_ = await withLedgerFiles(runtime, files, 'out/{session}.json', log);
  assert.equal(with_.agentName, 'anna', 'the rest of the runtime is there');
  with_.open(REQUEST);
  turn();
  turn();
  await settle();
  end();
  await settle();
  assert.ok(written.length >= 2);
  assert.ok(written.every(([path]) => path === 'out/one.json'));
  assert.deepEqual(JSON.parse(written.at(-1)?.[1] ?? ''), { turns: 2 });
});

test('the own listener of a call still hears; a disk that is full is told once and ends nothing', async () => {
  const { lines, files, runtime, log, turn, end } = setUp(new Error('no space'));
  const heard: string[] = [];
  const with_ = await withLedgerFiles(runtime, files, 'ledger.json', log);
  with_.open({ ...REQUEST, onTelemetry: ({ type }) => heard.push(type) });
  turn();
  await settle();
  turn();
  await settle();
  end();
  await settle();
  assert.deepEqual(heard, ['turn', 'turn']);
  assert.equal(lines.filter((line) => line.includes('ledger can not be written')).length, 1);
});

test('a place where nothing can be written is refused at the start', async () => {
  const { files, runtime, log } = setUp();
  await assert.rejects(withLedgerFiles(runtime, files, '', log), UserError);
  const refusing = { ...files, checkWritable: () => Promise.reject(Object.assign(new Error('x'), { code: 'EACCES' })) };
  await assert.rejects(withLedgerFiles(runtime, refusing as Files, '/nowhere/x', log), UserError);
});
