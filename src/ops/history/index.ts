// What others import of the history: the store, its queries, several stores as one, exports, what it tells of itself.
export { History, type HistoryState } from './history.ts';
export { createHistoryInstruments, type HistoryInstruments } from './instruments.ts';
export { EXPORT_FORMATS, type ExportFormat, exportPieces, type ExportWriter } from './export/formats.ts';
export { chosenSeries, exportRange, wholeSeries } from './export/whole-series.ts';
export { openHistoryFolder } from './read-only.ts';
export { Pacer, type PacerOptions } from './pacer.ts';
export { mergedSource, PROCESS_LABEL, UnavailableError } from './merge.ts';
export { DEFAULT_HISTORY_LIMITS, type HistoryLimits, type HistoryOptions } from './options.ts';
export {
  type HistoryAnswer,
  type HistoryQuery,
  type HistorySeries,
  QUERY_LIMITS,
  queryHistory,
  type Range,
} from './query.ts';
export { historyReport, type ReportRequest } from './report/report.ts';
export { scaleOf, shown } from './report/units.ts';
export { durationText, timeText } from './report/axis.ts';
export { exportedName, selector, unknownMetric } from './selector.ts';
export { type HistorySource, type HistoryStatus, sourceOf } from './source.ts';
