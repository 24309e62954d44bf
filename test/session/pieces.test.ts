// Text to pieces: none is lost whatever the chunks, and pieces end where a speaker would pause.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_SESSION_OPTIONS } from '../../src/session/options.ts';
import { isSpeakable, PieceSplitter } from '../../src/session/reply/pieces.ts';

const options = DEFAULT_SESSION_OPTIONS.reply;

function split(chunks: readonly string[], over = {}): string[] {
  const splitter = new PieceSplitter({ ...options, ...over });
  return [...chunks.flatMap((c) => splitter.push(c)), ...splitter.flush()];
}
const letters = (text: string) => text.replace(/\s+/g, '');

for (const [what, text, pieces] of [
  ['sentences', 'One two. Three four! Five?', ['One two.', 'Three four!', 'Five?']],
  [
    'abbreviations',
    'Ask Dr. Who or Mr. Bean, e.g. today. Then go.',
    ['Ask Dr. Who or Mr. Bean, e.g. today.', 'Then go.'],
  ],
  ['initials', 'J. R. Smith is here. Good.', ['J. R. Smith is here.', 'Good.']],
  [
    'numbers and addresses',
    'It costs 3.50 at shop.example.com now. Fine.',
    ['It costs 3.50 at shop.example.com now.', 'Fine.'],
  ],
  ['several signs', 'Really?! Yes... maybe. "Stop!" he said.', ['Really?!', 'Yes...', 'maybe.', '"Stop!"', 'he said.']],
  ['lines', 'First line\nSecond line\n\nThird', ['First line', 'Second line', 'Third']],
  [
    'CJK',
    '\u4f60\u597d\u3002\u4eca\u5929\u5929\u6c14\u5f88\u597d\uff01\u518d\u89c1',
    ['\u4f60\u597d\u3002', '\u4eca\u5929\u5929\u6c14\u5f88\u597d\uff01', '\u518d\u89c1'],
  ],
  ['signs without words', '--- \n* First thing.\n***', ['--- \n* First thing.', '***']],
] as const) {
  test(`pieces of ${what}`, () => {
    assert.deepEqual(split([...text]), pieces);
    assert.deepEqual(split([text]), pieces);
  });
}

test('a whole sentence in one chunk is spoken without waiting for the next', () => {
  const splitter = new PieceSplitter(options);
  assert.deepEqual(splitter.push('Hello'), []);
  assert.deepEqual(splitter.push(' there.'), ['Hello there.']);
  assert.deepEqual(splitter.push(' I am Dr.'), []);
  assert.deepEqual(splitter.push(' Who.'), ['I am Dr. Who.']);
  assert.deepEqual(splitter.push('.'), []);
});

test('a long first sentence ends at a clause, a very long one at a space, a sign is never halved', () => {
  const long =
    'This is the beginning of a rather long sentence that goes on, and it goes on, and it does not come to its end';
  const [first] = split([long]);
  assert.equal(first, 'This is the beginning of a rather long sentence that goes on, and it goes on,');
  const words = split(['word '.repeat(200)]);
  assert.ok(words.every((p) => p.length <= options.maxPieceChars));
  const signs = split(['\u{20000}'.repeat(300)], { maxPieceChars: 101, firstPieceChars: 101 });
  assert.ok(signs.every((p) => p.isWellFormed()));
  const wide = split(['\u4e00'.repeat(60) + '\uff0c' + '\u4e00'.repeat(60)]);
  assert.equal(wide[0]?.length, 61);
});

const text = fc
  .array(
    fc.constantFrom(
      'Hello',
      ' ',
      ' ',
      '. ',
      '.',
      '!',
      '?',
      '\n',
      'Dr.',
      ' e.g.',
      '3.5',
      ', ',
      '\u3002',
      '\u4f60\u597d',
      '\u{1f600}',
      '"',
      '\u2026',
      'a',
      '\u00e9',
      '-',
    ),
    { maxLength: 80 },
  )
  .map((parts) => parts.join(''));

/** Cuts a text at random places. */
function chunked(whole: string, cuts: readonly number[]): string[] {
  const chunks: string[] = [];
  let at = 0;
  for (let i = 0; at < whole.length; i++) {
    const size = Math.max(1, cuts[i % Math.max(1, cuts.length)] ?? 1);
    chunks.push(whole.slice(at, at + size));
    at += size;
  }
  return chunks;
}

test('no text is lost, doubled or moved, whatever the chunks', () => {
  fc.assert(
    fc.property(text, fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 }), (whole, cuts) => {
      const pieces = split(chunked(whole, cuts), { maxPieceChars: 60, firstPieceChars: 20 });
      assert.equal(letters(pieces.join('')), letters(whole));
      assert.ok(pieces.every((p) => p === p.trim() && p !== ''));
      // What has no words is said with its neighbour, if there is one after it.
      assert.ok(pieces.slice(0, -1).every(isSpeakable));
    }),
    { seed: 21, numRuns: 2000 },
  );
});

test('one sign at a time gives the same pieces as any chunks of less than a sentence', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 2 }), (whole, size) => {
      assert.deepEqual(split(chunked(whole, [size])), split([...whole].flatMap((c) => [...c])));
    }),
    { seed: 22, numRuns: 500 },
  );
});
