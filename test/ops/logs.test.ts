// Logs: the record's form, levels, children, personal data, bounds, and R-26: any value is taken and nothing is thrown.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLogger, type LoggerOptions } from '../../src/ops/logs.ts';

function capture(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  const log = createLogger({
    level: 'debug',
    format: 'json',
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    write,
    ...options,
  });
  return { log, lines, attributes: () => JSON.parse(lines.at(-1)!).Attributes };
}

test('a record has the names of OpenTelemetry’s data model', () => {
  const { log, lines } = capture({ fields: { service: 'syrinx' } });
  log.child({ sessionId: 's1' }).child({ turn: 3, correlationId: 'c' }).warn('turn was slow', { responseMs: 812.5 });
  assert.deepEqual(JSON.parse(lines[0]!), {
    Timestamp: '2026-01-02T03:04:05.006Z',
    SeverityText: 'WARN',
    SeverityNumber: 13,
    Body: 'turn was slow',
    Attributes: { service: 'syrinx', sessionId: 's1', turn: 3, correlationId: 'c', responseMs: 812.5 },
  });
});

test('levels: below the chosen one nothing is written or asked for', () => {
  const order = ['debug', 'info', 'warn', 'error'] as const;
  for (const [i, level] of order.entries()) {
    const { log, lines } = capture({ level });
    for (const one of order) log[one](one);
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).Body),
      order.slice(i),
    );
    for (const [j, one] of order.entries()) assert.equal(log.enabled(one), j >= i);
  }
});

test('pretty lines are for people: time, level, message, fields', () => {
  const { log, lines } = capture({ format: 'pretty' });
  log.info('call started', { sessionId: 's-1', transport: 'websocket', detail: { a: 1 }, text: 'two words' });
  assert.deepEqual(lines, [
    '03:04:05.006 INFO  call started sessionId=s-1 transport=websocket detail={"a":1} text="two words"',
  ]);
});

test('a value can neither forge a line nor steer the terminal', () => {
  for (const format of ['json', 'pretty'] as const) {
    const { log, lines } = capture({ format });
    log.info('message\u001b[31m\nERROR', { 'key\n': 'value\r\n\u001b[2J\u2028\u202e\u0085', plain: 'x' });
    assert.equal(lines.length, 1);
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(lines[0]!, /[\u0000-\u001f]/);
    if (format === 'pretty') assert.doesNotMatch(lines[0]!, /[\u0080-\u009f\u2028\u202e]/);
  }
});

test('personal data is dropped at any depth unless asked for', () => {
  const fields = {
    turn: 1,
    'caller.pii.number': '1',
    pii: '2',
    piiText: '3',
    user_pii: '4',
    callerPII: '5',
    deep: { list: [{ piiName: '6', kept: 7 }] },
    piiano: 8,
  };
  const closed = capture();
  closed.log.info('x', fields);
  assert.deepEqual(closed.attributes(), { turn: 1, deep: { list: [{ kept: 7 }] }, piiano: 8 });
  const child = capture();
  child.log.child({ pii: 'x' }).info('x');
  assert.deepEqual(child.attributes(), {});
  const open = capture({ includePii: true });
  open.log.info('x', fields);
  assert.deepEqual(open.attributes(), fields);
});

