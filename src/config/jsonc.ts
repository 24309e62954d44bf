// Reads JSON with comments and trailing commas, and remembers on which line each key stands.

export type JsonValue = null | boolean | number | string | readonly JsonNode[] | readonly JsonEntry[];
export interface JsonNode {
  readonly kind: 'object' | 'array' | 'scalar';
  /** Entries of an object, items of an array, or the scalar itself. */
  readonly value: JsonValue;
  readonly line: number;
}
export interface JsonEntry {
  readonly key: string;
  readonly line: number;
  readonly node: JsonNode;
}

/** What is wrong and where; never a piece of the text, which may hold keys. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
  readonly line: number;
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

const MAX_DEPTH = 64;
// Sticky: each matches at `lastIndex` or not at all.
const SPACE = /(?:[ \t\r\n]|\/\/[^\n]*|\/\*[^]*?\*\/)+/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"/y;
const WORD = /[a-zA-Z]+/y;
const WORDS: Readonly<Record<string, null | boolean>> = { true: true, false: false, null: null };

export function parseJsonc(source: string): JsonNode {
  // A byte order mark is what some editors begin a file with.
  let at = source.startsWith('\ufeff') ? 1 : 0;

  const fail = (message: string, where = at): never => {
    const before = source.slice(0, where).split('\n');
    throw new JsonError(message, before.length, (before.at(-1) ?? '').length + 1);
  };
  let line = 1;
  let counted = 0;
  const lineHere = (): number => {
    for (; counted < at; counted++) if (source.charCodeAt(counted) === 10) line++;
    return line;
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const skip = (): void => {
    match(SPACE);
    if (source.startsWith('/*', at)) fail('Comment is not closed');
  };
  const string = (): string => {
    const start = at;
    const found = match(STRING) ?? fail('String is not closed', start);
    try {
      return JSON.parse(found) as string;
    } catch {
      return fail('String holds a wrong escape or a control character', start);
    }
  };

  const node = (depth: number): JsonNode => {
    if (depth > MAX_DEPTH) fail(`Nested deeper than ${MAX_DEPTH} levels`);
    skip();
    const here = lineHere();
    const first = source[at];
    if (first === '{') return { kind: 'object', value: sequence('}', () => entry(depth)), line: here };
    if (first === '[') return { kind: 'array', value: sequence(']', () => node(depth + 1)), line: here };
    if (first === '"') return { kind: 'scalar', value: string(), line: here };
    const start = at;
    const digits = match(NUMBER);
    if (digits !== undefined) return { kind: 'scalar', value: Number(digits), line: here };
    const word = match(WORD);
    if (word === undefined || !Object.hasOwn(WORDS, word)) {
      fail(at >= source.length ? 'File ends where a value should be' : 'Value is expected', start);
    }
    return { kind: 'scalar', value: WORDS[word ?? ''] ?? null, line: here };
  };

  const entry = (depth: number): JsonEntry => {
    if (source[at] !== '"') fail('Key in double quotes is expected');
    const here = lineHere();
    const key = string();
    skip();
    if (source[at] !== ':') fail('Colon is expected after the key');
    at++;
    return { key, line: here, node: node(depth + 1) };
  };

  function sequence<T>(end: '}' | ']', item: () => T): T[] {
    const items: T[] = [];
    at++;
    for (skip(); source[at] !== end; skip()) {
      items.push(item());
      skip();
      if (source[at] === ',') at++;
      else if (source[at] !== end) fail(`Comma or '${end}' is expected`);
    }
    at++;
    return items;
  }

  const root = node(0);
  skip();
  if (at < source.length) fail('Something follows the end of the value');
  return root;
}
