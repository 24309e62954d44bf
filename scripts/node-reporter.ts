// A reporter for `node --test` that writes one JSON line for each test that has no tests inside it.
import type { TestEvent } from 'node:test/reporters';

/** A test as all three runners know it: `test()` or `it()`; what `t.test()` does inside one belongs to it. */
export interface Leaf {
  readonly file: string;
  /** Names from the outermost suite inwards. */
  readonly path: readonly string[];
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly reason?: string | undefined;
  readonly ms: number;
}

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  /** What has been told below the parents that are still to come, by nesting. Children come before their parent. */
  const open = new Map<number, Leaf[]>();
  for await (const event of source) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { name, nesting, file = '', skip, todo, details } = event.data;
    const children = open.get(nesting + 1) ?? [];
    open.delete(nesting + 1);
    const off = skip ?? todo;
    const failed = event.type === 'test:fail';
    const own: Leaf = {
      file,
      path: [name],
      status: off !== undefined && off !== false ? 'skipped' : failed ? 'failed' : 'passed',
      reason: typeof off === 'string' ? off : undefined,
      ms: details.duration_ms,
    };
    let leaves = [own];
    if (details.type === 'suite' && children.length > 0) {
      leaves = children.map((leaf) => ({ ...leaf, path: [name, ...leaf.path] }));
      if (failed && !leaves.some((leaf) => leaf.status === 'failed')) leaves.push(own);
    }
    if (nesting > 0) open.set(nesting, [...(open.get(nesting) ?? []), ...leaves]);
    else for (const leaf of leaves) yield `${JSON.stringify(leaf)}\n`;
  }
}
