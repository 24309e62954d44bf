// What `npm test` counts: one test is what all three runners call a test, and a host that runs fewer is found out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import report, { type Leaf } from '../../scripts/node-reporter.ts';
import { differences, type HostRun, testCases } from '../../scripts/test-hosts.ts';

interface Told {
  readonly name: string;
  readonly nesting: number;
  readonly type?: 'suite' | 'test';
  readonly failed?: boolean;
  readonly skip?: string | boolean;
}

async function leavesOf(told: readonly Told[]): Promise<Leaf[]> {
  async function* events() {
    for (const { name, nesting, type = 'test', failed = false, skip } of told) {
      yield {
        type: failed ? 'test:fail' : 'test:pass',
        data: { name, nesting, file: 'a.test.ts', skip, details: { type } },
      };
    }
  }
  const leaves: Leaf[] = [];
  for await (const text of report(events() as unknown as Parameters<typeof report>[0]))
    leaves.push(JSON.parse(text) as Leaf);
  return leaves;
}
const shape = (leaves: readonly Leaf[]) => leaves.map(({ path, status }) => `${path.join(' > ')}: ${status}`);

test('inner tests belong to their test, tests in suites count by themselves', async () => {
  const leaves = await leavesOf([
    { name: 'one', nesting: 1 },
    { name: 'with two inside', nesting: 0 },
    { name: 'deep', nesting: 2 },
    { name: 'inner', nesting: 1, type: 'suite' },
    { name: 'bad', nesting: 1, failed: true },
    { name: 'off', nesting: 1, skip: 'needs a key' },
    { name: 'group', nesting: 0, type: 'suite', failed: true },
  ]);
  assert.deepEqual(shape(leaves), [
    'with two inside: passed',
    'group > inner > deep: passed',
    'group > bad: failed',
    'group > off: skipped',
  ]);
  assert.equal(leaves.at(-1)?.reason, 'needs a key');
});

test('a suite that fails by itself is a failure', async () => {
  const leaves = await leavesOf([
    { name: 'fine', nesting: 1 },
    { name: 'its hook threw', nesting: 0, type: 'suite', failed: true },
  ]);
  assert.deepEqual(shape(leaves), ['its hook threw > fine: passed', 'its hook threw: failed']);
});

test('reports of Bun and Deno are read with their escapes', () => {
  const xml = `<testsuites><testcase name="a &lt;b&gt; &#39;c&#x27;" classname="x &gt; y" file="t.ts" />
    <testcase name="bad"><failure message="m">text</failure></testcase><testcase name="off"><skipped /></testcase></testsuites>`;
  assert.deepEqual(
    testCases(xml).map(({ attributes, status }) => [attributes.name, attributes.classname, status]),
    [
      ["a <b> 'c'", 'x > y', 'passed'],
      ['bad', undefined, 'failed'],
      ['off', undefined, 'skipped'],
    ],
  );
});

test('a test that one host did not run is told', () => {
  const leaf = (file: string, name: string): Leaf => ({ file, path: [name], status: 'passed', ms: 0 });
  const hostRun = (host: HostRun['host'], leaves: Leaf[]): HostRun => ({
    host,
    files: 2,
    leaves,
    troubles: [],
    output: '',
    seconds: 0,
    times: [],
  });
  const onNode = hostRun('node', [leaf('a', 'x'), leaf('a', 'x'), leaf('b', 'y'), leaf('only-node', 'z')]);
  const onBun = hostRun('bun', [leaf('a', 'x'), leaf('b', 'y'), leaf('b', 'more')]);
  assert.deepEqual(differences(onNode, onBun, ['only-node']), [
    '"x" ran 2 times on node, 1 times on bun',
    '"more" ran 0 times on node, 1 times on bun',
  ]);
});
