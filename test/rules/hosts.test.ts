// Only src/hosts/ knows which runtime this is: nothing else names one, however it spells it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOnly, matches, sourcesUnder, textOf, withoutComments } from './source.ts';

const GLOBALS = new RegExp(
  [
    String.raw`(?<![\w.$#])(?:Bun|Deno|__dirname|__filename|setImmediate)\b(?!\s*\??:)`,
    String.raw`(?<![\w.$#])(?:process|Buffer|navigator)\s*(?:\?\.|[.[])`,
    String.raw`(?<![\w.$#])(?:require|Buffer)\s*\(|\btypeof\s+(?:process|Buffer|require|navigator)\b`,
    String.raw`\bglobalThis\s*(?:\?\.|\.)\s*(?:Bun|Deno|process|Buffer|navigator|require)\b|\bglobalThis\s*(?:\?\.)?\[|\bglobalThis\s+as\b`,
    String.raw`\bimport\.meta\.(?:main|dir|dirname|filename|require)\b`,
  ].join('|'),
);
const SPECIFIERS = /(['"`])(?:node|bun|npm|jsr):[\w/-]+\1|\bfrom\s*['"]bun['"]/;
const REFERENCES = /^\s*\/\/\/\s*<reference\b/m;

test('no runtime outside src/hosts/', () => {
  const wrong = sourcesUnder('src')
    .filter((path) => !path.startsWith('src/hosts/'))
    .flatMap((path) => {
      const text = textOf(path);
      return [
        ...matches(path, codeOnly(text), GLOBALS),
        ...matches(path, withoutComments(text), SPECIFIERS),
        ...matches(path, text, REFERENCES),
      ];
    });
  assert.deepEqual(wrong, []);
});

test('the rule finds what it is for', () => {
  for (const code of [
    'Bun.file(x)',
    'if (Deno) {',
    'globalThis.process.env',
    "globalThis['Deno']",
    'typeof process',
    'new Buffer(1)',
    'import.meta.dir',
    'globalThis[name]',
  ]) {
    assert.match(code, GLOBALS, code);
  }
  for (const code of [
    'host.process',
    'this.process(x)',
    'process: true',
    '#process',
    'interface ProcessFacts',
    'process(input: X): Y;',
    'globalThis.crypto',
    'requireToken()',
  ]) {
    assert.doesNotMatch(code, GLOBALS, code);
  }
  assert.match("import('node:fs')", SPECIFIERS);
});
