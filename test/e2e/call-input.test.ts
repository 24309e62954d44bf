// `syrinx call` with files, outputs and agents as users bring them: one helpful error, at once, before anybody is called.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { readWav, writeWav } from '../../src/audio/wav.ts';
import { type Ended, endAll, HOSTS, type HostName, inFolder, pool, run } from './program.ts';
import { atRate, caller, type Format, PHRASES, RATE_HZ, sounds, wav, wavOf } from './recordings.ts';
import { onSteadyMachine } from './steadiness.ts';

const SIMULATED = { SYRINX_MODELS_PROVIDER: 'simulated', SYRINX_LOGGING_LEVEL: 'error' };
/** Three starts at a time take this long on a machine that is busy otherwise; that no call is held shows in what is printed. */
const AT_ONCE_MS = 15_000;
after(endAll);

interface BadCall {
  readonly name: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly says: RegExp;
  readonly env?: Record<string, string>;
}

/** The form of requirements 6.1: what failed, one line for each problem, where help is. */
function assertHelpful(ended: Ended, what: string, bad: BadCall): void {
  const text = `${what}\n${ended.stdout}\n${ended.stderr}`;
  assert.equal(ended.code, bad.code, text);
  assert.match(ended.stderr, bad.says, text);
  const lines = ended.stderr.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^ERROR: [A-Z]/, text);
  assert.equal(lines.at(-1), "Use 'syrinx call --help' for more information.", text);
  assert.ok(lines.length >= 3, text);
  for (const line of lines.slice(1, -1)) assert.match(line, /^ {2}- \S/, text);
  assert.doesNotMatch(ended.stderr, /^\s+at /m, text);
  assert.equal(ended.stdout, '', text);
  assert.ok(ended.ms < AT_ONCE_MS, `took ${ended.ms} ms: ${text}`);
}

async function refuse(host: HostName, folder: string, cases: readonly BadCall[]): Promise<void> {
  await pool(cases, 3, async (bad) => {
    const env = bad.env ?? SIMULATED;
    assertHelpful(await run(host, ['call', ...bad.args], { cwd: folder, env }), `${host}: ${bad.name}`, bad);
  });
}

const speech = caller(1800, [200, 'hello']);
const bytes = new Uint8Array(speech.buffer);

