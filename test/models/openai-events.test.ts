// Splitting of event streams, tool calls in pieces, odd bytes, WAV heads: for any way in which the network cuts them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createEventSplitter } from '../../src/models/openai/server-sent-events.ts';
import { wavOf } from '../../src/models/openai/stt.ts';
import { createToolCallAssembler } from '../../src/models/openai/tool-calls.ts';
import { wholeSamples } from '../../src/models/openai/tts.ts';
import { ModelError } from '../../src/models/port.ts';
import { readWav } from '../../src/models/simulated/wav.ts';

const SEED = 1_701;
const check = <T extends [unknown, ...unknown[]]>(property: fc.IProperty<T>): void =>
  fc.assert(property, { seed: SEED, numRuns: 300 });
/** `bytes` cut at the given places. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.slice(places[i], end));
}
function split(bytes: Uint8Array, cuts: readonly number[]): string[] {
  const splitter = createEventSplitter();
  return [...pieces(bytes, cuts).flatMap((piece) => splitter.push(piece)), ...splitter.end()];
}
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const line = fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.replace(/[\r\n]/g, '').toWellFormed());

test('the events are the same however the bytes arrive', () => {
  check(
    fc.property(
      fc.array(line, { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.constantFrom('\n', '\r\n'),
      (events, cuts, end) => {
        const bytes = encode(events.map((event) => `event: x${end}data: ${event}${end}: comment${end}${end}`).join(''));
        assert.deepEqual(split(bytes, cuts), events);
      },
    ),
  );
});
test('lines of one event are joined, a last event may lack its end, other lines are passed over', () => {
  assert.deepEqual(split(encode('data: a\ndata:b\n\nid: 3\nretry: 1\n\ndata: c'), []), ['a\nb', 'c']);
  assert.deepEqual(split(encode('{"error": "x"}'), []), []);
  assert.deepEqual(split(encode('data: {}\n\r\n'), [9]), ['{}']);
});
test('an event without end does not fill the memory', () => {
  const splitter = createEventSplitter();
  const part = encode('x'.repeat(100_000));
  assert.throws(() => {
    for (let i = 0; i < 50; i++) splitter.push(part);
  }, SyntaxError);
});

test('tool calls are the same however their arguments are cut', () => {
  check(
    fc.property(
      fc.array(fc.array(line, { maxLength: 5 }), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (calls, repeatIds) => {
        const assembler = createToolCallAssembler('x');
        const out = [];
        for (const [index, parts] of calls.entries()) {
          out.push(...assembler.add({ index, id: `id${index}`, function: { name: `tool${index}` } }, 'r'));
          for (const part of parts)
            out.push(
              ...assembler.add(
                { index, ...(repeatIds ? { id: `id${index}` } : {}), function: { arguments: part } },
                'r',
              ),
            );
        }
        out.push(...assembler.end());
        assert.deepEqual(
          out,
          calls.map((parts, i) => ({ id: `id${i}`, name: `tool${i}`, arguments: parts.join('') || '{}' })),
        );
        assert.equal(assembler.count, calls.length);
      },
    ),
  );
});
test('servers that leave out the index or the id are understood', () => {
  const assembler = createToolCallAssembler('x');
  const first = { id: 'a', function: { name: 'one', arguments: '{}' } };
  assert.deepEqual(assembler.add(first, 'r'), []);
  assert.deepEqual(assembler.add({ id: 'b', function: { name: 'two' } }, 'r'), [
    { id: 'a', name: 'one', arguments: '{}' },
  ]);
  assert.deepEqual(assembler.end(), [{ id: 'b', name: 'two', arguments: '{}' }]);
  const without = createToolCallAssembler('x');
  without.add({ index: 0, function: { name: 'one' } }, 'resp');
  assert.deepEqual(without.end(), [{ id: 'resp_0', name: 'one', arguments: '{}' }]);
  const nameless = createToolCallAssembler('x');
  nameless.add({ index: 0, id: 'a' }, 'r');
  assert.throws(
    () => nameless.end(),
    (error) => error instanceof ModelError && error.kind === 'protocol',
  );
});

test('whole samples come out however the bytes are cut', () => {
  check(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      fc.boolean(),
      (bytes, cuts, shifted) => {
        let odd: number | undefined;
        const out: number[] = [];
        for (const piece of pieces(bytes, cuts)) {
          // Sockets hand out views that begin anywhere.
          const buffer = new Uint8Array(piece.length + 1);
          buffer.set(piece, shifted ? 1 : 0);
          const chunk = wholeSamples(buffer.subarray(shifted ? 1 : 0, piece.length + (shifted ? 1 : 0)), odd);
          assert.ok(chunk.bytes.length % 2 === 0 && chunk.bytes.byteOffset % 2 === 0);
          odd = chunk.odd;
          out.push(...chunk.bytes);
        }
        assert.deepEqual(out, [...bytes.subarray(0, bytes.length & ~1)]);
      },
    ),
  );
});
test('an uploaded WAV reads back as what it was, and is never too short to be accepted', () => {
  check(
    fc.property(fc.int16Array({ maxLength: 3000 }), fc.constantFrom(8000, 16_000, 24_000, 48_000), (pcm, rate) => {
      const back = readWav(wavOf(pcm, rate));
      assert.equal(back.sampleRateHz, rate);
      assert.equal(back.samples.length, Math.max(pcm.length, rate / 10));
      assert.deepEqual(
        [...back.samples.subarray(0, pcm.length)].map((x) => x * 32_768),
        [...pcm],
      );
    }),
  );
});
