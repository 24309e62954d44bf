// The forms in which history leaves the program, each written piece by piece so that long ranges need not be held.
import type { HistoryAnswer, HistorySeries } from '../query.ts';
import { csvWriter } from './csv.ts';
import { openMetricsWriter } from './openmetrics.ts';

/** What is said once, before any series. */
export type ExportHead = Pick<HistoryAnswer, 'fromMs' | 'toMs' | 'stepMs' | 'quantiles'>;

/** Text in order: `begin`, `series` for each, those of one metric behind one another, then `end`. */
export interface ExportWriter {
  begin(): string;
  series(one: HistorySeries): string;
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

function jsonWriter({ fromMs, toMs, stepMs, quantiles }: ExportHead): ExportWriter {
  let separator = '\n';
  return {
    begin: () => `${JSON.stringify({ fromMs, toMs, stepMs, quantiles }).slice(0, -1)},"series":[`,
    series(one) {
      const text = separator + JSON.stringify(one);
      separator = ',\n';
      return text;
    },
    end: () => '\n]}\n',
  };
}

/** An answer as one text. */
export function exportText(format: ExportFormat, answer: HistoryAnswer): string {
  const writer = format.writer(answer);
  const inOrder = [...answer.series].sort((a, b) =>
    a.info.name < b.info.name ? -1 : a.info.name > b.info.name ? 1 : 0,
  );
  return [writer.begin(), ...inOrder.map((one) => writer.series(one)), writer.end()].join('');
}
