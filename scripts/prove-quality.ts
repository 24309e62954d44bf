// Proof of the quality sensors and of the index on recorded voices with known damage: truth, order, range, gain, agreement with DNSMOS.
// `bun scripts/prove-quality.ts [--voices DIR]`. The weights of the index were chosen with these voices and noises at hand.
import { createAudioCore, type SignalQuality } from '../src/audio/index.ts';
import { whiteNoise } from '../test/audio/signals.ts';
import { added, clipped, holed, lowPassed, moved, noiseFor, scaled, speechPower } from './degrade.ts';
import { DNSMOS, DNSMOS_CLEAN } from './dnsmos-table.ts';
import { loadRecordings, Proof, type Voice } from './recorded-voices.ts';

type Window = Omit<SignalQuality, 'windows'> & { readonly from: number; readonly to: number };
const SEED = 7;
const core = createAudioCore({ maxSlots: 1 });
const { voices, noises } = await loadRecordings();
const started = performance.now();
const proof = new Proof();
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values: readonly number[]) => Math.sqrt(mean(values.map((x) => (x - mean(values)) ** 2)));
const decibels = (power: number) => 10 * Math.log10(power);

function windowsOf(pcm: Int16Array): Window[] {
  const analyzer = core.openAnalyzer(16_000);
  const found: Window[] = [];
  let seen = 0;
  for (let at = 0; at + 320 <= pcm.length; at += 320) {
    analyzer.write(new Uint8Array(pcm.buffer, pcm.byteOffset + at * 2, 640));
    analyzer.next();
    const quality = analyzer.quality;
    if (quality === null || quality.windows === seen) continue;
    seen = quality.windows;
    found.push({ ...quality, from: at + 320 - quality.frames * 320, to: at + 320 });
  }
  analyzer.release();
  return found;
}
const spoken = (windows: readonly Window[]) => windows.filter((w) => !Number.isNaN(w.score));
const scoreOf = (pcm: Int16Array) => mean(spoken(windowsOf(pcm)).map((w) => w.score));

console.log(
  `${voices.length} voices, noises: ${[...noises.keys()].join(', ')}, white; seed ${SEED}\n# sensors: truth -> measured`,
);

