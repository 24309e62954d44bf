// The metrics that rules may name by the specification's names: what they mean, what they can be, and what Prometheus is asked for them.
import type { Family, Registry } from '../../metrics/index.ts';

export interface MetricFact {
  readonly name: string;
  readonly unit: string;
  readonly help: string;
  /** What it cannot be below or above. */
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /** Labels that its series may have; undefined = not known. */
  readonly labels?: readonly string[] | undefined;
  /** PromQL with the same value over what `/metrics` serves. */
  readonly promql?: string | undefined;
}

const FRACTION = { unit: '1', low: 0, high: 1 };
const PERCENT = { unit: '%', low: 0, high: 100 };
const mean = (name: string, window: string) => `1000 * rate(${name}_sum[${window}]) / rate(${name}_count[${window}])`;
/** Labels that Prometheus adds stay, so that each process has an alert of its own. */
const share = (part: string, all: string, by: string) => `sum by (${by}) (${part}) / sum by (${by}) (${all})`;

export const SPECIFICATION_METRICS: readonly MetricFact[] = [
  {
    name: 'audio.processing.latency_ms',
    unit: 'ms',
    low: 0,
    labels: [],
    help: 'Decision time of a frame less the time at which it was due, mean of a minute.',
    promql: mean('syrinx_audio_processing_seconds', '1m'),
  },
  {
    name: 'conversation.response_ms',
    unit: 'ms',
    low: 0,
    labels: [],
    help: "From the caller's last voiced sample to the first audible one of the agent, mean of a minute.",
    promql: mean('syrinx_conversation_response_seconds', '1m'),
  },
  {
    name: 'agent.overhead_ms',
    unit: 'ms',
    low: 0,
    labels: [],
    help: 'Response time without providers and endpointing, mean of a minute.',
    promql: mean('syrinx_agent_overhead_seconds', '1m'),
  },
  {
    name: 'session.error_rate',
    ...FRACTION,
    labels: [],
    help: 'Calls that failed of those that ended in five minutes.',
    promql: share(
      'increase(syrinx_sessions_ended_total{outcome="failed"}[5m])',
      'increase(syrinx_sessions_ended_total[5m])',
      'job, instance',
    ),
  },
  {
    name: 'audio.quality_score',
    unit: '',
    low: 1,
    high: 5,
    labels: [],
    help: 'Signal quality index of the running calls, 1 to 5.',
    promql: 'syrinx_audio_quality_score',
  },
  {
    name: 'system.memory_percent',
    ...PERCENT,
    labels: [],
    help: "Memory in use of the machine's or the container's limit.",
    promql: '100 * syrinx_system_memory_ratio',
  },
  {
    name: 'system.cpu_percent',
    ...PERCENT,
    labels: [],
    help: 'CPU time in use of all available cores.',
    promql: '100 * syrinx_system_cpu_ratio',
  },
  {
    name: 'api.error_rate',
    ...FRACTION,
    labels: ['provider'],
    help: 'Requests to a provider that failed of those made in five minutes.',
    promql: share(
      'increase(syrinx_api_requests_total{outcome="failed"}[5m])',
      'increase(syrinx_api_requests_total[5m])',
      'job, instance, provider',
    ),
  },
  {
    name: 'connection.failure_rate',
    ...FRACTION,
    labels: [],
    help: 'WebRTC connections that failed of those attempted in five minutes.',
    promql: share(
      'increase(syrinx_connections_total{outcome="failed"}[5m])',
      'increase(syrinx_connections_total[5m])',
      'job, instance',
    ),
  },
  {
    name: 'system.disk_free_percent',
    ...PERCENT,
    labels: [],
    help: 'Free space of the disk with the data directory.',
    promql: '100 * syrinx_system_disk_free_ratio',
  },
  {
    name: 'network.utilization_percent',
    unit: '%',
    low: 0,
    labels: [],
    help: 'Traffic in relation to the configured capacity of the link; not measured without one.',
    promql: '100 * syrinx_network_utilization_ratio',
  },
  {
    name: 'system.queue_size',
    unit: '{request}',
    low: 0,
    labels: [],
    help: 'Requests that wait.',
    promql: 'syrinx_queue_size',
  },
];

/** Facts by name; all names are asked for where one is not there. */
export type Catalogue = Pick<ReadonlyMap<string, MetricFact>, 'get' | 'keys'>;

/** Instruments of the registry under their own names; of histograms the count and the sum. */
export function registryFacts(families: readonly Family[]): MetricFact[] {
  return families.flatMap(({ name, unit, help, kind, series }) => {
    const labels = series[0] === undefined ? undefined : Object.keys(series[0].labels);
    const low = kind === 'gauge' ? undefined : 0;
    if (kind !== 'histogram') return [{ name, unit, help, labels, low }];
    return [
      { name: `${name}.count`, unit: '', help, labels, low },
      { name: `${name}.sum`, unit, help, labels, low },
    ];
  });
}

export function catalogueOf(more: Iterable<MetricFact>): ReadonlyMap<string, MetricFact> {
  return new Map([...SPECIFICATION_METRICS, ...more].map((fact) => [fact.name, fact]));
}

/** Without any instrument. */
export const SPECIFICATION: Catalogue = catalogueOf([]);

/** The specification's metrics and the instruments that there are now. A fact is made for whoever asks: a list of all of them for each
 *  of many rules would be megabytes. */
export function registryCatalogue(registry: Registry): Catalogue {
  return {
    get(name) {
      const instrument = name.replace(/\.(?:count|sum)$/, '');
      const families = registry.families().filter((family) => family.name === name || family.name === instrument);
      return registryFacts(families).find((fact) => fact.name === name) ?? SPECIFICATION.get(name);
    },
    keys: () => catalogueOf(registryFacts(registry.families())).keys(),
  };
}
