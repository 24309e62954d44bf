// The registry: sums, series limits, refused values, and what the text format and the snapshot say.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry, PROMETHEUS_CONTENT_TYPE, renderPrometheus, takeSnapshot } from '../../src/metrics/index.ts';
import { prometheusName } from '../../src/metrics/names.ts';

test('R-01, R-12: counters sum, labels keep apart, gauges go up and down', () => {
  const registry = createRegistry();
  const turns = registry.counter({ name: 'voice.turns', help: 'Turns.', labels: ['agent'] });
  const [a, b] = [turns.labels({ agent: 'a' }), turns.labels({ agent: 'b' })];
  for (let i = 0; i < 1000; i++) a.add();
  b.add(2.5);
  assert.equal(turns.labels({ agent: 'a' }), a);
  const active = registry.gauge({ name: 'voice.session.active', unit: '{session}', help: 'Calls.' }).labels();
  active.add(3);
  active.add(-1);
  assert.deepEqual(
    takeSnapshot(registry).map(({ name, labels, ...rest }) => [name, labels, 'value' in rest ? rest.value : undefined]),
    [
      ['voice.turns', { agent: 'a' }, 1000],
      ['voice.turns', { agent: 'b' }, 2.5],
      ['voice.session.active', {}, 2],
    ],
  );
});

test('a gauge that was never set is absent, not 0', () => {
  const registry = createRegistry();
  const gauge = registry.gauge({ name: 'memory', unit: 'By', help: 'Memory.' }).labels();
  assert.deepEqual(takeSnapshot(registry), []);
  assert.equal(renderPrometheus(registry), '');
  gauge.observe(() => 1e8);
  assert.match(renderPrometheus(registry), /^memory_bytes 100000000$/m);
  gauge.observe(() => null);
  assert.equal(renderPrometheus(registry), '');
  gauge.observe(() => {
    throw new Error('gone');
  });
  assert.doesNotMatch(renderPrometheus(registry), /memory_bytes/);
});

test('values that are no finite number are refused and counted', () => {
  const registry = createRegistry();
  const counter = registry.counter({ name: 'c', help: 'C.' }).labels();
  const gauge = registry.gauge({ name: 'g', help: 'G.' }).labels();
  const histogram = registry.histogram({ name: 'h', unit: 's', help: 'H.' }).labels();
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    counter.add(bad);
    gauge.set(bad);
    histogram.record(bad);
  }
  counter.add(-1);
  histogram.record(-0.5);
  assert.equal(counter.value, 0);
  assert.equal(gauge.value, null);
  assert.equal(histogram.sketch.count, 0);
  const refused = takeSnapshot(registry).filter(({ name }) => name === 'telemetry.values.rejected');
  assert.deepEqual(
    refused.map((one) => [one.labels.instrument, 'value' in one ? one.value : undefined]),
    [
      ['c', 4],
      ['g', 3],
      ['h', 4],
    ],
  );
});

test('beyond the limit of series one more takes everything, and that is counted', () => {
  const registry = createRegistry({ maxSeriesPerInstrument: 1 });
  const instruments = ['x', 'y', 'z'].map((name) => registry.counter({ name, help: 'X.', labels: ['who'] }));
  for (const instrument of instruments) for (let i = 0; i < 10; i++) instrument.labels({ who: String(i) }).add();
  const text = renderPrometheus(registry);
  for (const name of ['x', 'y', 'z']) {
    assert.match(text, new RegExp(`^${name}_total\\{who="0"\\} 1$`, 'm'));
    assert.match(text, new RegExp(`^${name}_total\\{otel_metric_overflow="true"\\} 9$`, 'm'));
    assert.match(text, new RegExp(`^telemetry_series_dropped_total\\{instrument="${name}"\\} 9$`, 'm'));
  }
  assert.equal(text.match(/^x_total/gm)?.length, 2);
});