function badFiles(folder: string): BadCall[] {
  const files: readonly (readonly [name: string, file: Uint8Array, says: RegExp])[] = [
    ['truncated', wav(speech).subarray(0, 20_000), /truncated \(19956 of 57600 bytes/],
    ['cut in its header', wav(speech).subarray(0, 30), /truncated/],
    ['header alone', wav(speech).subarray(0, 44), /truncated|no audio/],
    ['text', new TextEncoder().encode('Dear Syrinx, please call me back.'), /not a WAV file/],
    ['FLAC', new TextEncoder().encode('fLaC and more of it'), /FLAC, not WAV/],
    ['empty', new Uint8Array(0), /is empty/],
    ['24-bit', wavOf(bytes.subarray(0, 48_000), { bits: 24 }), /24-bit PCM, not 16-bit/],
    ['8-bit', wavOf(bytes, { bits: 8 }), /8-bit PCM, not 16-bit/],
    ['float', wavOf(bytes, { code: 3, bits: 32 }), /floating-point audio/],
    ['mu-law', wavOf(bytes, { code: 7, bits: 8, rateHz: 8000 }), /mu-law audio/],
    ['11025 Hz', wavOf(bytes, { rateHz: 11_025 }), /its rate is 11025 Hz; convert it to 8000, 16000, 24000, 48000/],
    ['no channels', wavOf(bytes, { channels: 0 } satisfies Format), /header is damaged/],
  ];
  return files.map(([name, file, says], i) => {
    const path = `bad-${i}.wav`;
    writeFileSync(join(folder, path), file);
    return { name, args: [path], code: 2, says: new RegExp(`${path}: .*(?:${says.source})`) };
  });
}

function badPaths(folder: string): BadCall[] {
  mkdirSync(join(folder, 'inner'));
  writeFileSync(join(folder, 'in.wav'), wav(speech));
  writeFileSync(join(folder, 'kept.json'), 'precious');
  const out = (name: string, args: string[], says: RegExp): BadCall => ({
    name,
    args: ['in.wav', ...args],
    code: 2,
    says,
  });
  return [
    { name: 'missing', args: ['none.wav'], code: 2, says: /- none\.wav: file or folder does not exist/ },
    { name: 'a folder', args: ['inner'], code: 2, says: /- inner: is a folder/ },
    { name: 'through a file', args: ['in.wav/x.wav'], code: 2, says: /- in\.wav\/x\.wav: a part of the path is not/ },
    { name: 'no file named', args: [], code: 2, says: /- IN\.wav: missing/ },
    { name: 'unknown flag', args: ['in.wav', '--ouput', 'o'], code: 2, says: /--ouput: unknown option; did you mean/ },
    out('out into nowhere', ['--out', 'none/o.wav'], /- --out: none\/o\.wav: file or folder does not exist/),
    out('ledger into nowhere', ['--ledger', 'none/l.json'], /- --ledger: none\/l\.json: file or folder does not exist/),
    out('recording into nowhere', ['--record', 'none/r.rec'], /- --record: none\/r\.rec: file or folder does not/),
    out('out is a folder', ['--out', 'inner'], /- --out: inner: is a folder/),
    out(
      'two at once',
      ['--out', 'inner', '--ledger', 'kept.json/x'],
      /--out: .*\n.*--ledger: kept\.json\/x: a part of/,
    ),
    out(
      'read-only',
      ['--out', '/proc/o.wav', '--ledger', 'kept.json'],
      /- --out: \/proc\/o\.wav: (?:file or|perm|oper)/,
    ),
    out('over the input', ['--out', 'in.wav'], /- --out: in\.wav is also the input/),
    out('two outputs in one', ['--out', 'o', '--record', 'o'], /- --record: o is also --out/),
    {
      name: 'no key',
      args: ['in.wav'],
      code: 4,
      says: /No key for the models\n.*set OPENAI_API_KEY.*\n.*--demo, or models\.provider "simulated"/,
      env: {},
    },
  ];
}

function badAgents(folder: string): BadCall[] {
  writeFileSync(join(folder, 'in.wav'), wav(speech));
  const agents: readonly (readonly [name: string, text: string | null, says: RegExp])[] = [
    ['syntax error', 'export default {\n  instructions: "x",,\n};\n', /agent-0\.ts:2/],
    ['no default export', 'export const helper = 1;\n', /has no default export; write "export default/],
    ['unknown field', 'export default { instructions: "x", instruction: "y" };\n', /"instruction" is not known/],
    ['no instructions', 'export default { name: "x" };\n', /"instructions" must be a text/],
    ['not an object', 'export default 42;\n', /object with "instructions" is needed/],
    [
      'tool without run',
      'export default { instructions: "x", tools: [{ name: "a", description: "b" }] };\n',
      /"run" must/,
    ],
    ['throws at load', 'throw new Error("no database");\n', /agent-6\.ts.*no database/],
    ['missing import', 'import "./gone.ts";\nexport default { instructions: "x" };\n', /agent-7\.ts.*gone/],
    ['missing', null, /agent-8\.ts: Cannot find/],
  ];
  return agents.map(([name, text, says], i) => {
    const path = `agent-${i}.ts`;
    if (text !== null) writeFileSync(join(folder, path), text);
    return { name: `agent: ${name}`, args: ['in.wav', '--agent', path], code: 2, says };
  });
}

const steady = (name: string, scenario: () => Promise<void>): void => {
  void test(name, () => onSteadyMachine(scenario));
};

describe('what users bring to a call', { concurrency: 4 }, () => {
  for (const host of HOSTS) {
    steady(`${host}: files that are no recordings, outputs that can not be written, no key`, () =>
      inFolder(async (folder) => {
        // The reader and the texts are the same everywhere; what the system says comes through each host's own way.
        await refuse(host, folder, host === 'bun' ? badFiles(folder) : badFiles(folder).slice(4, 6));
        await refuse(host, folder, badPaths(folder));
        assert.equal(readFileSync(join(folder, 'kept.json'), 'utf8'), 'precious');
        assert.ok(!existsSync(join(folder, 'o')), 'a refused call leaves no file');
        assert.deepEqual(readWav(readFileSync(join(folder, 'in.wav'))).channels[0], speech);
      }),
    );

    steady(`${host}: agent files that can not be used`, () =>
      inFolder((folder) => refuse(host, folder, badAgents(folder))),
    );
  }

  test('callers at 8 and 48 kHz, in stereo, and at the rate of the models are understood', () =>
    inFolder(async (folder) => {
      const files: Readonly<Record<string, Uint8Array>> = {
        '8 kHz': wav(atRate(speech, 8000), 8000),
        '48 kHz': wav(atRate(speech, 48_000), 48_000),
        stereo: writeWav(RATE_HZ, [speech, speech]),
        'with a size of 0, as streams are written': wav(speech).map((byte, i) => (i >= 40 && i < 44 ? 0 : byte)),
      };
      await pool(Object.entries(files), 4, async ([name, file]) => {
        const id = name.replace(/\W/g, '');
        writeFileSync(join(folder, `${id}.wav`), file);
        const args = ['call', `${id}.wav`, '--out', `${id}-out.wav`, '--ledger', `${id}.json`];
        const ended = await run('bun', args, { cwd: folder, env: SIMULATED });
        assert.equal(ended.code, 0, `${name}: ${ended.stderr}`);
        assert.match(ended.stdout, /^caller: Hello world\.\nagent: {2}Hello! This is Syrinx/, name);
        const out = readFileSync(join(folder, `${id}-out.wav`));
        const [said] = sounds(out, 'left');
        assert.ok(
          said && Math.abs(said.startMs - 200) < 60,
          `${name}: the caller is on the left from ${said?.startMs} ms`,
        );
        assert.ok(
          (sounds(out, 'right')[0]?.startMs ?? 0) > 200 + PHRASES.hello.lengthMs,
          `${name}: the answer is on the right`,
        );
        assert.equal(JSON.parse(readFileSync(join(folder, `${id}.json`), 'utf8')).turns.length, 1, name);
      });
    }));

  test('a tool that throws is told to the model, and the call goes on', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'in.wav'), wav(caller(2900, [200, 'monkeys'])));
      const tool = `{ name: 'check_line', description: 'Tests a line.', run() { throw new Error('line tester is on fire'); } }`;
      writeFileSync(join(folder, 'agent.ts'), `export default { instructions: 'Help.', tools: [${tool}] };\n`);
      const args = ['call', 'in.wav', '--agent', 'agent.ts', '--ledger', 'l.json'];
      const ended = await run('bun', args, { cwd: folder, env: SIMULATED });
      assert.equal(ended.code, 0, ended.stderr);
      assert.match(ended.stdout, /agent: {2}Then the weasels are gone/);
      assert.doesNotMatch(ended.stderr, /^\s+at /m);
    }));

  test('a recording for which there is no room: the call is held, and the error says what is missing', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'in.wav'), wav(speech));
      const args = ['call', 'in.wav', '--record', '/dev/full', '--out', 'o.wav'];
      const ended = await run('bun', args, { cwd: folder, env: SIMULATED });
      assert.equal(ended.code, 5, ended.stderr);
      assert.match(ended.stdout, /^agent: {2}Hello! This is Syrinx/m);
      assert.match(ended.stderr, /^ERROR: Cannot write the output\n {2}- --record: \/dev\/full: disk is full\n/m);
      assert.ok(readWav(readFileSync(join(folder, 'o.wav'))).channels.length === 2);
    }));

  test('a disk that is full at the end: the error names the output, the others are written', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'in.wav'), wav(speech));
      const args = ['call', 'in.wav', '--ledger', '/dev/full', '--out', 'o.wav'];
      const ended = await run('bun', args, { cwd: folder, env: SIMULATED });
      assert.equal(ended.code, 5, ended.stderr);
      assert.match(ended.stderr, /^ERROR: Cannot write the output\n {2}- --ledger: \/dev\/full: disk is full\n/m);
      assert.ok(readWav(readFileSync(join(folder, 'o.wav'))).channels.length === 2);
    }));
});
