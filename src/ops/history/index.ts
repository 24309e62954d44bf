// What others import of the history: the store, its queries, what it tells of itself.
export { History, type HistoryState } from './history.ts';
export { createHistoryInstruments, type HistoryInstruments } from './instruments.ts';
export { DEFAULT_HISTORY_LIMITS, type HistoryLimits, type HistoryOptions } from './options.ts';
export { type HistoryAnswer, type HistoryQuery, type HistorySeries, QUERY_LIMITS, queryHistory } from './query.ts';
