// The answer to a query as JSON.
import type { HistorySeries } from '../query.ts';
import type { ExportHead, ExportWriter } from './formats.ts';

/** Numbers of a piece. */
const PIECE = 2000;

export function jsonWriter({ fromMs, toMs, stepMs, tier, quantiles, missing }: ExportHead): ExportWriter {
  let separator = '\n';
  return {
    begin: () => `${JSON.stringify({ fromMs, toMs, stepMs, tier, quantiles, missing }).slice(0, -1)},"series":[`,
    *series(one) {
      yield separator;
      separator = ',\n';
      yield* columns(one);
    },
    end: () => '\n]}\n',
  };
}

function* columns({ info, quantiles, buckets, ...rest }: HistorySeries): Generator<string> {
  yield `{"info":${JSON.stringify(info)}`;
  for (const name of ['atMs', 'count', 'sum', 'min', 'max'] as const) {
    yield `,"${name}":`;
    yield* array(rest[name], () => 1);
  }
  yield ',"quantiles":[';
  for (const [i, column] of quantiles.entries()) {
    if (i > 0) yield ',';
    yield* array(column, () => 1);
  }
  yield ']';
  if (buckets !== undefined) {
    yield ',"buckets":';
    yield* array(buckets, (pairs) => 1 + pairs.length);
  }
  yield '}';
}

/** `weight`: how many numbers an element is. */
function* array<T>(values: readonly T[], weight: (value: T) => number): Generator<string> {
  yield '[';
  for (let from = 0; from < values.length; ) {
    let to = from;
    for (let numbers = 0; to < values.length && numbers < PIECE; to++) numbers += weight(values[to] as T);
    yield (from > 0 ? ',' : '') + JSON.stringify(values.slice(from, to)).slice(1, -1);
    from = to;
  }
  yield ']';
}
