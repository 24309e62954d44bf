// The page as Prometheus' own tool reads it: every instrument that is declared, with a value and with labels that need escapes.
// hosts: node (the text is the same on all hosts, and the tool is one program)
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { everyInstrument } from '../../scripts/metrics/every-instrument.ts';
import { createRegistry, renderPrometheus } from '../../src/metrics/index.ts';

const promtool = fileURLToPath(new URL('../../.cache/observability/promtool', import.meta.url));
const skip = existsSync(promtool) ? false : 'no promtool: run `bun scripts/install-observability.ts`';

test('VIS-02: promtool finds no fault in any instrument that is declared', { skip }, async () => {
  const registry = createRegistry();
  for (const { name, kind, unit, labels, help, bounds } of await everyInstrument()) {
    const own = { name, unit, labels, help };
    const values = Object.fromEntries(labels.map((label, i) => [label, `a"b\\c\n${i}`]));
    if (kind === 'counter') registry.counter(own).labels(values).add(1.5);
    else if (kind === 'gauge') registry.gauge(own).labels(values).set(0.5);
    else
      registry
        .histogram({ ...own, bounds })
        .labels(values)
        .record(0.3);
  }
  const page = renderPrometheus(registry);
  assert.ok(page.split('\n').length > 500);
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input: page, encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}${stderr}`);
});

test('promtool is asked for real: it finds an abbreviated unit', { skip }, () => {
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
    input: '# HELP x_ms X.\n# TYPE x_ms gauge\nx_ms 1\n',
    encoding: 'utf8',
  });
  assert.equal(status, 3, `${stdout}${stderr}`);
});
