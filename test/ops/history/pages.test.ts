// Pages that all series of an hour share: what was added is read again, whatever is packed, however large, whenever it is asked for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compression } from '../../../src/hosts/node-compression.ts';
import { ByteWriter } from '../../../src/ops/history/bytes.ts';
import { Pacer } from '../../../src/ops/history/pacer.ts';
import { Pages, Run } from '../../../src/ops/history/pages.ts';

const SERIES = 200;
const MINUTES = 60;
const pacer = new Pacer({ now: () => 0, pause: () => Promise.resolve() });

/** Bytes that tell their series and minute, of a length of their own. */
const part = (series: number, minute: number) =>
  new Uint8Array(100 + ((series * 7 + minute * 13) % 90)).fill((series + minute) % 251);

async function read(run: Run): Promise<Uint8Array> {
  const out = new ByteWriter();
  await run.writeTo(out, pacer);
  return out.view().slice();
}

function counting() {
  const calls = { deflate: 0, inflate: 0, packedBytes: 0 };
  return {
    calls,
    deflate(bytes: Uint8Array) {
      calls.deflate++;
      const packed = compression.deflate(bytes);
      calls.packedBytes += packed.length;
      return packed;
    },
    inflate(bytes: Uint8Array, most: number) {
      calls.inflate++;
      return compression.inflate(bytes, most);
    },
  };
}

test('series that grow side by side are read again, pages seldom unpacked twice', async () => {
  const counted = counting();
  for (const how of [counted, undefined]) {
    const pages = new Pages(how);
    const runs = Array.from({ length: SERIES }, () => new Run(pages));
    let bytes = 0;
    for (let minute = 0; minute < MINUTES; minute++) {
      for (const [series, run] of runs.entries()) {
        run.add(part(series, minute));
        bytes += part(series, minute).length;
      }
    }
    for (const [series, run] of runs.entries()) {
      const expected = Array.from({ length: MINUTES }, (_, minute) => [...part(series, minute)]).flat();
      assert.deepEqual([...(await read(run))], expected);
    }
    assert.ok(bytes > 1_500_000);
  }
  const { deflate, inflate, packedBytes } = counted.calls;
  assert.ok(deflate > 150 && inflate <= 1.5 * deflate, `${deflate} packed, ${inflate} unpacked`);
  assert.ok(packedBytes < 400_000);
});

test('a part larger than a page, and what is added after a snapshot', async () => {
  const pages = new Pages(compression);
  const [small, large] = [new Run(pages), new Run(pages)];
  small.add(part(1, 1));
  large.add(new Uint8Array(30_000).fill(7));
  small.add(part(1, 2));
  const before = small.snapshot();
  for (let minute = 3; minute < 200; minute++) small.add(part(1, minute));
  large.add(new Uint8Array(8192).fill(9));
  assert.deepEqual([...(await read(before))], [...part(1, 1), ...part(1, 2)]);
  assert.deepEqual(
    (await read(small)).slice(0, 300),
    new Uint8Array([...(await read(before)), ...part(1, 3)]).slice(0, 300),
  );
  const whole = await read(large);
  assert.deepEqual([whole.length, whole[0], whole[29_999], whole[30_000], whole.at(-1)], [38_192, 7, 7, 9, 9]);
});
