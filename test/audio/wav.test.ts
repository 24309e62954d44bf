// WAV files as recorders, streams and broken disks make them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWav, WavError, wavHeader, writeWav } from '../../src/audio/index.ts';

const LEFT = Int16Array.of(1, -2, 32767, -32768, 5);
const RIGHT = Int16Array.of(10, 20, 30, 40, 50);

function joined(...parts: readonly (Uint8Array | string | number[])[]): Uint8Array {
  const bytes = parts.flatMap((part) => (typeof part === 'string' ? [...part].map((c) => c.charCodeAt(0)) : [...part]));
  // At an odd offset, as a slice of a bigger buffer may lie.
  const buffer = new Uint8Array(bytes.length + 1);
  buffer.set(bytes, 1);
  return buffer.subarray(1);
}

function u16(...values: number[]): number[] {
  return values.flatMap((v) => [v & 255, (v >> 8) & 255]);
}

function u32(...values: number[]): number[] {
  return values.flatMap((v) => [v & 255, (v >>> 8) & 255, (v >>> 16) & 255, (v >>> 24) & 255]);
}

function file(format: number[], data: number[], dataSize = data.length, before: number[] = []): Uint8Array {
  return joined(
    'RIFF',
    u32(36 + data.length),
    'WAVE',
    before,
    'fmt ',
    u32(format.length),
    format,
    'data',
    u32(dataSize),
    data,
  );
}

const mono16 = [...u16(1, 1), ...u32(16000, 32000), ...u16(2, 16)];

test('what is written is read', () => {
  for (const channels of [[LEFT], [LEFT, RIGHT]]) {
    assert.deepEqual(readWav(writeWav(48000, channels)), { rateHz: 48000, channels });
  }
  assert.throws(() => writeWav(8000, []), RangeError);
  assert.throws(() => writeWav(8000, [LEFT, LEFT.subarray(1)]), RangeError);
});

test('streaming headers: sizes of 0 and 0xFFFFFFFF take what is there', () => {
  for (const size of [0, 0xffffffff, 0x7fffffff]) {
    assert.deepEqual(readWav(file(mono16, u16(1, 2, 3), size)).channels[0], Int16Array.of(1, 2, 3));
  }
  const header = wavHeader(24000, 1);
  assert.equal(header.length, 44);
  assert.deepEqual(readWav(joined(header, u16(7, 8))), { rateHz: 24000, channels: [Int16Array.of(7, 8)] });
});

test('extensible format, odd and unknown chunks, half a sample at the end', () => {
  const extensible = [
    ...u16(0xfffe, 1),
    ...u32(8000, 16000),
    ...u16(2, 16, 22, 16),
    ...u32(4),
    ...u16(1),
    ...Array.from({ length: 14 }, () => 0),
  ];
  assert.equal(readWav(file(extensible, u16(9, 9))).rateHz, 8000);
  const odd = [...joined('LIST', u32(3), [1, 2, 3, 0])];
  assert.deepEqual(readWav(file(mono16, u16(4, 5), 4, odd)).channels[0], Int16Array.of(4, 5));
  assert.deepEqual(readWav(file(mono16, [...u16(4, 5), 77], 5)).channels[0], Int16Array.of(4, 5));
  assert.deepEqual(readWav(file(mono16, [...u16(4, 5), 77], 6)).channels[0], Int16Array.of(4, 5));
});

test('files that cannot be used say what they are and what to do', () => {
  const format = (code: number, bits: number) => [...u16(code, 1), ...u32(16000, 32000), ...u16(bits / 8, bits)];
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['empty', new Uint8Array(0), /empty: record or copy it again/],
    ['text', joined('hello, this is no WAV file'), /not a WAV file.*Convert it to 16-bit PCM/],
    ['FLAC', joined('fLaC', u32(0, 0, 0)), /is FLAC, not WAV/],
    ['Ogg', joined('OggS', u32(0, 0, 0)), /is Ogg, not WAV/],
    ['24 bits', file(format(1, 24), u16(1, 2, 3)), /24-bit PCM, not 16-bit PCM.*ffmpeg/],
    ['8 bits', file(format(1, 8), u16(1, 2, 3)), /8-bit PCM, not 16-bit PCM/],
    ['float', file(format(3, 32), u16(1, 2)), /floating-point audio/],
    ['mu-law', file(format(7, 8), u16(1, 2)), /mu-law audio/],
    ['unknown', file(format(4242, 16), u16(1, 2)), /format 4242 audio/],
    ['no data', file(mono16, []), /holds no audio/],
    ['truncated', file(mono16, u16(1, 2), 400), /truncated \(4 of 400 bytes of audio\)/],
    ['cut in its header', file(mono16, u16(1)).subarray(0, 30), /truncated/],
    ['no format', joined('RIFF', u32(8), 'WAVE', 'data', u32(2), u16(1)), /no format chunk/],
    ['no channels', file([...u16(1, 0), ...u32(16000, 32000), ...u16(2, 16)], u16(1)), /its header is damaged/],
    ['only a header', joined('RIFF', u32(4), 'WAVE'), /truncated \(no audio data in it\)/],
  ];
  for (const [name, bytes, message] of cases) {
    assert.throws(
      () => readWav(bytes),
      (error) => error instanceof WavError && message.test(error.message),
      name,
    );
  }
});

test('no prefix and no single damaged byte of a file makes anything but a WavError', () => {
  const good = writeWav(16000, [LEFT, RIGHT]);
  const attempt = (bytes: Uint8Array) => {
    try {
      const { channels } = readWav(bytes);
      assert.ok(channels.length * (channels[0]?.length ?? 0) * 2 <= bytes.length);
    } catch (error) {
      assert.ok(error instanceof WavError, String(error));
    }
  };
  for (let length = 0; length < good.length; length++) attempt(good.subarray(0, length));
  for (let at = 0; at < 44; at++) {
    for (const value of [0, 1, 127, 128, 255]) {
      const damaged = good.slice();
      damaged[at] = value;
      attempt(damaged);
    }
  }
});
