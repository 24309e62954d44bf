// Where metrics go over OTLP, and how: the configuration's preset, OpenTelemetry's own variables, and what suits the receiver.
import type { Config } from '../../config/schema.ts';
import { EXIT } from '../exit-codes.ts';
import { UserError } from '../user-error.ts';

export interface OtlpSettings {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly protocol: 'http/json' | 'http/protobuf';
  readonly temporality: 'cumulative' | 'delta';
  readonly histograms: 'explicit' | 'exponential';
  readonly gzip: boolean;
  readonly timeoutMs: number;
  readonly intervalMs: number;
}

type Environment = Readonly<Record<string, string | undefined>>;
type Preset = Exclude<Config['telemetry']['otlp']['preset'], 'none'>;
type Form = Pick<OtlpSettings, 'protocol' | 'temporality' | 'histograms' | 'gzip'> & { readonly endpoint?: string };

const LOCAL_COLLECTOR = 'http://localhost:4318';
const PRESETS: Readonly<Record<Preset, Form>> = {
  custom: {
    endpoint: LOCAL_COLLECTOR,
    protocol: 'http/json',
    temporality: 'cumulative',
    histograms: 'explicit',
    gzip: false,
  },
  // Takes OTLP over HTTP only; exponential histograms must be switched on there first.
  'grafana-cloud': { protocol: 'http/protobuf', temporality: 'cumulative', histograms: 'explicit', gzip: true },
  // Datadog turns exponential histograms into its own distributions, and wants what is new.
  'datadog-agent': {
    endpoint: LOCAL_COLLECTOR,
    protocol: 'http/protobuf',
    temporality: 'delta',
    histograms: 'exponential',
    gzip: false,
  },
  'datadog-intake': { protocol: 'http/protobuf', temporality: 'delta', histograms: 'exponential', gzip: true },
};

