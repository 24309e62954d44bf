// A session is deterministic on every host: no promise, clock, timer, random or locale, and no arithmetic that engines round differently.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOnly, matches, sourcesUnder, textOf, withoutComments } from './source.ts';

const WORDS =
  /(?<![\w$])(?:async|await|Promise|PromiseLike|AsyncIterable|Date|performance|setTimeout|setInterval|setImmediate|queueMicrotask|fetch|console|crypto|Intl|WeakRef|FinalizationRegistry|Atomics|Temporal)(?![\w$])|\.(?:then|localeCompare|normalize)\(|\.toLocale\w*/;
/** Exact by definition, hence equal on V8 and JavaScriptCore. */
const EXACT_MATH = 'abs|ceil|clz32|floor|fround|imul|max|min|round|sign|sqrt|trunc|PI';
const MATH = new RegExp(`\\bMath\\s*\\.\\s*(?!(?:${EXACT_MATH})\\b)|\\bMath\\s*\\[|[=({,]\\s*Math\\s*[;,)}]`);
const POWER = /(?<![\d_\s)]\s?)\*\*|\*\*(?!\s?\d+\b(?!\.))|\.\d+\s?\*\*|[)\w.]*[A-Za-z$)]\w*\s?\*\*/;
/** Unicode tables differ between engine versions. */
const UNICODE_TABLES = /\\p\{|\\P\{/;

test('src/session uses nothing that could differ between two runs', () => {
  const wrong = sourcesUnder('src/session').flatMap((path) => {
    const text = textOf(path);
    const code = codeOnly(text);
    return [
      ...[WORDS, MATH, POWER].flatMap((pattern) => matches(path, code, pattern)),
      ...matches(path, withoutComments(text), UNICODE_TABLES),
    ];
  });
  assert.deepEqual(wrong, []);
});

test('the rule finds what it is for', () => {
  for (const code of ['await x', 'new Date()', 'Date.now()', 'performance.now()', 'x.then(f)', 'a.toLocaleLowerCase()'])
    assert.match(code, WORDS, code);
  for (const code of ['updateDate', 'asyncMode', 'x.$await', 'datePart']) assert.doesNotMatch(code, WORDS, code);
  for (const code of ['Math.exp(x)', 'Math.random()', 'Math . pow(2, x)', "Math['log']", 'const { log } = Math;'])
    assert.match(code, MATH, code);
  for (const code of ['Math.min(a, b)', 'Math.sqrt(x)', 'Math.trunc(x)']) assert.doesNotMatch(code, MATH, code);
  for (const code of ['2 ** x', 'x ** 2', 'a.b ** 2', '2 ** 0.5', '0.5 ** 2', 'f(x) ** 2'])
    assert.match(code, POWER, code);
  for (const code of ['2 ** 16', '2**15', '(1 + 2 ** 4)']) assert.doesNotMatch(code, POWER, code);
});
