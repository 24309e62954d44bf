// The shipped dashboards, made from the list of panels: Grafana's classic model (imports everywhere) and Datadog's.
import { ROWS } from './dashboard-panels.ts';

const SELECTION = 'job=~"$job", instance=~"$instance"';
/** What Grafana puts in, for a check without it. */
export interface Variables {
  readonly job: string;
  readonly instance: string;
  readonly rateInterval: string;
}

/** Every expression with its variables filled in. */
export function filledQueries(variables: Variables): { readonly panel: string; readonly promql: string }[] {
  return ROWS.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) =>
      queries.map(({ promql }) => ({
        panel: title,
        promql: expression(promql)
          .replaceAll('$__rate_interval', variables.rateInterval)
          .replaceAll('$job', variables.job)
          .replaceAll('$instance', variables.instance),
      })),
    ),
  );
}

/** `{a="b",$S}` and `{$S}` become selections. */
function expression(promql: string): string {
  return promql.replaceAll('$S', SELECTION);
}

const datasource = { type: 'prometheus', uid: '${DS_PROMETHEUS}' };
const WIDTH = 24;
const COLUMNS = 4;
const HEIGHT = 8;

export function grafanaDashboard(): object {
  const panels: object[] = [];
  let id = 1;
  let y = 0;
  for (const row of ROWS) {
    panels.push({
      id: id++,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: WIDTH, h: 1 },
      panels: [],
    });
    y++;
    row.panels.forEach((panel, i) => {
      const w = WIDTH / COLUMNS;
      panels.push({
        id: id++,
        type: 'timeseries',
        title: panel.title,
        description: panel.description,
        datasource,
        gridPos: { x: (i % COLUMNS) * w, y: y + Math.floor(i / COLUMNS) * HEIGHT, w, h: HEIGHT },
        fieldConfig: { defaults: { unit: panel.unit, min: 0, custom: { spanNulls: false } }, overrides: [] },
        options: {
          legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
          tooltip: { mode: 'multi', sort: 'none' },
        },
        targets: panel.queries.map(({ legend, promql }, at) => ({
          refId: String.fromCharCode(65 + at),
          datasource,
          editorMode: 'code',
          expr: expression(promql),
          legendFormat: legend,
          range: true,
        })),
      });
    });
    y += Math.ceil(row.panels.length / COLUMNS) * HEIGHT;
  }
  const variable = (name: string, label: string, query: string) => ({
    name,
    label,
    type: 'query',
    datasource,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    includeAll: true,
    allValue: '.+',
    multi: true,
    sort: 1,
    current: { selected: true, text: ['All'], value: ['$__all'] },
    options: [],
    hide: 0,
    regex: '',
    skipUrlSync: false,
  });
  return {
    uid: 'syrinx',
    title: 'Syrinx',
    description: 'Calls, what callers hear, audio, models and the machine.',
    tags: ['syrinx', 'voice'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    timepicker: {},
    fiscalYearStartMonth: 0,
    liveNow: false,
    weekStart: '',
    links: [],
    annotations: {
      list: [
        {
          name: 'Alerts',
          datasource,
          enable: true,
          iconColor: 'red',
          expr: 'ALERTS{alertstate="firing", job=~"$job"}',
          titleFormat: '{{alertname}}',
          step: '10s',
        },
      ],
    },
    templating: {
      list: [
        {
          name: 'DS_PROMETHEUS',
          label: 'Prometheus',
          type: 'datasource',
          query: 'prometheus',
          refresh: 1,
          includeAll: false,
          multi: false,
          current: { selected: false, text: '', value: '' },
          options: [],
          hide: 0,
          regex: '',
          skipUrlSync: false,
        },
        variable('job', 'Job', 'label_values(syrinx_sessions_active, job)'),
        variable('instance', 'Process', 'label_values(syrinx_sessions_active{job=~"$job"}, instance)'),
      ],
    },
    panels,
  };
}

/** `POST /api/v1/dashboard`, or the import of Datadog's page. */
export function datadogDashboard(): object {
  const request = (query: string, i: number) => ({
    response_format: 'timeseries',
    queries: [{ data_source: 'metrics', name: `query${i + 1}`, query }],
    formulas: [{ formula: `query${i + 1}` }],
    display_type: 'line',
  });
  return {
    title: 'Syrinx',
    description: 'Calls, what callers hear, audio, models and the machine. Metrics come over OTLP, as deltas.',
    layout_type: 'ordered',
    template_variables: [
      { name: 'service', prefix: 'service', available_values: [], default: '*' },
      { name: 'env', prefix: 'env', available_values: [], default: '*' },
    ],
    widgets: ROWS.map(({ title, panels }) => ({
      definition: {
        type: 'group',
        layout_type: 'ordered',
        title,
        widgets: panels
          .filter(({ datadog }) => datadog !== undefined)
          .map((panel) => ({
            definition: {
              type: 'timeseries',
              title: panel.title,
              show_legend: true,
              requests: (panel.datadog ?? []).map(request),
            },
          })),
      },
    })),
  };
}
