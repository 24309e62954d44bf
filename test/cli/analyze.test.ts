// `syrinx analyze`: table, JSON, page and chart of a recording; one line that helps for each file that can not be used.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeWav } from '../../src/audio/index.ts';
import { main } from '../../src/cli/main.ts';
import { encodePng } from '../../src/cli/analyze/png.ts';
import { spectrogram } from '../../src/cli/analyze/spectrogram.ts';
import { speechLike } from '../audio/signals.ts';
import { createFakeHost } from './fake-host.ts';

const speech = speechLike({ seconds: 9, seed: 2, noiseDb: -65 });
const clipped = speech.map((s) => Math.max(-5000, Math.min(5000, s)));
const FILES = {
  '/speech.wav': writeWav(16_000, [speech]),
  '/stereo.wav': writeWav(16_000, [clipped, speech]),
  '/rate.wav': writeWav(44_100, [speech]),
  '/short.wav': writeWav(8000, [speech.subarray(0, 100)]),
  '/empty.wav': writeWav(8000, [new Int16Array(0)]),
  '/text.wav': 'this is not a recording',
  '/said.txt': 'To call this number, press one.',
  '/heard.txt': 'to call the number press one',
  '/nothing.txt': '',
};

async function run(...args: string[]) {
  const host = createFakeHost({ files: FILES });
  const written = new Map<string, string>();
  const files = {
    ...host.files,
    checkWritable: async () => {},
    write: async (path: string, bytes: Uint8Array) => void written.set(path, new TextDecoder().decode(bytes)),
  };
  const code = await main({ ...host, files }, ['analyze', ...args]);
  return { code, out: host.out.join('\n'), errors: host.errors.join('\n'), written };
}

test('a table of the windows, with what was heard', async () => {
  const { code, out } = await run('/speech.wav');
  assert.equal(code, 0);
  assert.match(out, /^\/speech\.wav: 9\.0 s at 16000 Hz, peak -\d+\.\d dBFS$/m);
  assert.match(out, /^stretches of speech: energy \d+ \(\d\.\d s\), neural \d+ \(\d\.\d s\)$/m);
  assert.match(out, /^signal quality index \(1-5\): [34]\.\d\d, lowest /m);
  assert.match(out, /^naturalness and word accuracy: not measured/m);
  assert.match(out, /^from s {2}to s {2}index {2}clarity/m);
  assert.match(out, /^ {3}0\.0 {3}4\.0 {3}[34]\.\d\d/m);
});

test('a channel of several', async () => {
  const [first, second] = [await run('/stereo.wav'), await run('/stereo.wav', '--channel', '2')];
  assert.match(first.out, /channel 1 of 2/);
  assert.match(first.out, /clipped$/m);
  assert.doesNotMatch(second.out, /clipped$/m);
});

test('JSON holds the same figures and says null where nothing was measured', async () => {
  const { out } = await run('/speech.wav', '--json');
  const found = JSON.parse(out);
  assert.equal(found.rateHz, 16_000);
  assert.equal(found.naturalness, null);
  assert.equal(found.wordAccuracy, null);
  assert.equal(found.windows.length, 2);
  assert.ok(found.quality.score > 3 && found.windows[0].noiseRatio < 0.02);
  const [stretch] = found.speech.energy;
  assert.ok(Math.abs(stretch.startMs - 500) <= 60, `${stretch.startMs}`);
  const short = JSON.parse((await run('/short.wav', '--json')).out);
  assert.deepEqual([short.quality.score, short.windows], [null, []]);
});

test('word accuracy where what was said is known', async () => {
  const texts = ['--reference', '/said.txt', '--transcript', '/heard.txt'];
  assert.match((await run('/speech.wav', ...texts)).out, /^word accuracy: 83\.3 %; naturalness: not measured/m);
  assert.equal(JSON.parse((await run('/speech.wav', '--json', ...texts)).out).wordAccuracy, 5 / 6);
  assert.match((await run('/speech.wav', '--reference', '/said.txt')).errors, /belong together/);
  const nothing = await run('/speech.wav', '--reference', '/nothing.txt', '--transcript', '/heard.txt');
  assert.match(nothing.errors, /\/nothing\.txt: holds no words/);
});

test('a page and a chart that need nothing else', async () => {
  const { code, written } = await run('/speech.wav', '--html', '/page.html', '--svg', '/chart.svg');
  assert.equal(code, 0);
  const [page, chart] = [written.get('/page.html') ?? '', written.get('/chart.svg') ?? ''];
  assert.ok(page.startsWith('<!doctype html>') && page.includes(chart));
  assert.ok(chart.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'));
  for (const text of [
    'Waveform',
    'Spectrum',
    'kHz',
    'Speech',
    'dBFS',
    'Signal quality index',
    'time (s)',
    'prefers-color-scheme:dark',
  ])
    assert.ok(chart.includes(text), text);
  assert.doesNotMatch(page, /(src|href)="(?!data:)/);
  assert.doesNotMatch(chart, /NaN|undefined|Infinity/);
});

test('files that can not be used get one line that helps', async () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [['/none.wav'], /\/none\.wav: file or folder does not exist/],
    [['/text.wav'], /\/text\.wav: The file is not a WAV file .* Convert it to 16-bit PCM/],
    [['/rate.wav'], /\/rate\.wav: its rate is 44100 Hz; convert it to 8000, 16000, 24000, 48000 Hz/],
    [['/empty.wav'], /\/empty\.wav: /],
    [['/speech.wav', '--channel', '3'], /there is no channel 3: it has 1/],
  ];
  for (const [args, expected] of cases) {
    const { code, errors, out } = await run(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(errors, expected);
    assert.equal(out, '');
  }
});

test('the picture is a PNG with right sums, and its loudest row is the tone', () => {
  const tone = Int16Array.from({ length: 8000 }, (_, i) =>
    Math.round(9000 * Math.sin((2 * Math.PI * 1000 * i) / 8000)),
  );
  const { columns, rows, levels } = spectrogram(tone, 60);
  const column = Array.from({ length: rows }, (_, row) => levels[row * columns + 30] as number);
  // 1 kHz of 4 kHz, from the top down.
  assert.equal(column.indexOf(255), rows - 1 - rows / 4);
  const png = encodePng(columns, rows, levels, new Uint8Array(768));
  assert.deepEqual([...png.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
  // The sum of an empty IEND is known.
  assert.deepEqual([...png.subarray(-4)], [0xae, 0x42, 0x60, 0x82]);
});
