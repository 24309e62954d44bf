// The command line as a user meets it: help, versions, errors with their exit codes, configuration in and out.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Command } from '../../src/cli/command.ts';
import { VERSION } from '../../src/cli/commands/version.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { COMMANDS, main } from '../../src/cli/main.ts';
import { asUserError, formatUnexpected, formatUserError, UserError } from '../../src/cli/user-error.ts';
import { ModelError } from '../../src/models/port.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { createFakeHost } from './fake-host.ts';

async function run(args: string, given?: Parameters<typeof createFakeHost>[0]) {
  const host = createFakeHost(given);
  const code = await main(host, args === '' ? [] : args.split(' '));
  return { code, out: host.out.join('\n'), errors: host.errors.join('\n') };
}

test('the version is that of the package', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  assert.equal(VERSION, version);
  for (const args of ['--version', '-v', 'config --version'])
    assert.deepEqual(await run(args), { code: 0, out: version, errors: '' });
  assert.match((await run('version')).out, new RegExp(`^syrinx ${version} \\(node 0.0.0, test\\)$`));
});

test('help lists every command and every flag of all of them', async () => {
  for (const args of ['--help', '-h', 'help']) {
    const { code, out, errors } = await run(args);
    assert.deepEqual([code, errors], [0, '']);
    for (const name of ['start', 'call', 'replay', 'simulate', 'config', 'healthcheck', 'version'])
      assert.match(out, new RegExp(`^  ${name} +\\S`, 'm'));
    for (const flag of ['--config FILE', '--log-level LEVEL', '--help', '--version'])
      assert.ok(out.includes(flag), flag);
    assert.ok(out.split('\n').every((line) => line.length <= 100));
  }
  const without = await run('');
  assert.deepEqual([without.code, without.out], [EXIT.config, '']);
  assert.match(without.errors, /^Usage: syrinx COMMAND/m);
});

test('each command explains itself without a configuration, and declares only flags and settings that exist', async () => {
  for (const [name, load] of Object.entries(COMMANDS)) {
    const loaded: { command: Command } | undefined = await load().catch(() => undefined);
    if (loaded === undefined) continue;
    const { command } = loaded;
    assert.equal(command.name, name);
    const { code, out } = await run(`${name} --help`, { env: { SYRINX_CONFIG: 'missing.json' } });
    assert.equal(code, 0);
    assert.ok(out.startsWith(`Usage: syrinx ${command.usage}\n`) && command.usage.startsWith(name), name);
    for (const option of command.options) {
      assert.ok(out.includes(`--${option.name}`), option.name);
      if (option.setting !== undefined)
        assert.ok(SETTINGS.has(option.setting), `${name} --${option.name}: ${option.setting}`);
    }
    assert.equal((await run(`help ${name}`)).out, out);
  }
});

test('mistakes are said in the form of the requirements, with the nearest name and code 2', async () => {
  assert.deepEqual(await run('strat'), {
    code: 2,
    out: '',
    errors: "ERROR: Unknown command 'strat'\n  - did you mean 'start'?\nUse 'syrinx --help' for more information.",
  });
  assert.deepEqual(await run('config shw'), {
    code: 2,
    out: '',
    errors: "ERROR: Unknown action 'shw'\n  - did you mean 'show'?\nUse 'syrinx config --help' for more information.",
  });
  assert.deepEqual(await run('healthcheck --tiemout 5 --url'), {
    code: 2,
    out: '',
    errors:
      "ERROR: Command line is not valid\n  - --tiemout: unknown option; did you mean '--timeout'?\n" +
      "  - --url: needs a value (URL)\n  - '5': unexpected argument\nUse 'syrinx healthcheck --help' for more information.",
  });
  for (const name of ['constructor', '__proto__', 'toString']) assert.equal((await run(name)).code, 2);
});

test('a broken configuration stops a command before it runs, with every problem', async () => {
  const files = { 'a.json': '{\n "telemetry": { "metrics_interval": 5 },\n "health_server": { "port": "x" }\n}' };
  const { code, errors, out } = await run('healthcheck --config a.json', { files, env: { LOG_LEVEL: 'loud' } });
  assert.deepEqual([code, out], [EXIT.config, '']);
  assert.equal(
    errors,
    [
      'ERROR: Configuration has 3 problems',
      "  - Unknown key 'telemetry.metrics_interval': did you mean 'telemetry.metrics_interval_ms'? (file a.json:2)",
      '  - health_server.port: wanted a whole number from 0 to 65535, got "x" (file a.json:3)',
      '  - logging.level: wanted one of debug, info, warn, error, got "loud" (environment LOG_LEVEL)',
      "Use 'syrinx healthcheck --help' for more information.",
    ].join('\n'),
  );
});

