// Counts HTTP requests by method, route pattern and status, with a bounded number of series.
import type { RequestRecorder } from './options.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export interface RequestSeries {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly count: number;
}
export interface RequestCounter extends RequestRecorder {
  series(): readonly RequestSeries[];
  /** `http_requests_total` in Prometheus text, one series each; ends with a line end. */
  text(): string;
}

export function createRequestCounter(): RequestCounter {
  const counts = new Map<string, { method: string; route: string; status: number; count: number }>();
  let total = 0;
  return {
    record(method, route, status) {
      total++;
      const label = METHODS.has(method) ? method : 'other';
      const key = `${label} ${status} ${route}`;
      const entry = counts.get(key);
      if (entry) entry.count++;
      else counts.set(key, { method: label, route, status, count: 1 });
    },
    total: () => total,
    series: () => [...counts.values()],
    text() {
      let text = '# HELP http_requests_total HTTP requests answered, by route and status.\n';
      text += '# TYPE http_requests_total counter\n';
      if (counts.size === 0) text += 'http_requests_total 0\n';
      for (const { method, route, status, count } of counts.values()) {
        text += `http_requests_total{method="${method}",route="${route}",status="${status}"} ${count}\n`;
      }
      return text;
    },
  };
}