for (const hz of [7000, 5500, 4000, 3400, 2000, 1000]) {
  const errors = voices.flatMap(({ pcm }) =>
    spoken(windowsOf(lowPassed(pcm.subarray(0, 16_000 * 14), hz))).map((w) => w.bandwidthHz - hz),
  );
  const worst = errors.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  proof.check(
    Math.abs(mean(errors)) <= 200,
    `bandwidth ${hz} Hz: ${(hz + mean(errors)).toFixed(0)}, worst window ${worst} (mean within 200)`,
  );
}
for (const share of [0.0005, 0.002, 0.01, 0.03, 0.08, 0.15]) {
  const ratios = voices.map((voice) => {
    const { pcm, rail } = clipped(voice, share);
    const windows = spoken(windowsOf(pcm));
    const truth = windows.map(({ from, to }) => {
      let [beyond, speech] = [0, 0];
      for (let i = from; i < to; i++) {
        if (voice.labels[Math.floor(i / 160)] === 1) speech++;
        if (Math.abs(pcm[i]!) >= rail) beyond++;
      }
      return beyond / speech;
    });
    return mean(windows.map((w) => w.clipFraction)) / mean(truth);
  });
  const text = `clipped ${share * 100} %: times truth by voice ${ratios.map((x) => x.toFixed(2)).join(' ')}`;
  if (share >= 0.002)
    proof.check(
      ratios.every((x) => x >= 0.8 && x <= 1.2),
      `${text} (0.8-1.2)`,
    );
  else console.log(`     ${text}`);
}
for (const ms of [20, 60]) {
  for (const share of [0.01, 0.02, 0.05, 0.1, 0.2, 0.3]) {
    const pairs = voices.map((voice) => {
      const { pcm, lost } = holed(voice.pcm, ms, share, SEED);
      let [missing, speech] = [0, 0];
      for (const { from, to } of windowsOf(pcm)) {
        for (let i = from; i < to; i++) {
          if (voice.labels[Math.floor(i / 160)] !== 1) continue;
          speech++;
          missing += lost[i]!;
        }
      }
      return [missing / speech, mean(spoken(windowsOf(pcm)).map((w) => w.gapFraction))] as const;
    });
    const [truth, measured] = [mean(pairs.map(([t]) => t)), mean(pairs.map(([, m]) => m))];
    const good = Math.abs(measured / truth - 1) <= 0.2;
    proof.check(good, `holes of ${ms} ms, ${share * 100} %: ${truth.toFixed(4)} -> ${measured.toFixed(4)} (20 %)`);
  }
}
const pooled: number[] = [];
const allNoises = [['white', 'white'], ...noises] as [string, Int16Array | 'white'][];
for (const snrDb of [40, 30, 20, 15, 10, 5, 0]) {
  const errors: number[] = [];
  const byNoise: string[] = [];
  for (const [name, noise] of allNoises) {
    const own: number[] = [];
    for (const voice of voices) {
      const sound = noiseFor(voice, noise, snrDb, SEED);
      for (const w of spoken(windowsOf(added(voice.pcm, sound)))) {
        let power = 0;
        for (let i = w.from; i < w.to; i++) power += sound[i]! ** 2;
        own.push(w.snrDb - decibels(speechPower(voice, w.from, w.to) / (power / (w.to - w.from) / 2 ** 30)));
      }
    }
    errors.push(...own);
    byNoise.push(`${name} ${mean(own).toFixed(1)}`);
  }
  const text = `SNR ${snrDb} dB: bias ${mean(errors).toFixed(1)}, sd ${deviation(errors).toFixed(1)} (${byNoise.join(', ')})`;
  if (snrDb <= 20) {
    proof.check(Math.abs(mean(errors)) <= 3, `${text} (bias 3)`);
    pooled.push(...errors);
  } else console.log(`     ${text}`);
}
proof.check(
  Math.abs(mean(pooled)) <= 3 && deviation(pooled) <= 3,
  `SNR 0-20 dB together: bias ${mean(pooled).toFixed(1)}, sd ${deviation(pooled).toFixed(1)} (3, 3)`,
);
const offsets = [0, 0.01, 0.03, 0.1].map((dc) =>
  Math.max(...voices.flatMap(({ pcm }) => windowsOf(moved(pcm, dc)).map((w) => Math.abs(w.dc - dc)))),
);
proof.check(
  offsets.every((x) => x <= 0.002),
  `offset 0, .01, .03, .1: worst ${Math.max(...offsets).toFixed(4)} off (0.002)`,
);
const levels = voices.flatMap((voice) =>
  [0, -10, -20].flatMap((db) =>
    spoken(windowsOf(scaled(voice.pcm, db))).map((w) => w.levelDb - db - decibels(speechPower(voice, w.from, w.to))),
  ),
);
proof.check(
  Math.max(...levels.map(Math.abs)) <= 1,
  `level: ${Math.min(...levels).toFixed(2)} to ${Math.max(...levels).toFixed(2)} dB off (1)`,
);

console.log('\n# index by condition, means over voices');
interface Family {
  readonly name: string;
  readonly steps: readonly number[];
  make(voice: Voice, step: number): Int16Array;
}
const table = (name: string) => DNSMOS.find((family) => family.name === name)!.steps;
const families: Family[] = [
  ...allNoises.map(([name, noise]) => ({
    name,
    steps: table('white'),
    make: (voice: Voice, snrDb: number) => added(voice.pcm, noiseFor(voice, noise, snrDb, SEED)),
  })),
  { name: 'clip', steps: table('clip'), make: (voice, share) => clipped(voice, share).pcm },
  { name: 'gaps20', steps: table('gaps20'), make: ({ pcm }, share) => holed(pcm, 20, share, SEED).pcm },
  { name: 'gaps60', steps: table('gaps60'), make: ({ pcm }, share) => holed(pcm, 60, share, SEED).pcm },
  { name: 'lowpass', steps: table('lowpass'), make: ({ pcm }, hz) => lowPassed(pcm.subarray(0, 16_000 * 14), hz) },
  { name: 'dc', steps: table('dc'), make: ({ pcm }, dc) => moved(pcm, dc) },
  { name: 'level', steps: table('level'), make: ({ pcm }, db) => scaled(pcm, db) },
];
const clean = voices.map(({ pcm }) => scoreOf(pcm));
console.log(`     clean: ${clean.map((x) => x.toFixed(2)).join(' ')}`);
const means = new Map<string, number[]>();
let [steps, rising, risingMeans, unscored] = [0, 0, 0, 0];
for (const { name, steps: values, make } of families) {
  const byVoice = voices.map((voice) => values.map((value) => scoreOf(make(voice, value))));
  const line = values.map((_, i) => mean(byVoice.map((scores) => scores[i]!).filter((x) => !Number.isNaN(x))));
  means.set(name, line);
  console.log(`     ${name}: ${values.map((value, i) => `${value} ${line[i]!.toFixed(2)}`).join(' | ')}`);
  for (const scores of byVoice) {
    for (let i = 1; i < scores.length; i++) {
      steps++;
      if (Number.isNaN(scores[i]!) || Number.isNaN(scores[i - 1]!)) unscored++;
      else if (scores[i]! > scores[i - 1]! + 0.05) rising++;
    }
  }
  for (let i = 1; i < line.length; i++) if (line[i]! > line[i - 1]! + 0.05) risingMeans++;
}
proof.check(
  rising <= 0.01 * steps,
  `order: ${rising} of ${steps} steps rise by more than 0.05 (1 %), ${unscored} without speech`,
);
proof.check(risingMeans === 0, `order of the means: ${risingMeans} steps rise`);

