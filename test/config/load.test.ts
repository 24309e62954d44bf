// Putting the configuration together: who wins, which names count, and what is said when something is wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FILE_VARIABLES, KEYS, VARIABLES } from '../../src/config/aliases.ts';
import { ConfigError } from '../../src/config/errors.ts';
import { loadConfig, type Sources } from '../../src/config/load.ts';
import { readConfig } from '../../src/config/read.ts';
import { Secret } from '../../src/config/secret.ts';
import { SETTINGS, type Setting } from '../../src/config/settings.ts';
import { DEFAULT_SESSION_OPTIONS, type SessionOptions } from '../../src/session/options.ts';
import type { Config } from '../../src/config/schema.ts';

const file = (value: unknown) => ({
  path: 'a.json',
  text: typeof value === 'string' ? value : JSON.stringify(value, null, 2),
});
function problems(sources: Sources): readonly string[] {
  try {
    loadConfig(sources);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
  return [];
}
const at = (config: unknown, { path }: Setting) =>
  path.reduce<unknown>((group, key) => (group as Record<string, unknown>)[key], config);

/** A value that the setting takes and that is not its default: as text for the environment, and as it must come out. */
function sample(setting: Setting): { text: string; value: unknown } {
  if (setting.secret) return { text: 'sk-sample', value: 'sk-sample' };
  if (setting.kind === 'boolean') return { text: String(setting.initial !== true), value: setting.initial !== true };
  if (setting.kind === 'groups') return { text: '{"a": {"b_c": [1]}}', value: { a: { b_c: [1] } } };
  if (setting.kind === 'list')
    return { text: 'https://a.example, https://b.example', value: ['https://a.example', 'https://b.example'] };
  if (setting.kind === 'number') {
    const [low, high] = (/from (\S+) to (\S+)/.exec(setting.wanted) ?? []).slice(1).map(Number);
    const candidates = [low! + 1, low!, high!].filter(
      (one) => one !== setting.initial && setting.check(one) !== undefined,
    );
    return { text: String(candidates[0]), value: candidates[0] };
  }
  const text = setting.wanted.startsWith('one of')
    ? setting.wanted
        .slice(7)
        .split(', ')
        .find((one) => one !== setting.initial)!
    : /wss?:/.test(setting.wanted)
      ? 'wss://sample.example'
      : setting.wanted.includes('URL')
        ? 'https://sample.example/v1'
        : 'sample';
  return { text, value: text };
}
const revealed = (value: unknown) => (value instanceof Secret ? value.reveal() : value);

test('default, file, environment, flag: the later wins', () => {
  const key = 'health_server.port';
  const environment = { SYRINX_HEALTH_SERVER_PORT: '3000' };
  const flags = [{ name: '--port', key, value: 4000 }];
  const given = file({ health_server: { port: 2000 } });
  const result = (sources: Sources) => {
    const { config, origins } = loadConfig(sources);
    const { kind, name } = origins.get(key)!;
    return [config.healthServer.port, `${kind} ${name}`.trim()];
  };
  assert.deepEqual(result({}), [8080, 'default']);
  assert.deepEqual(result({ file: given }), [2000, 'file a.json:3']);
  assert.deepEqual(result({ file: given, environment }), [3000, 'environment SYRINX_HEALTH_SERVER_PORT']);
  assert.deepEqual(result({ file: given, environment, flags }), [4000, 'flag --port']);
});

test('every setting can be set by its own variable', () => {
  for (const setting of SETTINGS.values()) {
    const { text, value } = sample(setting);
    // Two pairs must keep their order.
    const environment = {
      SYRINX_REPLY_MAX_PIECE_CHARS: '10000',
      SYRINX_LISTENING_START_THRESHOLD: '1',
      [setting.variable]: text,
    };
    if (setting.key === 'reply.max_piece_chars') environment.SYRINX_REPLY_FIRST_PIECE_CHARS = '1';
    if (setting.key === 'listening.start_threshold') environment.SYRINX_LISTENING_END_THRESHOLD = '0';
    const { config, origins } = loadConfig({ environment });
    assert.deepEqual(revealed(at(config, setting)), value, setting.key);
    assert.deepEqual(origins.get(setting.key), { kind: 'environment', name: setting.variable });
  }
});

test('every variable of the requirements counts', () => {
  const named = VARIABLES.map(([name]) => name);
  const required =
    'LIVEKIT_URL LIVEKIT_SERVER_URL LIVEKIT_API_KEY LIVEKIT_API_SECRET OPENAI_API_KEY OAI_API_KEY OPENAI_BASE_URL OPENAI_LLM_MODEL ' +
    'OPENAI_STT_MODEL OPENAI_TTS_MODEL OPENAI_TTS_VOICE OAI_REALTIME_URL MAX_CONCURRENT_JOBS MAX_JOBS DRAIN_TIMEOUT HEALTH_CHECK_PORT ' +
    'SESSION_IDLE_TIMEOUT MAX_CONVERSATION_TURNS CONNECTION_TIMEOUT REQUEST_TIMEOUT AGENT_NAME REGION LOG_LEVEL ' +
    'LIVEKITEX_AGENT_NAME LIVEKITEX_SERVER_URL LIVEKITEX_API_KEY LIVEKITEX_API_SECRET LIVEKITEX_LOG_LEVEL';
  for (const name of required.split(' ')) assert.ok(named.includes(name), name);
  assert.ok((FILE_VARIABLES as readonly string[]).includes('LIVEKITEX_CONFIG_FILE'));
  for (const [name, key] of VARIABLES) {
    const setting = SETTINGS.get(key);
    assert.ok(setting !== undefined, name);
    const { text, value } = sample(setting);
    const { config, origins } = loadConfig({ environment: { [name]: text } });
    assert.deepEqual(revealed(at(config, setting)), value, name);
    assert.equal(origins.get(key)?.name, name);
  }
});

test('of several variables the more particular one counts', () => {
  const environment = {
    LIVEKIT_URL: 'ws://b.example',
    SYRINX_LIVEKIT_SERVER_URL: 'ws://a.example',
    LIVEKIT_SERVER_URL: 'ws://c.example',
  };
  assert.equal(loadConfig({ environment }).config.livekit.serverUrl, 'ws://a.example');
  assert.equal(
    loadConfig({ environment: { ...environment, SYRINX_LIVEKIT_SERVER_URL: '' } }).config.livekit.serverUrl,
    'ws://b.example',
  );
});

test('every other name of a key counts in a file', () => {
  for (const [alias, key] of KEYS) {
    const setting = SETTINGS.get(key);
    assert.ok(setting !== undefined, alias);
    const { value } = sample(setting);
    const tree = alias.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
    assert.deepEqual(revealed(at(loadConfig({ file: file(tree) }).config, setting)), value, alias);
  }
});

test('an unknown key is refused with its place and the nearest name', () => {
  const nearest = (value: unknown) => problems({ file: file(value) });
  assert.deepEqual(nearest({ telemetry: { metrics_interval: 5 } }), [
    "Unknown key 'telemetry.metrics_interval': did you mean 'telemetry.metrics_interval_ms'? (file a.json:3)",
  ]);
  assert.deepEqual(nearest({ telemtry: {} }), ["Unknown key 'telemtry': did you mean 'telemetry'? (file a.json:2)"]);
  assert.match(nearest({ health_server: { prot: 1 } })[0]!, /did you mean 'health_server.port'\?/);
  assert.match(
    nearest({ monitoring: { alertThresholds: { latencyMS: 1 } } })[0]!,
    /did you mean 'monitoring.alert_thresholds.latency_ms'\?/,
  );
  assert.match(nearest({ models: { voice: 'x' } })[0]!, /did you mean 'models.tts.voice'\?/);
  assert.match(nearest({ xyzzy: 1 })[0]!, /^Unknown key 'xyzzy' \(file a.json:2\)$/);
  assert.match(nearest({ __proto__x: 1 })[0]!, /^Unknown key/);
  for (const name of ['__proto__', 'constructor', 'toString']) {
    assert.match(problems({ file: file(`{"${name}": 1}`) })[0]!, /^Unknown key/, name);
  }
});

test('an unknown variable of ours is refused; what Kubernetes sets for a Service is not ours', () => {
  assert.deepEqual(problems({ environment: { SYRINX_TELEMETRY_METRICS_INTERVAL: '5' } }), [
    "Unknown variable 'SYRINX_TELEMETRY_METRICS_INTERVAL': did you mean 'SYRINX_TELEMETRY_METRICS_INTERVAL_MS'? (environment)",
  ]);
  const links = {
    SYRINX_SERVICE_HOST: '10.0.0.1',
    SYRINX_SERVICE_PORT: '8080',
    SYRINX_SERVICE_PORT_HTTP: '8080',
    SYRINX_PORT: 'tcp://10.0.0.1:8080',
    SYRINX_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
    SYRINX_PORT_8080_TCP_ADDR: '10.0.0.1',
    SYRINX_HEALTH_SERVER_PORT: 'tcp://10.0.0.1:8080',
  };
  const { config, warnings } = loadConfig({ environment: links });
  assert.deepEqual([config.healthServer.port, warnings], [8080, []]);
  assert.deepEqual(loadConfig({ environment: { SYRINX_ZOO: 'x' } }).warnings, [
    "Unknown variable 'SYRINX_ZOO' (environment)",
  ]);
});

test('all problems come at once, with what is wanted and where the value came from', () => {
  const found = problems({
    file: file({
      health_server: { port: 70_000, host: '' },
      telemetry: { enabled: 'yes' },
      models: { provider: 'opnai' },
      listening: 5,
    }),
    environment: { SYRINX_CAPACITY_MAX_SESSIONS: 'many', LOG_LEVEL: 'loud' },
    flags: [{ name: '--threshold', key: 'listening.threshold', value: 2 }],
  });
  assert.deepEqual(found, [
    'listening: wanted a group of settings ({ ... }) (file a.json:12)',
    'health_server.port: wanted a whole number from 0 to 65535, got 70000 (file a.json:3)',
    'health_server.host: wanted a non-empty string of at most 255 characters, got an empty string (file a.json:4)',
    'telemetry.enabled: wanted true or false, got "yes" (file a.json:7)',
    'models.provider: wanted one of openai, simulated, got "opnai" (file a.json:10)',
    'capacity.max_sessions: wanted a whole number from 1 to 10000, got "many" (environment SYRINX_CAPACITY_MAX_SESSIONS)',
    'logging.level: wanted one of debug, info, warn, error, got "loud" (environment LOG_LEVEL)',
    'listening.threshold: wanted a number from 0 to 1, got 2 (flag --threshold)',
  ]);
});

test('a wrong value is refused even where another source would win', () => {
  const found = problems({ file: file({ health_server: { port: 'x' } }), environment: { HEALTH_CHECK_PORT: '9000' } });
  assert.equal(found.length, 1);
});

test('wrong kinds of value are refused, whatever they are', () => {
  for (const setting of SETTINGS.values()) {
    for (const bad of [null, {}, [1], Number.NaN, Number.POSITIVE_INFINITY, '']) {
      if (setting.kind === 'groups' && JSON.stringify(bad) === '{}') continue;
      assert.equal(setting.check(bad), undefined, `${setting.key}: ${String(bad)}`);
    }
  }
  assert.match(
    problems({ file: file('{"health_server": {"port": 8080.5}}') })[0]!,
    /a whole number from 0 to 65535, got 8080.5/,
  );
  assert.match(problems({ file: file('[]') })[0]!, /wanted a group of settings/);
  assert.match(problems({ file: file('{"a":') })[0]!, /^a.json:1:6: File ends where a value should be$/);
  assert.match(problems({ file: file('{"port": 1, "health_server": {"port": 2}}') })[0]!, /given twice/);
  assert.match(
    problems({ file: file({ listening: { start_threshold: 0.001 } }) })[0]!,
    /end_threshold: must not be above/,
  );
});

test('texts of the environment become what the setting wants', () => {
  const environment = {
    SYRINX_TELEMETRY_ENABLED: 'OFF',
    SYRINX_SERVER_OPEN_METRICS: '1',
    LOG_LEVEL: 'WARN',
    SYRINX_MODELS_LLM_TEMPERATURE: ' 0.5 ',
    SYRINX_SERVER_ALLOWED_ORIGINS: 'https://a.example,',
    OPENAI_API_KEY: '',
  };
  const { config } = loadConfig({ environment });
  assert.equal(config.telemetry.enabled, false);
  assert.equal(config.server.openMetrics, true);
  assert.equal(config.logging.level, 'warn');
  assert.equal(config.models.llm.temperature, 0.5);
  assert.deepEqual(config.server.allowedOrigins, ['https://a.example']);
  assert.equal(config.models.apiKey, undefined);
  for (const text of ['0x10', '1e', '10s', '1,5', 'NaN', '- 1']) {
    assert.equal(problems({ environment: { DRAIN_TIMEOUT: text } }).length, 1, text);
  }
});

test('a stage takes from `models` what it does not say itself', () => {
  const { config } = loadConfig({
    file: file({
      models: {
        api_key: 'all',
        base_url: 'http://all.example/v1',
        llm: { api_key: 'llm', provider: 'simulated' },
        stt: { base_url: 'http://stt.example' },
      },
    }),
  });
  const { stt, llm, tts } = config.models;
  assert.deepEqual([stt.apiKey?.reveal(), llm.apiKey?.reveal(), tts.apiKey?.reveal()], ['all', 'llm', 'all']);
  assert.deepEqual(
    [stt.baseUrl, llm.baseUrl, tts.baseUrl],
    ['http://stt.example', 'http://all.example/v1', 'http://all.example/v1'],
  );
  assert.deepEqual([stt.provider, llm.provider, tts.provider], ['openai', 'simulated', 'openai']);
  assert.deepEqual([stt.timeoutMs, llm.timeoutMs, tts.timeoutMs], [10_000, 10_000, 10_000]);
});

test('the result is frozen to its leaves and shares nothing with the next one', () => {
  const { config } = loadConfig({});
  const everyObject = (value: unknown): object[] =>
    typeof value === 'object' && value !== null ? [value, ...Object.values(value).flatMap(everyObject)] : [];
  for (const one of everyObject(config)) assert.ok(Object.isFrozen(one));
  assert.notEqual(config.server.allowedOrigins, loadConfig({}).config.server.allowedOrigins);
});

test('each option of a session has a setting with the same default', () => {
  // The assignment fails to compile when an option of a session is missing here.
  const slices = (config: Config): Pick<SessionOptions, 'listening' | 'turns' | 'reply' | 'phrases'> => config;
  const { listening, turns, reply, phrases } = slices(loadConfig({}).config);
  const { DEFAULT: wanted } = { DEFAULT: DEFAULT_SESSION_OPTIONS };
  assert.deepEqual(
    { listening, turns, reply, phrases },
    {
      // A session alone hears with what every host has; a program brings the net.
      listening: { ...wanted.listening, vad: 'neural', sensitivity: 0.5 },
      turns: wanted.turns,
      reply: wanted.reply,
      phrases: wanted.phrases,
    },
  );
});

test('the file is the one of the flag, else of the environment; its own failures are said', async () => {
  const host = (env: Record<string, string>, disk: Record<string, string | Uint8Array | { code: string }>) => ({
    env,
    files: {
      async read(path: string) {
        const found = disk[path] ?? { code: 'ENOENT' };
        if (typeof found === 'string') return new TextEncoder().encode(found);
        if (found instanceof Uint8Array) return found;
        throw Object.assign(new Error('no'), found);
      },
    },
  });
  const disk = { 'a.json': '{"port": 1001}', 'b.json': '{"port": 1002}', 'c.json': '{"port": 1003}' };
  const port = async (env: Record<string, string>, path?: string) =>
    (await readConfig(host(env, disk), path)).config.healthServer.port;
  assert.equal(await port({}), 8080);
  assert.equal(await port({ LIVEKITEX_CONFIG_FILE: 'c.json' }), 1003);
  assert.equal(await port({ LIVEKITEX_CONFIG_FILE: 'c.json', SYRINX_CONFIG: 'b.json' }), 1002);
  assert.equal(await port({ SYRINX_CONFIG: 'b.json' }, 'a.json'), 1001);
  const failures: [Record<string, string | Uint8Array | { code: string }>, RegExp][] = [
    [{}, /^x.json: file does not exist \(command line\)$/],
    [{ 'x.json': { code: 'EACCES' } }, /can not be read \(EACCES\)/],
    [{ 'x.json': new Uint8Array([0xff, 0xfe, 0x00]) }, /is not UTF-8 text/],
    [{ 'x.json': new Uint8Array(2_000_000) }, /larger than/],
  ];
  for (const [contents, message] of failures) {
    await assert.rejects(readConfig(host({}, contents), 'x.json'), (error: ConfigError) => {
      assert.match(error.problems[0]!, message);
      return true;
    });
  }
});

test('groups keep their keys as they are written, and where each stands', () => {
  const text =
    '{ "alerts": { "rules": {\n"High_latency": {\n"durationSeconds": 5,\n"channels": ["a", {"x": 1}] } } } }';
  const { config, origins } = loadConfig({ file: { path: 'a.json', text } });
  assert.deepEqual(config.alerts.rules, { High_latency: { durationSeconds: 5, channels: ['a', { x: 1 }] } });
  assert.equal(origins.get('alerts.rules.High_latency')?.name, 'a.json:2');
  assert.equal(origins.get('alerts.rules.High_latency.durationSeconds')?.name, 'a.json:3');
  assert.deepEqual(problems({ file: file({ alerts: { rules: { a: 5 } } }) }), [
    'alerts.rules: wanted groups of settings by name, got a group (file a.json:3)',
  ]);
});
