// The file reader: agrees with JSON, takes comments and trailing commas, says where it is wrong without quoting the file.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type JsonEntry, JsonError, type JsonNode, parseJsonc } from '../../src/config/jsonc.ts';

function plain(node: JsonNode): unknown {
  if (node.kind === 'array') return (node.value as readonly JsonNode[]).map(plain);
  if (node.kind === 'scalar') return node.value;
  return Object.fromEntries((node.value as readonly JsonEntry[]).map(({ key, node: inner }) => [key, plain(inner)]));
}

test('reads what JSON.stringify writes', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(undefined, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      assert.deepEqual(plain(parseJsonc(text)), JSON.parse(text));
    }),
  );
});

test('refuses what JSON.parse refuses, and nothing else (texts without comments and trailing commas)', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    '"a"',
    '"\\u00e9"',
    '1',
    '-0.5e3',
    '01',
    'true',
    'nul',
    ' ',
    '\n',
    '"',
    '\\',
  );
  const text = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''));
  const outcome = (read: () => unknown): unknown => {
    try {
      return { value: read() };
    } catch {
      return 'refused';
    }
  };
  fc.assert(
    fc.property(text, (one) =>
      assert.deepEqual(
        outcome(() => plain(parseJsonc(one))),
        outcome(() => JSON.parse(one)),
      ),
    ),
    { numRuns: 2000 },
  );
});

test('takes comments, trailing commas and a byte order mark, and knows the line of each key', () => {
  const root = parseJsonc(
    '\ufeff// first\n{\n  /* two\n     lines */ "a": 1, // "b": 2\n  "c": [1, 2,],\n  "d": "// no comment",\n}\n',
  );
  assert.deepEqual(plain(root), { a: 1, c: [1, 2], d: '// no comment' });
  assert.deepEqual(
    (root.value as readonly JsonEntry[]).map(({ key, line }) => [key, line]),
    [
      ['a', 4],
      ['c', 5],
      ['d', 6],
    ],
  );
});

test('says line and column, never the text', () => {
  const cases: [string, number, number, RegExp][] = [
    ['{\n  "api_key": "sk-secret"\n  "b": 1\n}', 3, 3, /Comma or '}'/],
    ['{"a": sk-secret}', 1, 7, /Value is expected/],
    ['{"a": "sk-secret', 1, 7, /not closed/],
    ['{"a": "sk\\q"}', 1, 7, /wrong escape/],
    ['{a: 1}', 1, 2, /double quotes/],
    ['{"a" 1}', 1, 6, /Colon/],
    ['{"a": 1} sk-secret', 1, 10, /follows the end/],
    ['/* sk-secret', 1, 1, /Comment is not closed/],
    ['', 1, 1, /File ends/],
    ['[,]', 1, 2, /Value is expected/],
    ['['.repeat(100), 1, 66, /deeper than 64/],
  ];
  for (const [text, line, column, message] of cases) {
    assert.throws(
      () => parseJsonc(text),
      (error: unknown) => {
        assert.ok(error instanceof JsonError);
        assert.deepEqual([error.line, error.column], [line, column], text);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /sk-/);
        return true;
      },
      text,
    );
  }
});

test('a key named __proto__ stays a key', () => {
  const root = parseJsonc('{"__proto__": {"polluted": true}}');
  assert.equal((root.value as readonly JsonEntry[])[0]?.key, '__proto__');
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});
