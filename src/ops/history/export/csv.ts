// Comma-separated values (RFC 4180): one row for each step of each series.
import type { HistorySeries } from '../query.ts';
import type { ExportHead, ExportWriter } from './formats.ts';

export function csvWriter({ quantiles }: ExportHead): ExportWriter {
  const head = ['time', 'name', 'labels', 'count', 'sum', 'min', 'max', ...quantiles.map((q) => `q${q}`)];
  return { begin: () => line(head), series: rows, end: () => '' };
}

function rows({ info, atMs, count, sum, min, max, quantiles }: HistorySeries): string {
  const who = [cell(info.name), cell(JSON.stringify(info.labels))];
  const columns = [count, sum, min, max, ...quantiles];
  return atMs
    .map((at, i) => line([new Date(at).toISOString(), ...who, ...columns.map((column) => String(column[i] ?? ''))]))
    .join('');
}

function line(cells: readonly string[]): string {
  return `${cells.join(',')}\r\n`;
}

function cell(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
