// The reader that the rules stand on: what it blanks and what it keeps.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOnly, withoutComments } from './source.ts';

test('comments are blanked and lines stay', () => {
  assert.equal(withoutComments("a; // Date\nb('// not');/* x\ny */ c"), "a;        \nb('// not');    \n     c");
});

test('texts are blanked, code inside a template stays', () => {
  const code = codeOnly('x = `Date ${await f({ a: `Intl ${b}` })} Promise` + \'Date\' + "\\"Date"; Math.sin');
  for (const word of ['Date', 'Intl', 'Promise']) assert.equal(code.includes(word), false, word);
  for (const word of ['await f', 'b', 'Math.sin']) assert.ok(code.includes(word), word);
});

test('regular expressions are texts, divisions are not', () => {
  assert.equal(codeOnly('const r = /[/"]await/u.test(s); a'), `const r = ${' '.repeat(11)}u.test(s); a`);
  assert.equal(codeOnly("a / b + c / await; 'x'"), 'a / b + c / await;    ');
});
