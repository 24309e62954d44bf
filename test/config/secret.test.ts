// A secret can not be seen by accident: printing, joining, JSON, inspection, errors, logs and `config show` all mask it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { configData, configText } from '../../src/config/describe.ts';
import type { ConfigError } from '../../src/config/errors.ts';
import { loadConfig } from '../../src/config/load.ts';
import { Secret } from '../../src/config/secret.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { createLogger } from '../../src/ops/logs.ts';

const TEXT = 'sk-very-secret';
const secrets = [...SETTINGS.values()].filter(({ secret }) => secret);

test('every way of printing a secret gives ***', () => {
  const secret = new Secret(TEXT);
  assert.equal(secret.reveal(), TEXT);
  const printed = [
    String(secret),
    `${secret}`,
    `${secret as unknown as string}x`,
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ deep: [secret] }, { showHidden: true, depth: 9 }),
    format('%s %o %O %j', secret, secret, secret, secret),
    JSON.stringify(Object.entries(secret)),
    JSON.stringify(structuredClone({ ...secret })),
    Object.getOwnPropertyNames(secret).join(),
  ];
  for (const one of printed) assert.ok(!one.includes(TEXT), one);
  assert.match(JSON.stringify({ secret }), /"\*\*\*"/);
  assert.match(inspect(secret), /\*\*\*/);
});

test('no secret leaks through show, JSON, inspection or the log', () => {
  assert.deepEqual(
    secrets.map(({ key }) => key),
    [
      'models.api_key',
      'models.stt.api_key',
      'models.llm.api_key',
      'models.tts.api_key',
      'livekit.api_key',
      'livekit.api_secret',
      'livekit.e2ee_key',
      'server.token',
      'telemetry.otlp.headers',
      'alerts.email.password',
      'alerts.webhook.url',
      'alerts.webhook.signing_secret',
      'alerts.webhook.authorization',
      'alerts.slack.url',
      'alerts.pagerduty.routing_key',
      'alerts.alertmanager.authorization',
    ],
  );
  const loaded = loadConfig({
    environment: Object.fromEntries(secrets.map(({ variable }, i) => [variable, `${TEXT}-${i}`])),
  });
  assert.equal(loaded.config.livekit.apiSecret?.reveal(), `${TEXT}-5`);
  const lines: string[] = [];
  for (const kind of ['json', 'pretty'] as const) {
    const log = createLogger({ level: 'debug', format: kind, write: (line) => lines.push(line), now: () => 0 });
    log.info('configuration', { config: loaded.config, key: loaded.config.models.apiKey });
    log
      .child({ token: loaded.config.server.token })
      .error('failed', { error: new Error('no', { cause: loaded.config }) });
  }
  assert.equal(lines.length, 4);
  const shown = [
    configText(loaded),
    JSON.stringify(configData(loaded)),
    JSON.stringify(loaded.config),
    inspect(loaded, { depth: 9 }),
    ...lines,
  ];
  for (const one of shown) {
    assert.ok(!one.includes(TEXT), one);
    assert.ok(one.includes('***'), one);
  }
});

test('no message about a wrong configuration quotes a secret, an address or an unknown key’s value', () => {
  const files = [
    ...secrets.map(({ path }) => path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), [TEXT])),
    { models: { api_keyy: TEXT } },
    { models: { base_url: `https://user:${TEXT}@host.example/v1` } },
    { livekit: { server_url: TEXT } },
    { server: { allowed_origins: TEXT } },
    { health_server: { port: { token: TEXT } } },
    { models: TEXT },
  ];
  const texts = [
    ...files.map((value) => JSON.stringify(value)),
    `{"models": {"api_key": "${TEXT}`,
    `{"api_key": ${TEXT}}`,
  ];
  for (const text of texts) {
    assert.throws(
      () => loadConfig({ file: { path: 'a.json', text } }),
      (error: ConfigError) => {
        assert.ok(error.problems.length > 0);
        const all = `${error.message} ${error.stack} ${error.problems.join()} ${inspect(error)}`;
        assert.ok(!all.includes(TEXT), all);
        return true;
      },
      text,
    );
  }
  assert.throws(
    () => loadConfig({ environment: { OPENAI_BASE_URL: `ftp://${TEXT}` } }),
    (error: ConfigError) => !error.problems.join().includes(TEXT),
  );
});
