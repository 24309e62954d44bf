// Compares the alert engine with Prometheus' own on random cases: `bun scripts/compare-alert-states.ts [--count N] [--seed N] [--counters]`.
// Needs Go (1.26): the first run builds Prometheus' rules engine into `.cache/observability/alert-states`, in about two minutes.
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { labelsKey } from '../src/ops/alerts/labels.ts';
import { evaluate } from '../test/ops/alert-truth.ts';
import { type RandomCase, randomCase } from './alerts/random-cases.ts';
import { root, run } from './steps.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    counters: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const PROMETHEUS = 'v0.316.0';
const SHOWN = 5;
const program = join(root, '.cache', 'observability', 'alert-states');

interface States {
  readonly labels: Readonly<Record<string, string>>;
  readonly states: string;
}

if (!existsSync(program)) await build();
const cases = Array.from({ length: Number(values.count) }, (_, i) =>
  randomCase(Number(values.seed) + i, values.counters),
);
const truth = await statesOf(cases);
if (values.json) {
  for (const [i, one] of cases.entries()) console.log(JSON.stringify({ ...one, alerts: truth[i] }));
  process.exit(0);
}
let failed = 0;
for (const [i, one] of cases.entries()) {
  const wanted = text(truth[i] ?? [], expanded);
  const given = text(evaluate(structuredClone(one)), (states) => states);
  if (wanted === given) continue;
  if (failed++ < SHOWN) console.log(`${one.id}: ${JSON.stringify(one.rule)}\n  want ${wanted}\n  got  ${given}`);
}
const active = truth.filter((alerts) => alerts.length > 0).length;
console.log(`cases in which something was pending or firing: ${active}`);
console.log(`${cases.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 && active > 0 ? 0 : 1);

function expanded(states: string): string {
  return states.replace(/(\d+)(.)/g, (_, times: string, letter: string) => letter.repeat(Number(times)));
}

function text(alerts: readonly States[], states: (coded: string) => string): string {
  const lines = alerts.map((one) => JSON.stringify([labelsKey(one.labels), states(one.states)]));
  return lines.sort().join('\n');
}

function statesOf(asked: readonly RandomCase[]): Promise<States[][]> {
  return new Promise((done, fail) => {
    const child = spawn(program, { stdio: ['pipe', 'pipe', 'ignore'] });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      out += part;
    });
    child.on('error', fail);
    child.on('close', () =>
      done(
        out
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as States[]),
      ),
    );
    child.stdin.end(asked.map((one) => JSON.stringify(one)).join('\n'));
  });
}

async function build(): Promise<void> {
  const folder = join(root, '.cache', 'observability', '.states');
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(root, 'scripts', 'alerts', 'prometheus-states.go'), join(folder, 'main.go'));
  const go = [
    'set -e',
    `cd '${folder}'`,
    '[ -f go.mod ] || go mod init states',
    `go get github.com/prometheus/prometheus@${PROMETHEUS}`,
    'go mod tidy',
    `go build -o '${program}' .`,
  ];
  const built = await run(['sh', '-c', go.join('\n')], { limitSeconds: 900 });
  if (built.code !== 0) {
    console.log(built.output);
    process.exit(1);
  }
  rmSync(folder, { recursive: true, force: true });
}
