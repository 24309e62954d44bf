// A recording as five charts over one time axis, as SVG: waveform, spectrum, speech, level, quality. Light or dark as its reader likes.
import { FRAME_MS, type Hearing, type Measurement } from './measure.ts';
import { encodePng } from './png.ts';
import { spectrogram } from './spectrogram.ts';
import { remark } from './table.ts';

const WIDTH = 1200;
const LEFT = 76;
const RIGHT = 20;
const PLOT = WIDTH - LEFT - RIGHT;
const GAP = 46;
const TOP = 34;
/** The box without lines over it. */
const SPECTRUM = 1;

const STYLE = `
.chart{--paper:#ffffff;--ink:#1c2430;--soft:#5d6876;--grid:#dde2e8;--frame:#9aa5b1;--one:#1f6fb2;--two:#c2570c;--good:#2b7a4b;--band:#1f6fb2}
@media (prefers-color-scheme:dark){.chart{--paper:#12161c;--ink:#e6eaef;--soft:#9da9b6;--grid:#2a323c;--frame:#56616d;--one:#6db3ee;--two:#f0955a;--good:#6cc891;--band:#6db3ee}}
.chart text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:var(--soft)}
.chart .title{font-size:13px;font-weight:600;fill:var(--ink)}
.chart .grid{stroke:var(--grid)}.chart .frame{fill:none;stroke:var(--frame)}
.chart .one{stroke:var(--one);fill:none;stroke-width:1.3}.chart .two{stroke:var(--two);fill:none;stroke-width:1.3}
.chart .wave{fill:var(--one)}.chart .bar1{fill:var(--one)}.chart .bar2{fill:var(--two)}
.chart .good{stroke:var(--good);fill:none;stroke-width:2.5}.chart .bad{stroke:var(--two);fill:none;stroke-width:2.5}
.chart .value{fill:var(--ink);text-anchor:middle}.chart .said{text-anchor:middle;paint-order:stroke;stroke:var(--paper);stroke-width:4px}.chart .none{fill:var(--grid);opacity:.55}
.chart .line{stroke:var(--soft);stroke-dasharray:4 4}`;

/** A box with its scale; y runs from `low` at the bottom to `high`. */
interface Box {
  readonly top: number;
  readonly height: number;
  readonly low: number;
  readonly high: number;
}

