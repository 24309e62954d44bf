// Writes history to a file or to standard output, one series after the other, however long the range is.
import type { Files } from '../../hosts/port.ts';
import {
  chosenSeries,
  EXPORT_FORMATS,
  exportRange,
  historyReport,
  type HistorySource,
  wholeSeries,
} from '../../ops/history/index.ts';
import type { AskedRange } from './history-range.ts';

export type ExportName = keyof typeof EXPORT_FORMATS | 'html';
export const EXPORT_NAMES: readonly ExportName[] = [...(Object.keys(EXPORT_FORMATS) as ExportName[]), 'html'];

export interface ExportRequest extends AskedRange {
  readonly format: ExportName;
  readonly names: readonly string[];
  readonly origin: string;
  readonly madeAtMs: number;
}
export interface Exported {
  /** Series that had something in the range. */
  readonly series: number;
  readonly steps: number;
}

/** `write` gets pieces of text, in order. Rejects with a `RangeError` that says what is wrong with the request. */
export async function exportHistory(
  source: HistorySource,
  request: ExportRequest,
  write: (text: string) => void,
): Promise<Exported> {
  if (request.format === 'html') {
    write(await historyReport(source, request));
    return { series: 0, steps: 0 };
  }
  const format = EXPORT_FORMATS[request.format];
  const { labels, quantiles = [] } = request;
  const chosen = chosenSeries(await source.series(), request.names.length === 0 ? ['*'] : request.names, labels);
  const range = exportRange(request);
  const tier = range.stepMs % 60_000 === 0 ? 'minutes' : 'seconds';
  const writer = format.writer({ ...range, tier, quantiles });
  write(writer.begin());
  let series = 0;
  let steps = 0;
  for (const info of chosen) {
    const one = await wholeSeries(source, info, range, { quantiles, buckets: format.needsBuckets });
    if (one === undefined) continue;
    for (const piece of writer.series(one)) write(piece);
    series++;
    steps += one.atMs.length;
  }
  write(writer.end());
  return { series, steps };
}

/** Opens the file for `exportHistory`; throws the system's own errors. */
export function openOutput(files: Files, path: string): { write(text: string): void; close(): void } {
  const file = files.open(path);
  const encoder = new TextEncoder();
  return { write: (text) => file.write(encoder.encode(text)), close: () => file.close() };
}
