// Comma-separated values (RFC 4180): one row for each step of each series.
import type { HistorySeries } from '../query.ts';
import type { ExportHead, ExportWriter } from './formats.ts';

/** Rows of a piece. */
const PIECE = 300;

export function csvWriter({ quantiles }: ExportHead): ExportWriter {
  const head = ['time', 'name', 'labels', 'count', 'sum', 'min', 'max', ...quantiles.map((q) => `q${q}`)];
  return { begin: () => line(head), series: rows, end: () => '' };
}

function* rows({ info, atMs, count, sum, min, max, quantiles }: HistorySeries): Generator<string> {
  const who = `${cell(info.name)},${cell(JSON.stringify(info.labels))}`;
  const columns = [count, sum, min, max, ...quantiles];
  for (let from = 0; from < atMs.length; from += PIECE) {
    let text = '';
    for (let i = from; i < Math.min(from + PIECE, atMs.length); i++) {
      text += line([new Date(atMs[i] ?? 0).toISOString(), who, ...columns.map((column) => String(column[i] ?? ''))]);
    }
    yield text;
  }
}

function line(cells: readonly string[]): string {
  return `${cells.join(',')}\r\n`;
}

function cell(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
