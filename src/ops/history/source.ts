// What can be asked for history: the store of this process, a folder of another one, a server, or several of them as one.
import type { SeriesInfo } from '../../metrics/index.ts';
import type { History, HistoryState } from './history.ts';
import type { PacerOptions } from './pacer.ts';
import { type HistoryAnswer, type HistoryQuery, queryHistory } from './query.ts';

/** Where history is kept and how that goes, for those who ask. */
export type HistoryStatus = Pick<HistoryState, 'storage' | 'problem' | 'bytes'>;

export interface HistorySource {
  status(): Promise<HistoryStatus>;
  /** All series that there is history of. */
  series(): Promise<readonly SeriesInfo[]>;
  /** Rejects with a `RangeError` that says what is wrong with the query. */
  query(query: HistoryQuery): Promise<HistoryAnswer>;
}

export function sourceOf(history: History, pacing: PacerOptions): HistorySource {
  return {
    async status() {
      const { storage, problem, bytes } = history.state;
      return { storage, problem, bytes };
    },
    series: async () => history.catalogue.all().map(({ info }) => info),
    query: (query) => queryHistory(history, query, pacing),
  };
}
