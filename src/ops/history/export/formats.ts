// The forms in which history leaves the program, each written piece by piece: long ranges are never held as text, and no piece takes long to make.
import type { HistoryAnswer, HistorySeries } from '../query.ts';
import { csvWriter } from './csv.ts';
import { jsonWriter } from './json.ts';
import { openMetricsWriter } from './openmetrics.ts';

/** What is said once, before any series. */
export type ExportHead = Omit<HistoryAnswer, 'series'>;

/** Text in order: `begin`, `series` for each, those of one metric behind one another, then `end`. */
export interface ExportWriter {
  begin(): string;
  /** Pieces of some hundred steps. */
  series(one: HistorySeries): Iterable<string>;
  end(): string;
}

export interface ExportFormat {
  readonly contentType: string;
  /** Whether it is made from the buckets of each step. */
  readonly needsBuckets: boolean;
  writer(head: ExportHead): ExportWriter;
}

/** The HTML report is made by `report.ts`, since it looks at all series before it writes. */
export const EXPORT_FORMATS: Readonly<Record<'json' | 'csv' | 'prometheus', ExportFormat>> = {
  json: { contentType: 'application/json', needsBuckets: false, writer: jsonWriter },
  csv: { contentType: 'text/csv; charset=utf-8', needsBuckets: false, writer: csvWriter },
  prometheus: {
    contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    needsBuckets: true,
    writer: openMetricsWriter,
  },
};

/** An answer as text, in pieces. */
export function* exportPieces(format: ExportFormat, answer: HistoryAnswer): Generator<string> {
  const writer = format.writer(answer);
  const inOrder = [...answer.series].sort((a, b) =>
    a.info.name < b.info.name ? -1 : a.info.name > b.info.name ? 1 : 0,
  );
  yield writer.begin();
  for (const one of inOrder) yield* writer.series(one);
  yield writer.end();
}
