// Where metrics go over OTLP: presets, OpenTelemetry's variables, and what is said when it cannot work.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { otlpSettings, resourceOf } from '../../src/cli/telemetry/otlp-settings.ts';
import { UserError } from '../../src/cli/user-error.ts';
import { loadConfig } from '../../src/config/load.ts';

function settings(keys: Record<string, unknown>, env: Record<string, string> = {}) {
  const flags = Object.entries(keys).map(([key, value]) => ({ name: key, key: `telemetry.${key}`, value }));
  return otlpSettings(loadConfig({ flags, environment: {} }).config, env);
}
function problemsOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof UserError);
    return error.problems.join('\n');
  }
  assert.fail('no problem');
}

test('nothing is sent unless somebody says where', () => {
  assert.equal(settings({}), null);
  assert.equal(settings({ 'otlp.preset': 'custom' }, { OTEL_SDK_DISABLED: 'true' }), null);
  assert.equal(settings({ 'otlp.preset': 'custom' }, { OTEL_METRICS_EXPORTER: 'none' }), null);
  assert.equal(settings({ 'otlp.preset': 'custom', enabled: false }), null);
});

test("OpenTelemetry's variables alone are enough", () => {
  const found = settings(
    {},
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example/base/',
      OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Basic%20abc%3D,x=y',
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_TIMEOUT: '2500',
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'LowMemory',
      OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'base2_exponential_bucket_histogram',
    },
  );
  assert.deepEqual(found, {
    url: 'https://collector.example/base/v1/metrics',
    headers: { authorization: 'Basic abc=', x: 'y' },
    protocol: 'http/protobuf',
    temporality: 'delta',
    histograms: 'exponential',
    gzip: true,
    timeoutMs: 2500,
    intervalMs: 5000,
  });
  const verbatim = { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://x:1/otlp', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://y' };
  assert.equal(settings({}, verbatim)?.url, 'http://x:1/otlp');
  assert.equal(settings({}, { OTEL_METRICS_EXPORTER: 'otlp' })?.url, 'http://localhost:4318/v1/metrics');
});

test('presets set what their receivers need, and the configuration wins over the variables', () => {
  const grafana = settings({
    'otlp.preset': 'grafana-cloud',
    'otlp.endpoint': 'https://otlp-gateway.example/otlp',
    'otlp.headers': 'Authorization=Basic x',
  });
  assert.equal(grafana?.url, 'https://otlp-gateway.example/otlp/v1/metrics');
  assert.deepEqual([grafana?.temporality, grafana?.protocol, grafana?.gzip], ['cumulative', 'http/protobuf', true]);
  const agent = settings({ 'otlp.preset': 'datadog-agent' });
  assert.deepEqual(
    [agent?.url, agent?.temporality, agent?.histograms],
    ['http://localhost:4318/v1/metrics', 'delta', 'exponential'],
  );
  const intake = settings({ 'otlp.preset': 'datadog-intake' }, { DD_API_KEY: 'k', DD_SITE: 'datadoghq.eu' });
  assert.deepEqual([intake?.url, intake?.headers], ['https://otlp.datadoghq.eu/v1/metrics', { 'dd-api-key': 'k' }]);
  assert.equal(intake?.temporality, 'delta');
  const own = settings(
    { 'otlp.preset': 'datadog-agent', 'otlp.temporality': 'cumulative', 'otlp.endpoint': 'http://a:1' },
    { OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta', OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://b:2' },
  );
  assert.deepEqual([own?.temporality, own?.url], ['cumulative', 'http://a:1/v1/metrics']);
});

test('what cannot work is said with its name, and no secret is printed', () => {
  assert.match(
    problemsOf(() => settings({ 'otlp.preset': 'grafana-cloud' })),
    /telemetry\.otlp\.endpoint/,
  );
  assert.match(
    problemsOf(() => settings({ 'otlp.preset': 'datadog-intake' })),
    /dd-api-key/,
  );
  const wrong = problemsOf(() =>
    settings(
      { 'otlp.preset': 'custom', 'otlp.headers': 'a=ok,secret words,b=%zz' },
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://x',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_METRIC_EXPORT_INTERVAL: 'soon',
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'sometimes',
      },
    ),
  );
  for (const name of ['ENDPOINT', 'PROTOCOL', 'INTERVAL', 'TEMPORALITY', 'part 2', 'part 3']) {
    assert.ok(wrong.includes(name), `${name} in ${wrong}`);
  }
  assert.doesNotMatch(wrong, /secret|zz/);
});

test('who sends: what is known here, and what the variables say', () => {
  const facts = {
    agentName: 'weasel',
    version: '1.2.3',
    runtime: { name: 'bun', version: '1' },
    instanceId: 'i-1',
    region: undefined,
  };
  assert.deepEqual(resourceOf(facts, { POD_NAME: 'p', HOSTNAME: '' }), {
    'service.name': 'weasel',
    'service.version': '1.2.3',
    'service.instance.id': 'i-1',
    'process.runtime.name': 'bun',
    'process.runtime.version': '1',
    'k8s.pod.name': 'p',
  });
  const env = {
    OTEL_SERVICE_NAME: 'front',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=back,deployment.environment.name=a%20b,bad',
  };
  const named = resourceOf(facts, env);
  assert.equal(named['service.name'], 'front');
  assert.equal(named['deployment.environment.name'], 'a b');
});
