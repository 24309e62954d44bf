// A user's `agent.ts` from a folder outside the program, on each runtime: `syrinx` is found, and mistakes name the file.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { HOSTS, type HostName, missing, start } from './program.ts';

const FILES: Record<string, string> = {
  'agent.ts': `
import { defineAgent } from 'syrinx';
import { greeting } from './lib/greeting.ts';
interface Shape { instructions: string; greeting: string }
const shape: Shape = { instructions: 'Be brief', greeting };
export default defineAgent(shape);
`,
  'lib/greeting.ts': `
import * as syrinx from 'syrinx';
export const greeting: string = typeof syrinx.defineAgent === 'function' ? 'Hello' : 'Not the program';
`,
  'syntax.ts': `export default {{{\n`,
  'deep.ts': `import './lib/broken.ts';\nexport default 1;\n`,
  'lib/broken.ts': `\nconst a = ;\n`,
  'no-export.ts': `import { nothing } from 'syrinx';\nexport default nothing;\n`,
  'no-file.ts': `\n\nimport x from './nowhere.ts';\nexport default x;\n`,
  'throws.ts': `\nthrow new Error('boom');\n`,
};
/** What the message must say; the line where every runtime tells it. */
const MISTAKES: readonly (readonly [file: string, pattern: RegExp])[] = [
  ['syntax.ts', /^Cannot load ".*\/syntax\.ts:1(:\d+)?": /],
  ['deep.ts', /^Cannot load ".*\/lib\/broken\.ts:2(:\d+)?": /],
  ['no-export.ts', /^Cannot load ".*\/no-export\.ts(:1(:\d+)?)?": .*\bnothing\b/],
  ['no-file.ts', /^Cannot load ".*\/no-file\.ts(:3(:\d+)?)?": .*nowhere\.ts/],
  ['throws.ts', /^Cannot load ".*\/throws\.ts:2:\d+": boom$/],
];

let folder: string;
before(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'syrinx-modules-')));
  mkdirSync(join(folder, 'lib'));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
});
after(() => rmSync(folder, { recursive: true }));

async function load(host: HostName, file: string): Promise<{ code: number | null; result: Record<string, unknown> }> {
  const program = start(host, 'import', join(folder, file));
  const { code, output } = await program.exit();
  const line = output.split('\n').find((text) => text.startsWith('{'));
  assert.ok(line, output);
  return { code, result: JSON.parse(line) };
}

for (const host of HOSTS) {
  describe(`${host} imports a user's module`, { skip: missing(host) }, () => {
    it('that uses syrinx, its own files and types', async () => {
      const { code, result } = await load(host, 'agent.ts');
      assert.equal(code, 0, JSON.stringify(result));
      assert.equal(result.instructions, 'Be brief');
      assert.equal(result.greeting, 'Hello');
    });
    for (const [file, pattern] of MISTAKES) {
      it(`or says what is wrong with it: ${file}`, async () => {
        const { code, result } = await load(host, file);
        assert.equal(code, 2);
        assert.equal(result.name, 'ModuleError');
        assert.equal(result.code, 'EMODULE');
        assert.match(String(result.message), pattern);
      });
    }
    it('or says that it is not there', async () => {
      const { code, result } = await load(host, 'absent.ts');
      assert.equal(code, 2);
      assert.deepEqual(result, {
        name: 'ModuleError',
        message: `Cannot find "${join(folder, 'absent.ts')}"`,
        code: 'ENOENT',
      });
    });
  });
}
