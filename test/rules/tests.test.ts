// Tests: none sleeps, none is switched off without a reason, none is the only one that runs, and each asserts something.
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import { codeOnly, matches, sourcesUnder, textOf, withoutComments } from './source.ts';

const SLEEPS =
  /new\s+Promise\s*(?:<[^(]*>)?\(\s*\(?\s*(\w+)[^)=]*\)?\s*=>\s*\{?\s*(?:void\s+)?setTimeout\(\s*(?:\(\s*\)\s*=>\s*)?\1\b|\bBun\.sleep|\bAtomics\.wait\(|\bsetTimeout\(\s*(?:resolve|done)\b|\b(?:sleep|delay)\(\s*\d+\s*\)/;
const SLEEP_MODULES = /['"](?:node:)?timers\/promises['"]/;
const OFF =
  /\.(?:only|todo)\s*\(|\b(?:only|todo)\s*:\s*true\b|\bskip\s*:\s*true\b|\.skip\s*\(\s*\)|\b(?:test|it|describe|suite)\.skip\s*\(/;
const ASSERTS = /\bassert\b|\bexpect\b|\bfc\.assert\b/;

const tests = sourcesUnder('test').filter((path) => path.endsWith('.test.ts'));
/** This file spells what it forbids. */
const others = sourcesUnder('test').filter((path) => path !== 'test/rules/tests.test.ts');

/** Servers and media of other processes live in real time: such a file says so, and why, in its first lines. */
const REAL_TIME = /^\/\/ real time: \S.{20,}$/m;
const isRealTime = (path: string) => REAL_TIME.test(textOf(path).split('\n').slice(0, 4).join('\n'));

test('no test waits for time to pass, but where another process is waited for', () => {
  const wrong = others
    .filter((path) => !isRealTime(path))
    .flatMap((path) => [
      ...matches(path, codeOnly(textOf(path)), SLEEPS),
      ...matches(path, withoutComments(textOf(path)), SLEEP_MODULES),
    ]);
  assert.deepEqual(wrong, []);
});

test('no test is switched off without a reason', () => {
  assert.deepEqual(
    others.flatMap((path) => matches(path, codeOnly(textOf(path)), OFF)),
    [],
  );
});

/** Its own code, or that of a suite beside it which it runs. */
function asserts(path: string): boolean {
  const own = codeOnly(textOf(path)).replace(/^import .*$/gm, '');
  if (ASSERTS.test(own)) return true;
  const suites = [...withoutComments(textOf(path)).matchAll(/\bfrom\s*['"](\.\/[^'"]+)['"]/g)];
  return suites.some(([, from = '']) => ASSERTS.test(codeOnly(textOf(posix.join(posix.dirname(path), from)))));
}

test('every test file asserts', () => {
  assert.deepEqual(
    tests.filter((path) => !asserts(path)),
    [],
  );
});

test('the rules find what they are for', () => {
  for (const code of [
    'new Promise((r) => setTimeout(r, 50))',
    'new Promise<void>((ok) => { setTimeout(ok, 5); })',
    'new Promise((ok) => setTimeout(() => ok(1), 5))',
    'setTimeout(resolve, 5)',
    'await delay(100)',
  ]) {
    assert.match(code, SLEEPS, code);
  }
  for (const code of ['setTimeout(() => reject(new Error()), 5000)', 'clock.sleep(stepMs)'])
    assert.doesNotMatch(code, SLEEPS, code);
  for (const code of ['test.only(', 'test.skip(', '{ skip: true }', 't.skip()', 'it.todo('])
    assert.match(code, OFF, code);
  for (const code of ["{ skip: 'needs a key' }", "t.skip('why')", 'array.skip(2)'])
    assert.doesNotMatch(code, OFF, code);
});