/** Null: nothing is sent. What the configuration says wins over the variables. Throws `UserError` for what cannot work. */
export function otlpSettings({ telemetry }: Pick<Config, 'telemetry'>, env: Environment): OtlpSettings | null {
  const { otlp } = telemetry;
  const variable = (name: string) => env[`OTEL_EXPORTER_OTLP_METRICS_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`];
  if (!telemetry.enabled || env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return null;
  if (env.OTEL_METRICS_EXPORTER === 'none') return null;
  const preset = otlp.preset === 'none' ? presetOf(env, variable('ENDPOINT')) : otlp.preset;
  if (preset === null) return null;

  const problems: string[] = [];
  const form = PRESETS[preset];
  const url = urlOf(preset, otlp.endpoint, env, form.endpoint, problems);
  const headers = headersOf(otlp.headers?.reveal() ?? variable('HEADERS') ?? '', problems);
  if (preset === 'datadog-intake' && headers['dd-api-key'] === undefined) {
    const key = env.DD_API_KEY;
    if (key === undefined || key === '') problems.push('telemetry.otlp.headers: set dd-api-key=..., or DD_API_KEY');
    else headers['dd-api-key'] = key;
  }
  const pick = <T extends string>(name: string, value: string | undefined, choices: Readonly<Record<string, T>>) => {
    if (value === undefined || value === '') return undefined;
    const found = choices[value.toLowerCase()];
    if (found === undefined) problems.push(`${name}: '${value}' is not one of ${Object.keys(choices).join(', ')}`);
    return found;
  };
  const number = (name: string, value: string | undefined, from: number) => {
    if (value === undefined || value === '') return undefined;
    const parsed = Number(value);
    if (Number.isFinite(parsed) && parsed >= from) return parsed;
    problems.push(`${name}: '${value}' is no number of milliseconds from ${from}`);
    return undefined;
  };
  const protocol =
    otlp.protocol ??
    pick('OTEL_EXPORTER_OTLP_PROTOCOL', variable('PROTOCOL'), {
      'http/json': 'http/json',
      'http/protobuf': 'http/protobuf',
    } as const);
  const temporality =
    otlp.temporality ??
    pick(
      'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE',
      env.OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE,
      // Low memory is delta for everything that is not up-down.
      { cumulative: 'cumulative', delta: 'delta', lowmemory: 'delta' } as const,
    );
  const histograms =
    otlp.histograms ??
    pick(
      'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION',
      env.OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION,
      { explicit_bucket_histogram: 'explicit', base2_exponential_bucket_histogram: 'exponential' } as const,
    );
  const packing =
    otlp.compression ??
    pick('OTEL_EXPORTER_OTLP_COMPRESSION', variable('COMPRESSION'), { gzip: 'gzip', none: 'none' } as const);
  const timeoutMs = number('OTEL_EXPORTER_OTLP_TIMEOUT', variable('TIMEOUT'), 1) ?? otlp.timeoutMs;
  const intervalMs =
    number('OTEL_METRIC_EXPORT_INTERVAL', env.OTEL_METRIC_EXPORT_INTERVAL, 100) ?? telemetry.exportIntervalMs;
  if (problems.length > 0 || url === undefined) {
    throw new UserError('Cannot send metrics over OTLP', { exitCode: EXIT.config, problems });
  }
  return {
    url,
    headers,
    protocol: protocol ?? form.protocol,
    temporality: temporality ?? form.temporality,
    histograms: histograms ?? form.histograms,
    gzip: packing === undefined ? form.gzip : packing === 'gzip',
    timeoutMs,
    intervalMs,
  };
}

/** OpenTelemetry's variables alone are enough. */
function presetOf(env: Environment, endpoint: string | undefined): 'custom' | null {
  return endpoint !== undefined || (env.OTEL_METRICS_EXPORTER ?? '').includes('otlp') ? 'custom' : null;
}

function urlOf(
  preset: Preset,
  configured: string | undefined,
  env: Environment,
  usual: string | undefined,
  problems: string[],
): string | undefined {
  // The variable for metrics alone is taken as it is; to every other base the path is added.
  const verbatim = configured === undefined ? env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT : undefined;
  const intake = preset === 'datadog-intake' ? `https://otlp.${env.DD_SITE || 'datadoghq.com'}` : undefined;
  const base = verbatim || configured || env.OTEL_EXPORTER_OTLP_ENDPOINT || intake || usual;
  if (base === undefined) {
    problems.push(
      `telemetry.otlp.endpoint: ${preset} needs the address of your stack (or OTEL_EXPORTER_OTLP_ENDPOINT)`,
    );
    return undefined;
  }
  if (!/^https?:$/.test(protocolOf(base))) {
    problems.push(`OTEL_EXPORTER_OTLP_ENDPOINT: it is no URL that starts with http:// or https://`);
    return undefined;
  }
  return verbatim ? base : `${base.replace(/\/+$/, '')}/v1/metrics`;
}

function protocolOf(url: string): string {
  try {
    return new URL(url).protocol;
  } catch {
    return '';
  }
}

/** `name=value,name=value`, values as in URLs. What is wrong is told without the value: it is a secret. */
function headersOf(text: string, problems: string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  text
    .split(',')
    .filter((part) => part.trim() !== '')
    .forEach((part, i) => {
      const at = part.indexOf('=');
      const name = part.slice(0, at).trim().toLowerCase();
      const value = decoded(part.slice(at + 1).trim());
      const isValid = at > 0 && /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) && value !== null && /^[\t -~]*$/.test(value);
      if (isValid && value !== null) headers[name] = value;
      else problems.push(`telemetry.otlp.headers: part ${i + 1} is not of the form name=value`);
    });
  return headers;
}

function decoded(value: string): string | null {
  try {
    return decodeURIComponent(value);
  } catch {
    return null;
  }
}

export interface ResourceFacts {
  readonly agentName: string;
  readonly region?: string | undefined;
  readonly version: string;
  readonly runtime: { readonly name: string; readonly version: string };
  readonly instanceId: string;
}

/** Who sends: attributes of OpenTelemetry's resource. `OTEL_RESOURCE_ATTRIBUTES` wins over what is known here. */
export function resourceOf(facts: ResourceFacts, env: Environment): Record<string, string> {
  const attributes: Record<string, string | undefined> = {
    'service.name': facts.agentName,
    'service.version': facts.version,
    'service.instance.id': facts.instanceId,
    'cloud.region': facts.region,
    'host.name': env.HOSTNAME,
    'process.runtime.name': facts.runtime.name,
    'process.runtime.version': facts.runtime.version,
    // The usual names under which a pod is given its own place.
    'k8s.pod.name': env.POD_NAME,
    'k8s.namespace.name': env.POD_NAMESPACE,
    'k8s.node.name': env.NODE_NAME,
  };
  for (const part of (env.OTEL_RESOURCE_ATTRIBUTES ?? '').split(',')) {
    const at = part.indexOf('=');
    const value = at > 0 ? decoded(part.slice(at + 1).trim()) : null;
    if (value !== null) attributes[part.slice(0, at).trim()] = value;
  }
  if (env.OTEL_SERVICE_NAME) attributes['service.name'] = env.OTEL_SERVICE_NAME;
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
}
