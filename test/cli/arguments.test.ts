// The argument parser: all forms of a flag, all mistakes at once, no value in a message that may be a secret.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseArguments, splitCommand } from '../../src/cli/arguments.ts';
import { UserError } from '../../src/cli/user-error.ts';

const declared = {
  options: [
    { name: 'port', kind: 'number', summary: '' },
    { name: 'agent-name', kind: 'string', placeholder: 'NAME', summary: '' },
    { name: 'demo', kind: 'boolean', summary: '' },
    { name: 'api-key', kind: 'string', summary: '' },
  ],
  positionals: [{ name: 'agent.ts', summary: '' }],
} as const;
const parse = (...args: string[]) => parseArguments(args, declared);
function problems(...args: string[]): readonly string[] {
  try {
    parse(...args);
  } catch (error) {
    assert.ok(error instanceof UserError);
    assert.equal(error.exitCode, 2);
    return error.problems;
  }
  return [];
}

test('every form of a flag is understood, before and behind the positionals', () => {
  const parsed = parse('--port', '8080', 'my.ts', '--agent-name=a=b', '--demo');
  assert.deepEqual(
    [parsed.number('port'), parsed.string('agent-name'), parsed.boolean('demo'), parsed.positionals],
    [8080, 'a=b', true, ['my.ts']],
  );
  assert.equal(parse('--no-demo').boolean('demo'), false);
  assert.equal(parse('--demo=false').boolean('demo'), false);
  assert.equal(parse('--port', '-1').number('port'), -1);
  assert.equal(parse('--agent-name=-x').string('agent-name'), '-x');
  assert.equal(parse('--port=1', '--port=2').number('port'), 2);
  assert.deepEqual(parse('--', '--port').positionals, ['--port']);
  assert.deepEqual(parse('-').positionals, ['-']);
  assert.equal(parse('-h').boolean('help'), true);
  assert.equal(parse('-v').boolean('version'), true);
  assert.equal(parse('--log-level', 'debug').string('log-level'), 'debug');
  assert.equal(parse().number('port'), undefined);
});

test('of a flag that may be repeated all values count', () => {
  const options = [{ name: 'fault', kind: 'string', summary: '', repeatable: true }] as const;
  const parsed = parseArguments(['--fault', 'a', '--fault=b,c'], { options, positionals: [] });
  assert.equal(parsed.string('fault'), 'a,b,c');
});

test('all mistakes come at once', () => {
  assert.deepEqual(problems('--prot', '--port', '--agent-name', '--demo=maybe', 'a.ts', 'b.ts', '-x'), [
    "--prot: unknown option; did you mean '--port'?",
    '--port: needs a value',
    '--agent-name: needs a value (NAME)',
    '--demo: wanted nothing, true or false',
    '-x: unknown option',
    "'b.ts': unexpected argument",
  ]);
  assert.deepEqual(problems('--port=x'), ['--port: wanted a number, got "x"']);
  for (const bad of ['', '1e3', '0x10', 'NaN', '1 2', '--1']) assert.equal(problems(`--port=${bad}`).length, 1, bad);
  assert.throws(
    () => parseArguments([], { options: [], positionals: [{ name: 'IN.wav', summary: '', required: true }] }),
    /not valid/,
  );
});

test('a mistyped flag does not show its value', () => {
  assert.deepEqual(problems('--api-kye=sk-secret'), ["--api-kye: unknown option; did you mean '--api-key'?"]);
  assert.deepEqual(problems('--secret=sk-secret'), ['--secret: unknown option']);
});

test('who asks for help need not have the rest right', () => {
  assert.equal(parse('--help', '--nonsense').boolean('help'), true);
});

test('asking for a flag that is not declared is a mistake of the program', () => {
  assert.throws(() => parse().string('port'), RangeError);
  assert.throws(() => parse().number('nothing'), RangeError);
});

test('the command is found behind the flags of every command', () => {
  assert.deepEqual(splitCommand(['--log-level', 'debug', 'start', 'a.ts']), {
    command: 'start',
    rest: ['--log-level', 'debug', 'a.ts'],
  });
  assert.deepEqual(splitCommand(['--config=a.json', 'call', '--help']), {
    command: 'call',
    rest: ['--config=a.json', '--help'],
  });
  assert.deepEqual(splitCommand(['--help']), { command: undefined, rest: ['--help'] });
  assert.deepEqual(splitCommand([]), { command: undefined, rest: [] });
});

test('what is written as --name=value comes out as it is', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' });
  fc.assert(
    fc.property(text, fc.integer(), fc.boolean(), (name, port, demo) => {
      const parsed = parse(`--agent-name=${name}`, `--port=${port}`, `--demo=${demo}`);
      assert.deepEqual(
        [parsed.string('agent-name'), parsed.number('port'), parsed.boolean('demo')],
        [name, port, demo],
      );
    }),
  );
});

test('any words are read or refused with a UserError', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('--port', '--demo', '--', '-h', '--no-port', '--=', '-', '--no-', '__proto__', '--__proto__'),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      try {
        assert.ok(Array.isArray(parse(...words).positionals));
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
      }
    }),
  );
});
