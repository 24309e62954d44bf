// The windows of a recording as a table for the terminal, with what the whole adds up to.
import type { Measurement } from './measure.ts';

export interface Source {
  readonly file: string;
  readonly rateHz: number;
  /** 1 is the first. */
  readonly channel: number;
  readonly channels: number;
}

export const HEADS = [
  'from s',
  'to s',
  'index',
  'clarity',
  'level dB',
  'SNR dB',
  'noise %',
  'clipped %',
  'lost %',
  'up to Hz',
];

/** `-` where nothing was measured. */
export function cells(window: Measurement['windows'][number]): string[] {
  const number = (x: number | null, digits: number, factor = 1) => (x === null ? '-' : (x * factor).toFixed(digits));
  return [
    (window.startMs / 1000).toFixed(1),
    (window.atMs / 1000).toFixed(1),
    number(window.score, 2),
    number(window.clarity, 2),
    number(window.levelDb, 1),
    number(window.snrDb, 1),
    number(window.noiseRatio, 1, 100),
    number(window.clipFraction, 2, 100),
    number(window.gapFraction, 2, 100),
    number(window.bandwidthHz, 0),
  ];
}

/** What a window deserves to be told besides its numbers. */
export function remark(window: Measurement['windows'][number]): string {
  const said: string[] = [];
  if (window.score === null) said.push('no speech');
  if ((window.snrDb ?? 60) < 15) said.push('noisy');
  if ((window.clipFraction ?? 0) > 0.005) said.push('clipped');
  if ((window.gapFraction ?? 0) > 0.01) said.push('holes');
  if ((window.bandwidthHz ?? 8000) < 3000) said.push('muffled');
  if ((window.levelDb ?? -26) < -40) said.push('quiet');
  if ((window.levelDb ?? -26) > -10) said.push('too loud');
  if ((window.dc ?? 0) > 0.01) said.push('offset');
  return said.join(', ');
}

/** One line each: what was read, what was heard, what it is worth. `words`: word accuracy, null without a transcript. */
export function headlines(source: Source, found: Measurement, words: number | null): string[] {
  const { summary, hearings } = found;
  const channel = source.channels > 1 ? `, channel ${source.channel} of ${source.channels}` : '';
  const peak = found.peakDb === null ? 'digital silence' : `peak ${found.peakDb.toFixed(1)} dBFS`;
  const heard = hearings.map(({ vad, speech }) => {
    const seconds = speech.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0) / 1000;
    return `${vad} ${speech.length} (${seconds.toFixed(1)} s)`;
  });
  const slope =
    summary.slopePerMinute === null
      ? ''
      : `, ${summary.slopePerMinute >= 0 ? '+' : ''}${summary.slopePerMinute} a minute`;
  const quality =
    summary.score === null
      ? 'not measured (no window of 4 to 10 s held speech)'
      : `${summary.score.toFixed(2)}, lowest ${summary.lowest?.toFixed(2)}${slope}, ${summary.degradedWindows} of ${summary.windows} windows degraded`;
  return [
    `${source.file}: ${found.seconds.toFixed(1)} s at ${source.rateHz} Hz${channel}, ${peak}`,
    `stretches of speech: ${heard.join(', ')}`,
    `signal quality index (1-5): ${quality}`,
    words === null
      ? 'naturalness and word accuracy: not measured (they need ratings, --reference and --transcript)'
      : `word accuracy: ${(words * 100).toFixed(1)} %; naturalness: not measured (it needs ratings)`,
  ];
}

export function terminalTable(source: Source, found: Measurement, words: number | null): string {
  const rows = found.windows.map((window) => [...cells(window), remark(window)]);
  const heads = [...HEADS, ''];
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === HEADS.length ? cell : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  const table = rows.length === 0 ? [] : ['', line(heads), ...rows.map(line)];
  return [...headlines(source, found, words), ...table].join('\n');
}
