// The history of a server that is asked over HTTP, as a source like any other.
import type { HistoryAnswer, HistorySource, HistoryStatus } from '../../ops/history/index.ts';

/** `ask` gets the JSON of a path; what it rejects with, the source rejects with. */
export function remoteHistory(ask: (path: string) => Promise<unknown>): HistorySource {
  const overview = async () =>
    (await ask('/api/history')) as HistoryStatus & { series: HistoryAnswer['series'][0]['info'][] };
  return {
    async status() {
      const { storage, problem, bytes } = await overview();
      return { storage, problem, bytes };
    },
    series: async () => (await overview()).series,
    async query({ name, labels = {}, fromMs, toMs, stepMs, quantiles = [], buckets }) {
      const asked = new URLSearchParams({ name, from: String(fromMs), to: String(toMs) });
      if (stepMs !== undefined) asked.set('step', String(stepMs / 1000));
      if (quantiles.length > 0) asked.set('quantiles', quantiles.join(','));
      if (buckets === true) asked.set('buckets', 'true');
      for (const [label, value] of Object.entries(labels)) asked.set(`label.${label}`, value);
      return (await ask(`/api/history/query?${asked.toString()}`)) as HistoryAnswer;
    },
  };
}