test('R-26: any value is taken', () => {
  const circular: Record<string, unknown> = { name: 'me' };
  circular.self = circular;
  const hostile = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('no keys');
      },
      get: () => {
        throw new Error('no values');
      },
      getPrototypeOf: () => {
        throw new Error('no prototype');
      },
    },
  );
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const error = Object.assign(new Error('outer', { cause: new TypeError('inner') }), {
    code: 'E1',
    password: 'hidden',
  });
  const { log, attributes } = capture();
  log.info('all', {
    big: 12n ** 20n,
    circular,
    error,
    symbol: Symbol('s'),
    function: function named() {},
    nothing: undefined,
    null: null,
    nan: Number.NaN,
    infinity: -Infinity,
    date: new Date(Date.UTC(2026, 0, 1)),
    badDate: new Date(Number.NaN),
    map: new Map([['k', new Set([1])]]),
    bytes: new Uint8Array(640),
    buffer: new ArrayBuffer(8),
    url: new URL('https://a.example/x'),
    getter: {
      get bad(): never {
        throw new Error('getter');
      },
      good: 1,
    },
    toJson: {
      toJSON: () => {
        throw new Error('toJSON');
      },
    },
    hostile,
    revoked: proxy,
    noPrototype: Object.assign(Object.create(null), { a: 1 }),
    sparse: Object.assign([], { 1: 1 }),
    promise: Promise.resolve(),
    lone: '\ud800',
  });
  const got = attributes();
  const { stack, cause, ...rest } = got.error;
  assert.match(stack, /outer/);
  assert.deepEqual([cause.type, cause.message], ['TypeError', 'inner']);
  assert.deepEqual(rest, { type: 'Error', message: 'outer', code: 'E1' });
  delete got.error;
  assert.deepEqual(got, {
    big: String(12n ** 20n),
    circular: { name: 'me', self: '[circular]' },
    symbol: 'Symbol(s)',
    function: '[function named]',
    null: null,
    nan: 'NaN',
    infinity: '-Infinity',
    date: '2026-01-01T00:00:00.000Z',
    badDate: null,
    map: { type: 'Map', entries: [['k', [1]]] },
    bytes: '[Uint8Array 640 bytes]',
    buffer: '[ArrayBuffer 8 bytes]',
    url: 'https://a.example/x',
    getter: { bad: '[unreadable]', good: 1 },
    toJson: '[unreadable]',
    hostile: '[unreadable]',
    revoked: '[unreadable]',
    noPrototype: { a: 1 },
    sparse: ['[undefined]', 1],
    promise: '[promise]',
    lone: '\ud800',
  });
});

test('R-26: nothing makes it throw: fields, message, clock or pipe', () => {
  const { log, lines } = capture({ now: () => Number.NaN });
  for (const fields of [
    null,
    5,
    'text',
    [],
    () => 1,
    new Proxy({}, { ownKeys: () => [Symbol('x') as unknown as string] }),
  ]) {
    log.info('x', fields as never);
    log.child(fields as never).info('y');
  }
  log.info(undefined as never);
  log.info({} as never);
  assert.equal(lines.length, 14);
  for (const line of lines) assert.equal(JSON.parse(line).Timestamp, 'unknown');
  const broken = capture({
    write: () => {
      throw new Error('pipe');
    },
  });
  assert.doesNotThrow(() => broken.log.error('x'));
});

test('R-26: property: anything gives one line of JSON within its bound', () => {
  fc.assert(
    fc.property(
      fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
        withNullPrototype: true,
        withSparseArray: true,
        withUnicodeString: true,
      }),
      fc.string(),
      (value, key) => {
        for (const format of ['json', 'pretty'] as const) {
          const { log, lines } = capture({ format, maxLineChars: 600 });
          log.error('m', { [key]: value, last: 1 });
          assert.equal(lines.length, 1);
          assert.ok(lines[0]!.length <= 600, `${lines[0]!.length}`);
          assert.ok(!lines[0]!.includes('\n'));
          if (format === 'json') assert.equal(JSON.parse(lines[0]!).Body, 'm');
        }
      },
    ),
  );
});

test('a line is bounded, whatever is given, and says when something was left out', () => {
  const wide = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, 'x'.repeat(3000)]));
  let deep: unknown = 'end';
  for (let i = 0; i < 100; i++) deep = [deep, deep];
  for (const format of ['json', 'pretty'] as const) {
    const { log, lines } = capture({ format });
    log.child({ sessionId: 's1' }).info('big', { wide, deep, ...wide });
    log.info('m'.repeat(5000));
    for (const line of lines) assert.ok(line.length <= 8192, `${line.length}`);
    assert.match(lines[0]!, /truncated/);
    assert.match(lines[0]!, /s1/);
    assert.doesNotMatch(lines[1]!, /truncated/);
  }
});
