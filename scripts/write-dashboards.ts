// Writes the dashboards under deploy/: `bun scripts/write-dashboards.ts`. A test holds the files to what this makes.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { datadogDashboard, grafanaDashboard } from './metrics/dashboards.ts';
import { root } from './steps.ts';

const write = (name: string, value: object): void =>
  writeFileSync(join(root, 'deploy', name), `${JSON.stringify(value, undefined, 2)}\n`);
write('grafana-dashboard.json', grafanaDashboard());
write('datadog-dashboard.json', datadogDashboard());