test('config validate: a good file, a bad one, a missing one', async () => {
  const files = { 'good.json': '{ "health_server": { "port": 9000 } } // fine', 'bad.json': '{ "health_server": 1 }' };
  assert.deepEqual(await run('config validate good.json', { files }), {
    code: 0,
    out: 'Configuration is valid: 1 settings given, the others by default',
    errors: '',
  });
  const json = JSON.parse((await run('config validate good.json --format json', { files })).out);
  assert.deepEqual([json.status, json.data], ['success', { valid: true, given: 1, warnings: [] }]);
  assert.ok(!Number.isNaN(Date.parse(json.timestamp)));
  assert.equal((await run('config validate bad.json', { files })).code, EXIT.config);
  assert.match((await run('config validate none.json', { files })).errors, /none\.json: file does not exist/);
});

test('config show: flags over environment over file, secrets masked in both forms', async () => {
  const given = {
    files: { 'a.json': '{ "log_level": "warn", "agent_name": "clerk", "livekit": { "api_secret": "sk-file" } }' },
    env: { SYRINX_CONFIG: 'a.json', OPENAI_API_KEY: 'sk-environment', LOG_LEVEL: 'error' },
  };
  const text = (await run('config show --log-level debug', given)).out;
  assert.match(text, /^logging\.level +"debug" +flag --log-level$/m);
  assert.match(text, /^agent\.name +"clerk" +file a\.json:1$/m);
  const json = (await run('--log-level=debug config show --format=json', given)).out;
  const { data } = JSON.parse(json);
  assert.equal(data.config.logging.level, 'debug');
  assert.equal(data.origins['models.stt.api_key'], 'environment OPENAI_API_KEY');
  for (const one of [text, json]) assert.ok(one.includes('***') && !one.includes('sk-'), one);
});

test('config schema and config docs print, even when the configuration is broken', async () => {
  const env = { SYRINX_CONFIG: 'missing.json', LOG_LEVEL: 'loud' };
  assert.equal(JSON.parse((await run('config schema', { env })).out).title, 'Syrinx configuration');
  assert.match((await run('config docs', { env })).out, /^# Configuration/);
});

test('failures become codes: models, the system, the user; anything else is one line', () => {
  const cases: [unknown, number, RegExp][] = [
    [
      new ModelError('auth', 'openai.llm', 'Key is refused'),
      EXIT.auth,
      /Model 'openai.llm' failed\n {2}- Key is refused/,
    ],
    [new ModelError('timeout', 'openai.stt', 'No answer'), EXIT.connection, /No answer/],
    [Object.assign(new Error('listen'), { code: 'EADDRINUSE' }), EXIT.resource, /port is in use/],
    [
      Object.assign(new Error('open'), { code: 'ENOENT', path: 'a.wav' }),
      EXIT.config,
      /a\.wav: file or folder does not exist/,
    ],
    [Object.assign(new Error('x'), { code: 'ENOSPC' }), EXIT.resource, /disk is full/],
    [
      new UserError('Call failed', { exitCode: EXIT.connection, problems: ['url: no answer'] }),
      EXIT.connection,
      /^ERROR: Call failed\n {2}- url: no answer\nUse 'syrinx call --help'/,
    ],
  ];
  for (const [error, code, text] of cases) {
    const known = asUserError(error);
    assert.ok(known !== undefined, String(error));
    assert.equal(known.exitCode, code);
    assert.match(formatUserError(known, 'call'), text);
    assert.doesNotMatch(formatUserError(known, 'call'), /^\s+at /m);
  }
  for (const defect of [
    new TypeError('x is\nnot a function'),
    'text',
    undefined,
    Object.assign(new Error('y'), { code: 'ERR_X' }),
  ]) {
    assert.equal(asUserError(defect), undefined);
    const [first, hint, ...more] = formatUnexpected(defect, false).split('\n');
    assert.match(first!, /^ERROR: Unexpected failure: /);
    assert.match(hint!, /--log-level debug/);
    assert.deepEqual(more, []);
  }
  assert.match(formatUnexpected(new TypeError('z'), true), /^\s+at /m);
});
