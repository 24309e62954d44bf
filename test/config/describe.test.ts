// The descriptions of the configuration agree with what is accepted.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { configData, configJsonSchema, configText, configurationPage } from '../../src/config/describe.ts';
import { loadConfig } from '../../src/config/load.ts';
import { SETTINGS } from '../../src/config/settings.ts';

type Schema = { readonly [key: string]: unknown; readonly properties?: Record<string, Schema> };

test('the JSON Schema has each setting with its description, range and default, requires nothing and allows nothing else', () => {
  const root = configJsonSchema() as Schema;
  for (const { key, about, initial } of SETTINGS.values()) {
    const leaf = key.split('.').reduce<Schema | undefined>((schema, name) => schema?.properties?.[name], root);
    assert.equal(leaf?.description, about, key);
    assert.deepEqual(leaf?.default, initial, key);
  }
  const groups = (schema: Schema): Schema[] =>
    schema.properties === undefined ? [] : [schema, ...Object.values(schema.properties).flatMap(groups)];
  for (const group of groups(root)) {
    assert.equal(group.additionalProperties, false);
    assert.equal(group.required, undefined);
  }
  const port = root.properties?.health_server?.properties?.port;
  assert.deepEqual([port?.type, port?.minimum, port?.maximum], ['integer', 0, 65_535]);
  assert.deepEqual(root.properties?.livekitex_agent, { $ref: '#' });
});

test('docs/configuration.md is what the schema says (made by `syrinx config docs`)', async () => {
  const page = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  assert.equal(page.trimEnd(), configurationPage().trimEnd());
  for (const { key, about } of SETTINGS.values()) assert.ok(page.includes(`| \`${key}\` |`) && about !== '', key);
});

test('showing says for each value where it came from', () => {
  const loaded = loadConfig({
    file: { path: 'a.json', text: '{"port": 9000}' },
    environment: { OPENAI_API_KEY: 'sk-x' },
    flags: [{ name: '--log-level', key: 'logging.level', value: 'debug' }],
  });
  const text = configText(loaded);
  assert.match(text, /^health_server\.port +9000 +file a\.json:1$/m);
  assert.match(text, /^models\.tts\.api_key +"\*\*\*" +environment OPENAI_API_KEY$/m);
  assert.match(text, /^logging\.level +"debug" +flag --log-level$/m);
  assert.match(text, /^session\.max_turns +100 +default$/m);
  assert.doesNotMatch(text, /^livekit\.server_url/m);
  const { config, origins } = configData(loaded) as {
    config: Record<string, Record<string, unknown>>;
    origins: Record<string, string>;
  };
  assert.equal(config.health_server?.port, 9000);
  assert.equal(origins['health_server.port'], 'file a.json:1');
});

test('what is shown as JSON is a configuration again', () => {
  const first = loadConfig({ environment: { SYRINX_TURNS_EARLY: 'off', LIVEKIT_URL: 'ws://a.example' } });
  const { config } = configData(first);
  const second = loadConfig({ file: { path: 'again.json', text: JSON.stringify(config) } });
  assert.deepEqual(configData(second).config, config);
});
