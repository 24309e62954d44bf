// Files: named by what is inside, opened by a sentence, short unless docs/architecture.md says why, free of machine paths and of notes to self.
import assert from 'node:assert/strict';
import { extname } from 'node:path';
import { test } from 'node:test';
import { filesUnder, SOURCE_FOLDERS, sourcesUnder, textOf } from './source.ts';

const LONGEST_LINES = 400;
const DRAWERS = /^(?:utils?|helpers?|misc|common|types|shared|managers?|stuff|lib)$/;
const DRAWER_FOLDERS = /^(?:ports|base|core)$/;
const KEBAB = /^\.?[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/;
/** Names that a tool or a reader's habit prescribes. */
const GIVEN = new Set([
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'Containerfile',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'NOTICE',
]);
const MACHINE_PATH = /(?<![\w.:/-])\/(?:work|root|home\/\w+|Users\/\w+|tmp\/\w+)\//;
const NOTE_TO_SELF = new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`);
const TEXT = new Set([
  '.ts',
  '.js',
  '.mjs',
  '.cjs',
  '.json',
  '.md',
  '.yaml',
  '.yml',
  '.toml',
  '.service',
  '.sh',
  '.html',
  '.css',
  '',
]);

const folders = sourcesFolders();
function sourcesFolders(): string[] {
  const top = new Set(filesUnder('').map((path) => path.split('/')[0]));
  return SOURCE_FOLDERS.filter((folder) => top.has(folder));
}
const everything = filesUnder('').filter((path) => !path.includes('.generated.') && path !== 'package-lock.json');

test('names are kebab-case and say what is inside', () => {
  const wrong = everything.flatMap((path) => {
    const parts = path.split('/');
    const file = parts.pop() ?? '';
    if (path.startsWith('test/fixtures/')) return [];
    const bad = [...parts, file].some((name) => !KEBAB.test(name) && !GIVEN.has(name));
    const drawer =
      DRAWERS.test(file.split('.')[0] ?? '') || parts.some((name) => DRAWERS.test(name) || DRAWER_FOLDERS.test(name));
    return bad || drawer ? [path] : [];
  });
  assert.deepEqual(wrong, []);
});

test('every source file opens with a comment', () => {
  const wrong = sourcesUnder(...folders).filter((path) => !/^(?:#!.*\n)?(?:\/\/ ?\S|\/\*)/.test(textOf(path)));
  assert.deepEqual(wrong, []);
});

test(`no file is longer than ${LONGEST_LINES} lines without a reason in docs/architecture.md`, () => {
  const reasons = new Set(
    [...textOf('docs/architecture.md').matchAll(/^- `([^`]+)` \(long\): \S.{15,}$/gm)].map((m) => m[1]),
  );
  const long = sourcesUnder(...folders).filter((path) => textOf(path).trimEnd().split('\n').length > LONGEST_LINES);
  assert.deepEqual(
    long.filter((path) => !reasons.has(path)),
    [],
    'too long',
  );
  assert.deepEqual(
    [...reasons].filter((path) => !long.includes(path ?? '')),
    [],
    'a reason for a file that is not long',
  );
});

test('nothing is left for later in a comment, and no path of one machine', () => {
  const wrong = everything
    .filter((path) => TEXT.has(extname(path)) && path !== 'LICENSE')
    .flatMap((path) =>
      textOf(path)
        .split('\n')
        .flatMap((line, n) =>
          MACHINE_PATH.test(line) || NOTE_TO_SELF.test(line) ? [`${path}:${n + 1}: ${line.trim()}`] : [],
        ),
    );
  assert.deepEqual(wrong, []);
});

test('the rules find what they are for', () => {
  for (const name of ['fooBar.ts', 'Foo.ts', 'foo_bar.ts', 'a--b.ts']) assert.doesNotMatch(name, KEBAB, name);
  for (const name of ['a-b.test.ts', 'openai', '.oxlintrc.json', 'session.d.ts']) assert.match(name, KEBAB, name);
  for (const path of ['/ho' + 'me/jo/x', '"/wo' + 'rk/a"', ' /tm' + 'p/x/y']) assert.match(path, MACHINE_PATH);
  for (const path of ['./work/a', 'https://a.b/home/x/y', '/usr/bin/env', 'test/root/x'])
    assert.doesNotMatch(path, MACHINE_PATH);
});