export function chartSvg(samples: Int16Array, rateHz: number, found: Measurement): string {
  const lengthMs = Math.max(1, found.seconds * 1000);
  const x = (ms: number) => LEFT + (Math.min(ms, lengthMs) / lengthMs) * PLOT;
  const scale = [0.1, 0.25, 0.5].find((limit) => found.peakDb === null || 10 ** (found.peakDb / 20) <= limit) ?? 1;
  const boxes = layout(
    [90, 150, 110, 110, 130],
    [
      [-scale, scale],
      [0, rateHz / 2000],
      [0, 1],
      [-90, 0],
      [1, 5],
    ],
  );
  const [wave, spectrum, speech, level, quality] = boxes as [Box, Box, Box, Box, Box];
  const bottom = quality.top + quality.height;
  const parts = [
    panel(wave, 'Waveform', 'share of full scale', [-scale, -scale / 2, 0, scale / 2, scale], []),
    waveform(samples, wave),
    panel(spectrum, 'Spectrum', 'kHz', ticksOf(rateHz / 2000), []),
    picture(samples, spectrum),
    panel(
      speech,
      'Speech',
      'score 0-1; the bars below say where it was',
      [0, 0.5, 1],
      [
        ['bar1', 'energy detector'],
        ['bar2', 'neural detector'],
      ],
    ),
    ...found.hearings.map((hearing, i) => hearingPart(hearing, speech, x, i)),
    panel(
      level,
      'Level',
      'dBFS',
      [-90, -60, -30, 0],
      [
        ['bar1', 'frame of 20 ms'],
        ['bar2', 'noise floor'],
      ],
    ),
    curve(found.levelsDb, level, x, 'one'),
    curve(found.floorsDb, level, x, 'two'),
    panel(quality, 'Signal quality index', '1-5, a window of 4-10 s', [1, 2, 3, 4, 5], []),
    windowsPart(found, quality, x),
    timeAxis(boxes, lengthMs, x, bottom),
  ];
  const height = bottom + 48;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${WIDTH} ${height}" width="100%" role="img" aria-label="Analysis of a recording over time">`,
    `<style>${STYLE}</style><rect width="${WIDTH}" height="${height}" fill="var(--paper)"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function layout(heights: readonly number[], scales: readonly (readonly [number, number])[]): Box[] {
  let top = TOP;
  return heights.map((height, i) => {
    const [low, high] = scales[i] as readonly [number, number];
    const box = { top, height, low, high };
    top += height + GAP;
    return box;
  });
}

function yOf(box: Box, value: number): number {
  const inside = Math.max(box.low, Math.min(box.high, value));
  return box.top + box.height * (1 - (inside - box.low) / (box.high - box.low));
}

function panel(
  box: Box,
  title: string,
  unit: string,
  ticks: readonly number[],
  legend: readonly (readonly [string, string])[],
): string {
  const lines = ticks.map((tick) => {
    const y = round(yOf(box, tick));
    return `<line class="grid" x1="${LEFT}" x2="${LEFT + PLOT}" y1="${y}" y2="${y}"/><text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${tick}</text>`;
  });
  let at = LEFT + PLOT;
  const keys = legend.toReversed().map(([style, text]) => {
    at -= text.length * 6.4 + 26;
    return `<rect class="${style}" x="${round(at)}" y="${box.top - 17}" width="12" height="8" rx="2"/><text x="${round(at + 17)}" y="${box.top - 9}">${text}</text>`;
  });
  return [
    `<text class="title" x="${LEFT}" y="${box.top - 9}">${title} <tspan style="font-weight:400;fill:var(--soft)">(${unit})</tspan></text>`,
    ...keys,
    ...lines,
    `<rect class="frame" x="${LEFT}" y="${box.top}" width="${PLOT}" height="${box.height}"/>`,
  ].join('');
}

/** Lowest and highest sample of each pixel. */
function waveform(samples: Int16Array, box: Box): string {
  const [upper, lower]: [string[], string[]] = [[], []];
  for (let column = 0; column < PLOT; column++) {
    const from = Math.floor((column * samples.length) / PLOT);
    const to = Math.max(from + 1, Math.floor(((column + 1) * samples.length) / PLOT));
    let [low, high] = [0, 0];
    for (let i = from; i < to && i < samples.length; i++) {
      low = Math.min(low, samples[i] as number);
      high = Math.max(high, samples[i] as number);
    }
    upper.push(`${LEFT + column},${round(yOf(box, high / 32768) - 0.4)}`);
    lower.push(`${LEFT + column},${round(yOf(box, low / 32768) + 0.4)}`);
  }
  return `<polygon class="wave" points="${upper.join(' ')} ${lower.toReversed().join(' ')}"/>`;
}

function picture(samples: Int16Array, box: Box): string {
  const { columns, rows, levels } = spectrogram(samples, Math.min(1000, Math.max(50, Math.ceil(samples.length / 64))));
  const png = encodePng(columns, rows, levels, PALETTE);
  let binary = '';
  for (const byte of png) binary += String.fromCharCode(byte);
  return `<image x="${LEFT}" y="${box.top}" width="${PLOT}" height="${box.height}" preserveAspectRatio="none" href="data:image/png;base64,${btoa(binary)}"/><rect class="frame" x="${LEFT}" y="${box.top}" width="${PLOT}" height="${box.height}"/>`;
}

/** Black over violet and orange to pale yellow: brightness alone tells the level. */
const PALETTE = Uint8Array.from({ length: 768 }, (_, i) => {
  const t = Math.floor(i / 3) / 255;
  const stops = [
    [6, 6, 20],
    [74, 20, 110],
    [188, 55, 84],
    [249, 142, 9],
    [252, 255, 190],
  ];
  const at = Math.min(3, Math.floor(t * 4));
  const [a, b] = [stops[at]?.[i % 3] ?? 0, stops[at + 1]?.[i % 3] ?? 0];
  return Math.round(a + (b - a) * (t * 4 - at));
});

function hearingPart({ scores, speech }: Hearing, box: Box, x: (ms: number) => number, index: number): string {
  const y = box.top + box.height + 3 + index * 7;
  const bars = speech.map(
    ({ startMs, endMs }) =>
      `<rect class="bar${index + 1}" x="${round(x(startMs))}" y="${y}" width="${round(Math.max(1, x(endMs) - x(startMs)))}" height="5"/>`,
  );
  return curve(scores, box, x, index === 0 ? 'one' : 'two') + bars.join('');
}

/** Highest value of each pixel, so that nothing short gets lost. */
function curve(values: Float32Array, box: Box, x: (ms: number) => number, style: string): string {
  const perPixel = Math.max(1, values.length / PLOT);
  const points: string[] = [];
  for (let at = 0; at < values.length; at += perPixel) {
    let high = -Infinity;
    for (let i = Math.floor(at); i < Math.min(values.length, Math.ceil(at + perPixel)); i++)
      high = Math.max(high, values[i] as number);
    points.push(`${round(x((at + 0.5) * FRAME_MS))},${round(yOf(box, high))}`);
  }
  return `<polyline class="${style}" points="${points.join(' ')}"/>`;
}

function windowsPart({ windows }: Measurement, box: Box, x: (ms: number) => number): string {
  const limit = round(yOf(box, 3));
  const parts = [
    `<line class="line" x1="${LEFT}" x2="${LEFT + PLOT}" y1="${limit}" y2="${limit}"/><text x="${LEFT + 6}" y="${limit - 5}">poor below 3</text>`,
  ];
  for (const window of windows) {
    const { startMs, atMs, score, degraded } = window;
    const [from, to] = [round(x(startMs)), round(x(atMs))];
    const middle = round((from + to) / 2);
    if (score === null) {
      parts.push(`<rect class="none" x="${from}" y="${box.top}" width="${round(to - from)}" height="${box.height}"/>`);
      parts.push(`<text class="value" x="${middle}" y="${box.top + box.height / 2 + 20}">no speech</text>`);
      continue;
    }
    const y = round(yOf(box, score));
    parts.push(`<line class="${degraded ? 'bad' : 'good'}" x1="${from + 1}" x2="${to - 1}" y1="${y}" y2="${y}"/>`);
    // What there is to say of it stands on the other side of the line, where it fits.
    const below = y < box.top + 20 || score < 3;
    const said = remark(window);
    parts.push(`<text class="value" x="${middle}" y="${below ? y + 16 : y - 6}">${score.toFixed(1)}</text>`);
    if (said.length * 6 < to - from)
      parts.push(`<text class="said" x="${middle}" y="${below ? y - 6 : y + 16}">${said}</text>`);
  }
  return parts.join('');
}

function timeAxis(boxes: readonly Box[], lengthMs: number, x: (ms: number) => number, bottom: number): string {
  const step =
    [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600].find((s) => lengthMs / 1000 / s <= 14) ?? 7200;
  const parts: string[] = [];
  for (let second = 0; second * 1000 <= lengthMs; second += step) {
    const at = round(x(second * 1000));
    for (const { top, height } of boxes.filter((_, i) => i !== SPECTRUM))
      parts.push(`<line class="grid" style="opacity:.45" x1="${at}" x2="${at}" y1="${top}" y2="${top + height}"/>`);
    parts.push(`<text x="${at}" y="${bottom + 18}" text-anchor="middle">${Number(second.toFixed(1))}</text>`);
  }
  parts.push(`<text x="${LEFT + PLOT / 2}" y="${bottom + 36}" text-anchor="middle">time (s)</text>`);
  return parts.join('');
}

function ticksOf(high: number): number[] {
  const step = high > 12 ? 4 : high > 5 ? 2 : 1;
  return Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => i * step);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
