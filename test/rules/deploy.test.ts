// The files under deploy/ and the Containerfile: probes as the specification gives them, and no setting that the program does not know.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VARIABLES } from '../../src/config/aliases.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { filesUnder, textOf } from './source.ts';

const manifests = [...filesUnder('deploy'), 'Containerfile'];
/** The indented block below a YAML key, as `key: value` pairs of all its levels. */
function block(text: string, key: string): Record<string, string> {
  const [, indent = '', body = ''] = new RegExp(`^( *)(?:- )?${key}:\\n((?:\\1 +.*\\n)+)`, 'm').exec(`${text}\n`) ?? [];
  assert.notEqual(body, '', `no ${key}`);
  assert.ok(indent.length > 0);
  return Object.fromEntries([...body.matchAll(/^ *(\w+): (.+)$/gm)].map(([, name = '', value = '']) => [name, value]));
}

test('DEP-01: the container asks the program for its health', () => {
  const expected = { interval: '30s', timeout: '10s', retries: '3', start_period: '60s' };
  const compose = block(textOf('deploy/docker-compose.yaml'), 'healthcheck');
  assert.deepEqual(compose, { test: '[CMD, /usr/local/bin/syrinx, healthcheck]', ...expected });
  const image = textOf('Containerfile');
  assert.match(
    image,
    /^HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD \["[^"]+\/syrinx", "healthcheck"\]$/m,
  );
  assert.match(image, /^USER 65534(?::65534)?$/m);
});

test('DEP-02, DEP-03, DEP-04: the Deployment and its probes', () => {
  const text = textOf('deploy/kubernetes.yaml');
  assert.match(text, /^apiVersion: apps\/v1\nkind: Deployment\nmetadata:\n {2}name: livekitex-agent\n/m);
  assert.match(text, /^ +- name: agent\n +image: /m);
  const probe = (path: string, delay: string, period: string) => ({
    path,
    port: '8080',
    initialDelaySeconds: delay,
    periodSeconds: period,
  });
  assert.deepEqual(block(text, 'livenessProbe'), probe('/health/live', '30', '10'));
  assert.deepEqual(block(text, 'readinessProbe'), probe('/health/ready', '5', '5'));
});

test('every variable in them is one that the program reads', () => {
  const known = new Set([
    ...[...SETTINGS.values()].map(({ variable }) => variable),
    ...VARIABLES.map(([name]) => name),
    'SYRINX_AGENT',
  ]);
  const used = manifests.flatMap((path) =>
    [...textOf(path).matchAll(/\b(?:SYRINX|OPENAI|LIVEKIT)_[A-Z_]+\b/g)].map(([name]) => name),
  );
  assert.ok(used.length > 0);
  assert.deepEqual(
    [...new Set(used)].filter((name) => !known.has(name)),
    [],
  );
});