console.log('\n# range and gain');
proof.check(
  clean.every((x) => x >= 4.2),
  `clean: ${Math.min(...clean).toFixed(2)} at least (4.2)`,
);
for (const [name] of allNoises) {
  const worst = means.get(name)!.at(-1)!;
  proof.check(worst <= 2, `${name} at 0 dB: ${worst.toFixed(2)} (2.0 at most)`);
}
const wrecks = voices.map((voice) => scoreOf(holed(clipped(voice, 0.2).pcm, 20, 0.2, SEED).pcm));
proof.check(
  wrecks.every((x) => x <= 2),
  `20 % clipped and 20 % lost: ${Math.max(...wrecks).toFixed(2)} (2.0 at most)`,
);
const scraps = voices.map((voice) => scoreOf(holed(voice.pcm, 20, 0.6, SEED).pcm));
proof.check(
  scraps.every((x) => x <= 2),
  `silence with scraps of speech (60 % lost): ${Math.max(...scraps).toFixed(2)} (2.0 at most)`,
);
const idle: [string, Int16Array][] = [
  ['digital silence', new Int16Array(16_000 * 21)],
  ['idle line (-78 dBFS)', Int16Array.from(whiteNoise(16_000 * 21, -78, SEED), Math.round)],
  ['white noise (-36 dBFS)', Int16Array.from(whiteNoise(16_000 * 21, -36, SEED), Math.round)],
];
for (const [name, pcm] of idle) {
  const windows = windowsOf(pcm);
  proof.check(
    windows.length === 2 && spoken(windows).length === 0,
    `${name}: ${windows.length} windows, no speech in them`,
  );
}
const gains = [-6, 6].map((db) =>
  Math.max(...voices.map(({ pcm }, i) => Math.abs(scoreOf(scaled(pcm, db)) - clean[i]!))),
);
proof.check(
  Math.max(...gains) <= 0.1,
  `6 dB down and up: ${gains.map((x) => x.toFixed(3)).join(' and ')} different (0.1)`,
);

console.log('\n# agreement with DNSMOS OVRL, by condition (clean 3.12)');
const points = (names: readonly string[]) => {
  const x = [mean(clean)];
  const y = [DNSMOS_CLEAN];
  for (const { name, ovrl } of DNSMOS.filter((family) => names.includes(family.name))) {
    x.push(...means.get(name)!);
    y.push(...ovrl);
  }
  return [x, y] as const;
};
function pearson([x, y]: readonly [readonly number[], readonly number[]]): number {
  const [mx, my] = [mean(x), mean(y)];
  return mean(x.map((v, i) => (v - mx) * (y[i]! - my))) / deviation(x) / deviation(y);
}
const ranks = (x: readonly number[]) =>
  x.map((v) => x.filter((w) => w < v).length + (x.filter((w) => w === v).length - 1) / 2);
const spearman = ([x, y]: readonly [readonly number[], readonly number[]]) => pearson([ranks(x), ranks(y)]);
const fitted = DNSMOS.filter((family) => family.fitted).map((family) => family.name);
const noise = pearson(points(['white', 'cafe']));
const gaps = spearman(points(['gaps20', 'gaps60']));
const known = pearson(points(fitted));
const all = pearson(points(DNSMOS.map((family) => family.name)));
proof.check(noise >= 0.9, `noise: Pearson ${noise.toFixed(3)} (0.90)`);
proof.check(gaps >= 0.7, `gaps: Spearman ${gaps.toFixed(3)} (0.70)`);
proof.check(known >= 0.84, `noise, gaps, offset, level: Pearson ${known.toFixed(3)} (0.84)`);
proof.check(all >= 0.86, `with clipping and bandwidth, which DNSMOS does not hear: Pearson ${all.toFixed(3)} (0.86)`);
console.log('     not compared: reverberation and Opus, for which there is no sensor');
const seconds = (performance.now() - started) / 1000;
proof.check(seconds < 90, `the proof took ${seconds.toFixed(1)} s (90)`);
proof.finish();