test('the text format: HELP and TYPE once, base units, escapes, cumulative buckets, a line end', () => {
  const registry = createRegistry();
  registry
    .counter({ name: 'http.requests', unit: '{request}', help: 'Requests\nwith a \\ in it.', labels: ['http.route'] })
    .labels({ 'http.route': 'a"b\\c\nd' })
    .add(1547);
  registry.gauge({ name: 'uptime', unit: 's', help: 'Up.' }).labels().set(3600);
  const duration = registry.histogram({
    name: 'voice.turn.duration',
    unit: 's',
    help: 'Turn.',
    labels: ['agent'],
    bounds: [0.1, 1],
  });
  for (const one of [0.05, 0.1, 0.5, 3]) duration.labels({ agent: 'a' }).record(one);
  assert.equal(
    renderPrometheus(registry),
    [
      '# HELP http_requests_total Requests\\nwith a \\\\ in it.',
      '# TYPE http_requests_total counter',
      'http_requests_total{http_route="a\\"b\\\\c\\nd"} 1547',
      '# HELP uptime_seconds Up.',
      '# TYPE uptime_seconds gauge',
      'uptime_seconds 3600',
      '# HELP voice_turn_duration_seconds Turn.',
      '# TYPE voice_turn_duration_seconds histogram',
      'voice_turn_duration_seconds_bucket{agent="a",le="0.1"} 2',
      'voice_turn_duration_seconds_bucket{agent="a",le="1"} 3',
      'voice_turn_duration_seconds_bucket{agent="a",le="+Inf"} 4',
      'voice_turn_duration_seconds_sum{agent="a"} 3.65',
      'voice_turn_duration_seconds_count{agent="a"} 4',
      '',
    ].join('\n'),
  );
  assert.match(PROMETHEUS_CONTENT_TYPE, /^text\/plain; version=0\.0\.4/);
});

test('names come out as a collector would store them', () => {
  const cases = [
    ['voice.turns', '{turn}', 'counter', 'voice_turns_total'],
    ['voice.turns', '1', 'counter', 'voice_turns_total'],
    ['a.total', '1', 'counter', 'a_total'],
    ['a.total.bytes', 'By', 'counter', 'a_bytes_total'],
    ['a.bytes.total', 'By', 'counter', 'a_bytes_total'],
    ['a.time', 's', 'counter', 'a_time_seconds_total'],
    ['g.plain', '1', 'gauge', 'g_plain_ratio'],
    ['g.ratio', '1', 'gauge', 'g_ratio'],
    ['g.percent', '%', 'gauge', 'g_percent'],
    ['g.pct', '%', 'gauge', 'g_pct_percent'],
    ['g.seconds', 's', 'gauge', 'g_seconds'],
    ['g.s', 's', 'gauge', 'g_s_seconds'],
    ['h.x', '1', 'histogram', 'h_x'],
    ['a..b__c', '', 'gauge', 'a_b_c'],
    ['c.bitrate', 'bit/s', 'histogram', 'c_bitrate_bit_per_second'],
    ['req', '{request}/s', 'counter', 'req_per_second_total'],
    ['n.sent', 'By/s', 'gauge', 'n_sent_bytes_per_second'],
    ['g.rate', '1/m', 'gauge', 'g_rate_per_minute'],
  ] as const;
  for (const [name, unit, kind, expected] of cases) assert.equal(prometheusName(name, unit, kind), expected, name);
});

test('mistakes in a declaration are refused at once', () => {
  const registry = createRegistry();
  registry.counter({ name: 'a.b', help: 'A.', labels: ['x'] });
  assert.doesNotThrow(() => registry.counter({ name: 'a.b', help: 'A.', labels: ['x'] }));
  const mistakes: [string, () => unknown][] = [
    ['other kind', () => registry.gauge({ name: 'a.b', help: 'A.', labels: ['x'] })],
    ['other labels', () => registry.counter({ name: 'a.b', help: 'A.' })],
    ['same exported name', () => registry.counter({ name: 'a_b', help: 'A.' })],
    ['labels that become one', () => registry.counter({ name: 'l', help: 'L.', labels: ['a.b', 'a_b'] })],
    ['reserved label', () => registry.histogram({ name: 'm', help: 'M.', labels: ['le'] })],
    ['bounds that fall', () => registry.histogram({ name: 'n', help: 'N.', bounds: [2, 1] })],
    ['no help', () => registry.counter({ name: 'o', help: '' })],
    ['bad name', () => registry.counter({ name: '1 p', help: 'P.' })],
    [
      'label that was not declared',
      () => registry.counter({ name: 'a.b', help: 'A.', labels: ['x'] }).labels({ y: '1' }),
    ],
    ['no series', () => createRegistry({ maxSeriesPerInstrument: 0 })],
  ];
  for (const [what, mistake] of mistakes) assert.throws(mistake, RangeError, what);
});

test('a snapshot is plain data and survives JSON', () => {
  const registry = createRegistry();
  const latency = registry.histogram({ name: 'audio.processing.latency', unit: 's', help: 'Latency.' }).labels();
  assert.equal(JSON.parse(JSON.stringify(takeSnapshot(registry)))[0].p50, null);
  for (let i = 1; i <= 100; i++) latency.record(i / 1000);
  const [entry] = JSON.parse(JSON.stringify(takeSnapshot(registry)));
  assert.equal(entry.count, 100);
  assert.ok(Math.abs(entry.p50 - 0.05) < 0.001 && Math.abs(entry.p99 - 0.099) < 0.001, JSON.stringify(entry));
});
