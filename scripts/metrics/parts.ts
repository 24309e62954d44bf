// The real receivers on loopback: Prometheus, VictoriaMetrics, an OpenTelemetry collector, with the shipped configuration.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { root } from '../steps.ts';

const folder = join(root, '.cache', 'observability');
export const program = (name: string): string => join(folder, name);
export const missing = (names: readonly string[]): string[] => names.filter((name) => !existsSync(program(name)));

const running = new Set<ChildProcess>();
export const workFolder = mkdtempSync(join(tmpdir(), 'syrinx-metrics-'));

export function start(
  command: readonly string[],
  env: Record<string, string> = {},
): ChildProcess & { output(): string } {
  const [name = '', ...args] = command;
  const child = spawn(name, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (bytes: Buffer) => {
    output = (output + bytes.toString()).slice(-1_000_000);
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return Object.assign(child, { output: () => output });
}

/** Ends what was started here, and takes its files away. */
export function stopAll(): void {
  for (const child of running) child.kill('SIGKILL');
  rmSync(workFolder, { recursive: true, force: true });
}

export async function until(what: string, limitMs: number, is: () => Promise<boolean> | boolean): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await Promise.resolve(is()).catch(() => false))) {
    if (performance.now() > endMs) throw new Error(`Not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** On other machines in earnest: here they must not take the time of the calls that are measured. */
const startReceiver = (command: readonly string[]) => start(['nice', '-n', '19', ...command]);

const answers = async (url: string): Promise<boolean> => (await fetch(url)).ok;
const shipped = (name: string): string => readFileSync(join(root, 'deploy', name), 'utf8');
/** Replaces what a machine decides; a text that is not there any more is a mistake. */
function replaced(text: string, pairs: readonly (readonly [string, string])[]): string {
  for (const [from, to] of pairs) {
    if (!text.includes(from)) throw new Error(`A shipped file has no '${from}'`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** The shipped configuration, with this target and a scrape each second. */
export async function startPrometheus(targetPort: number, token: string): Promise<string> {
  const config = join(workFolder, 'prometheus.yaml');
  const port = await freePort();
  writeFileSync(
    config,
    replaced(shipped('prometheus.yaml'), [
      ['15s', '1s'],
      ['127.0.0.1:8080', `127.0.0.1:${targetPort}`],
    ]),
  );
  writeFileSync(join(workFolder, 'prometheus-rules.yaml'), shipped('prometheus-rules.yaml'));
  writeFileSync(join(workFolder, 'syrinx-token'), token);
  const child = startReceiver([
    program('prometheus'),
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(workFolder, 'prometheus')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-otlp-receiver',
    '--log.level=warn',
  ]);
  await until(`Prometheus is ready:\n${child.output()}`, 20_000, () => answers(`http://127.0.0.1:${port}/-/ready`));
  return `http://127.0.0.1:${port}`;
}

export async function startVictoriaMetrics(): Promise<string> {
  const port = await freePort();
  startReceiver([
    program('victoria-metrics'),
    `-storageDataPath=${join(workFolder, 'victoria')}`,
    `-httpListenAddr=127.0.0.1:${port}`,
    '-opentelemetry.usePrometheusNaming',
    '-loggerLevel=ERROR',
  ]);
  await until('VictoriaMetrics is ready', 20_000, () => answers(`http://127.0.0.1:${port}/health`));
  return `http://127.0.0.1:${port}`;
}

export interface Collector {
  readonly receive: string;
  readonly page: string;
  kill(): void;
  output(): string;
}

/** The shipped configuration; it passes on to `prometheus` and serves a page of its own. */
export async function startCollector(prometheus: string, receivePort: number): Promise<Collector> {
  const pagePort = await freePort();
  const config = join(workFolder, `collector-${pagePort}.yaml`);
  writeFileSync(
    config,
    replaced(shipped('otel-collector.yaml'), [
      ['127.0.0.1:4318', `127.0.0.1:${receivePort}`],
      ['127.0.0.1:8889', `127.0.0.1:${pagePort}`],
      ['http://127.0.0.1:9090', prometheus],
    ]),
  );
  const child = startReceiver([program('otelcol'), '--config', config]);
  await until(`the collector is ready:\n${child.output()}`, 20_000, () =>
    answers(`http://127.0.0.1:${pagePort}/metrics`),
  );
  return {
    receive: `http://127.0.0.1:${receivePort}/v1/metrics`,
    page: `http://127.0.0.1:${pagePort}/metrics`,
    kill: () => child.kill('SIGKILL'),
    output: child.output,
  };
}
