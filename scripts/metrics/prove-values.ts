// Whether what was stored is true: series by series against the process, quantiles and counts against the raw log.
import { compare, parsePage, quantileError, type TrueSeries } from './compare.ts';
import type { Collector } from './parts.ts';
import { api, check, query } from './verdicts.ts';

/** Every series of every receiver is what the process holds. */
export async function proveEqual(
  truth: readonly TrueSeries[],
  prometheus: string,
  victoria: string,
  collector: Collector,
): Promise<void> {
  const told = (name: string, { series, samples, differences }: ReturnType<typeof compare>): void => {
    check(differences.length === 0, name, `${series} series, ${samples} samples, ${differences.length} differences`);
    for (const one of differences.slice(0, 8)) console.log(`       ${one}`);
  };
  const own = ['job', 'instance'];
  const pushed = { keepsLastGauge: true };
  const resource = [
    ...['service_name', 'service_version', 'service_instance_id', 'process_runtime_name', 'process_runtime_version'],
    ...['scope_name', 'scope_version', 'otel_scope_name', 'otel_scope_version', 'otel_scope_schema_url'],
  ];
  told('scraped by Prometheus', compare(truth, await query(prometheus, '{job="syrinx"}'), 'explicit', own));
  told(
    'OTLP, JSON, exponential, in Prometheus',
    compare(truth, await query(prometheus, '{job="native"}'), 'exponential', own, pushed),
  );
  told(
    'OTLP, JSON, gzip, explicit, in Prometheus',
    compare(truth, await query(prometheus, '{job="packed"}'), 'explicit', own, pushed),
  );
  await fetch(`${victoria}/internal/force_flush`);
  const now = `&nocache=1&time=${Math.ceil(Date.now() / 1000) + 1}`;
  told(
    'OTLP, protobuf, gzip, in VictoriaMetrics',
    compare(truth, await query(victoria, '{service_name="victoria"}', now), 'explicit', resource, {
      ...pushed,
      digits: 12,
    }),
  );
  const page = parsePage(await (await fetch(collector.page)).text()).filter(({ metric }) => metric.job === 'again');
  told(
    'OTLP, protobuf, delta, through a collector',
    compare(
      truth.filter(({ form }) => form === undefined),
      page,
      'explicit',
      [...own, ...resource],
      pushed,
    ),
  );
}

const QUANTILES = [0.5, 0.9, 0.95, 0.99];
/** A receiver knows the bucket and no more: one bucket is 1.09 % wide. The process answers with the middle of it. */
const BUCKET_WIDTH = 2 ** (1 / 64) - 1;

/** What the metrics say is what the raw log of all values says. */
export async function proveQuantiles(base: string, truth: readonly TrueSeries[], prometheus: string): Promise<void> {
  const raw = await api<Record<string, number[]>>(base, 'raw');
  let worstOwn = 0;
  let worstPrometheus = 0;
  let compared = 0;
  let counts = true;
  for (const [key, values] of Object.entries(raw)) {
    const [name = '', labelText = ''] = key.split(' ');
    const labels = Object.fromEntries(
      labelText
        .split(',')
        .filter(Boolean)
        .map((part) => part.split('=')),
    );
    const series = truth.find(
      (one) =>
        one.prometheusName === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
    );
    if (series === undefined || series.kind !== 'histogram') continue;
    const sum = values.reduce((a, b) => a + b, 0);
    // The order of additions is the same, so even the sum is.
    if (series.count !== values.length || Math.abs((series.sum ?? 0) - sum) > 1e-9 * Math.max(1, sum)) {
      counts = false;
      console.log(`       ${key}: ${series.count} values, sum ${series.sum}; the raw log has ${values.length}, ${sum}`);
    }
    const selection = Object.entries(labels)
      .map(([label, value]) => `,${label}="${value}"`)
      .join('');
    for (const [i, q] of QUANTILES.entries()) {
      const own = quantileError(values, q, series.quantiles?.[i] ?? Number.NaN);
      const [stored] = await query(prometheus, `histogram_quantile(${q}, ${name}{job="native"${selection}})`);
      const theirs = quantileError(values, q, Number(stored?.value?.[1] ?? Number.NaN));
      worstOwn = Math.max(worstOwn, own);
      worstPrometheus = Math.max(worstPrometheus, theirs);
      if (!(own <= 0.01 && theirs <= BUCKET_WIDTH)) {
        console.log(`       ${key} P${q * 100} (n ${values.length}): own ${own}, Prometheus ${theirs}`);
      }
      compared++;
    }
  }
  const percent = (error: number) => `${(error * 100).toFixed(2)} %`;
  check(
    counts && compared > 0,
    'counts and sums are those of the raw log',
    `${compared / QUANTILES.length} histograms`,
  );
  check(worstOwn <= 0.01, 'quantiles of the process, within 1 %', `worst ${percent(worstOwn)} of ${compared}`);
  check(
    worstPrometheus <= BUCKET_WIDTH,
    'quantiles in Prometheus, within a bucket (1.09 %)',
    `worst ${percent(worstPrometheus)} of ${compared}`,
  );
  const total = (name: string, where: Readonly<Record<string, string>> = {}) =>
    truth
      .filter(({ prometheusName, labels }) => {
        const fits = Object.entries(where).every(([label, value]) => labels[label] === value);
        return prometheusName === name && fits;
      })
      .reduce((sum, { value }) => sum + (value ?? 0), 0);
  const noted = (key: string) => raw[key]?.length ?? 0;
  // Each of these happens in every load, however short.
  const pairs: [string, number, number][] = [
    ['interruptions', total('syrinx_interruptions_total'), noted('interruptions')],
    ['tools', total('syrinx_tools_executed_total', { outcome: 'ok' }), noted('tools finished')],
    ['tools failed', total('syrinx_tools_executed_total', { outcome: 'error' }), noted('tools failed')],
    ...['stt', 'llm', 'tts'].map((stage): [string, number, number] => [
      `${stage} failed`,
      total('syrinx_failures_total', { stage }),
      noted(`failures ${stage}`),
    ]),
  ];
  check(
    pairs.every(([, metric, log]) => metric === log) && pairs.every(([, metric]) => metric > 0),
    'counters are those of the raw log',
    pairs.map(([name, metric, log]) => `${name} ${metric}/${log}`).join(', '),
  );
}
