// Builds Prometheus, VictoriaMetrics, Alertmanager and an OpenTelemetry collector with the Go toolchain into `.cache/observability/`,
// for tests and proofs. Builds only what is missing: `--only NAME` (may be repeated) picks, `--keep-caches` keeps Go's caches.
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './steps.ts';

const GO = { major: 1, minor: 26 };
const BUILD_SECONDS = 1500;
const PROGRESS_MS = 10_000;

const folder = join(root, '.cache', 'observability');
const work = join(folder, '.build');
const stampPath = join(folder, 'versions.json');

interface Part {
  readonly name: string;
  readonly version: string;
  /** Programs that it consists of. */
  readonly programs: readonly string[];
  /** From nothing on two cores. */
  readonly seconds: number;
  build(go: string): Promise<string | undefined>;
}

const buildEnvironment = {
  GOBIN: join(work, 'bin'),
  GOMODCACHE: join(work, 'modules'),
  GOCACHE: join(work, 'objects'),
  // -modcacherw: the caches are thrown away with a plain delete.
  GOFLAGS: '-modcacherw -trimpath',
  CGO_ENABLED: '0',
};

/** Runs a build step, says every few seconds that it goes on; answers with the end of its output when it failed. */
function step(command: readonly string[], cwd = root): Promise<string | undefined> {
  const started = performance.now();
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...buildEnvironment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (bytes: Buffer): void => {
    output = (output + bytes.toString()).slice(-20_000);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const progress = setInterval(() => {
    console.log(`  ${Math.round((performance.now() - started) / 1000)} s`);
  }, PROGRESS_MS);
  const limit = setTimeout(() => child.kill('SIGKILL'), BUILD_SECONDS * 1000);
  return new Promise((resolve) => {
    const end = (failure: string | undefined): void => {
      clearInterval(progress);
      clearTimeout(limit);
      resolve(failure);
    };
    child.once('error', (error) => end(error.message));
    child.once('close', (code) => end(code === 0 ? undefined : `exit code ${code}\n${output.slice(-4000)}`));
  });
}

/** Copies a module to where it may be changed. */
async function copyModule(go: string, module: string, to: string): Promise<string | undefined> {
  mkdirSync(work, { recursive: true });
  const found = await run([go, 'mod', 'download', '-json', module], { limitSeconds: 300, env: buildEnvironment });
  const directory = /"Dir": "(.*)"/.exec(found.output)?.[1];
  if (found.code !== 0 || directory === undefined) return found.output.slice(-4000);
  rmSync(to, { recursive: true, force: true });
  cpSync(directory, to, { recursive: true });
  return undefined;
}

const COLLECTOR = '0.155.0';
const collectorManifest = (to: string): string => `dist:
  name: otelcol
  description: OpenTelemetry collector with the parts that the tests use
  version: ${COLLECTOR}
  output_path: ${to}
receivers:
  - gomod: go.opentelemetry.io/collector/receiver/otlpreceiver v${COLLECTOR}
processors:
  - gomod: go.opentelemetry.io/collector/processor/batchprocessor v${COLLECTOR}
  - gomod: go.opentelemetry.io/collector/processor/memorylimiterprocessor v${COLLECTOR}
  - gomod: github.com/open-telemetry/opentelemetry-collector-contrib/processor/deltatocumulativeprocessor v${COLLECTOR}
exporters:
  - gomod: go.opentelemetry.io/collector/exporter/debugexporter v${COLLECTOR}
  - gomod: go.opentelemetry.io/collector/exporter/otlphttpexporter v${COLLECTOR}
  - gomod: github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusexporter v${COLLECTOR}
`;

const version = (module: string, value: string): string => `-s -w -X ${module}.Version=${value}`;
const prometheusVersion = 'github.com/prometheus/common/version';

const parts: readonly Part[] = [
  {
    name: 'victoria-metrics',
    version: '1.151.0',
    programs: ['victoria-metrics'],
    seconds: 26,
    build: (go) =>
      step([
        go,
        'install',
        '-ldflags',
        version('github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo', 'victoria-metrics-1.151.0'),
        'github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics@v1.151.0',
      ]),
  },
  {
    name: 'prometheus',
    version: '3.16.0',
    programs: ['prometheus', 'promtool'],
    seconds: 150,
    // A release 3.x.y is the module v0.3xx.y; the tag leaves out the cloud service discoveries.
    build: (go) =>
      step([
        go,
        'install',
        '-tags',
        'remove_all_sd,netgo',
        '-ldflags',
        version(prometheusVersion, '3.16.0'),
        'github.com/prometheus/prometheus/cmd/prometheus@v0.316.0',
        'github.com/prometheus/prometheus/cmd/promtool@v0.316.0',
      ]),
  },
  {
    name: 'alertmanager',
    version: '0.34.2',
    programs: ['alertmanager', 'amtool'],
    seconds: 60,
    async build(go) {
      const source = join(work, 'alertmanager');
      const failed = await copyModule(go, 'github.com/prometheus/alertmanager@v0.34.2', source);
      if (failed !== undefined) return failed;
      // It embeds its page, which a module does not carry.
      mkdirSync(join(source, 'ui', 'app', 'dist'), { recursive: true });
      writeFileSync(join(source, 'ui', 'app', 'dist', 'index.html'), '<!doctype html>\n');
      mkdirSync(buildEnvironment.GOBIN, { recursive: true });
      const flags = version(prometheusVersion, '0.34.2');
      return step(
        [go, 'build', '-ldflags', flags, '-o', `${buildEnvironment.GOBIN}/`, './cmd/alertmanager', './cmd/amtool'],
        source,
      );
    },
  },
  {
    name: 'otelcol',
    version: COLLECTOR,
    programs: ['otelcol'],
    seconds: 92,
    async build(go) {
      const failed = await step([go, 'install', `go.opentelemetry.io/collector/cmd/builder@v${COLLECTOR}`]);
      if (failed !== undefined) return failed;
      const to = join(work, 'otelcol');
      const manifest = join(work, 'otelcol.yaml');
      writeFileSync(manifest, collectorManifest(to));
      const failedToo = await step([join(buildEnvironment.GOBIN, 'builder'), '--config', manifest]);
      if (failedToo !== undefined) return failedToo;
      renameSync(join(to, 'otelcol'), join(buildEnvironment.GOBIN, 'otelcol'));
      return undefined;
    },
  },
];

/** The program `go`, from the PATH or where its installer puts it, or what is missing. */
async function findGo(): Promise<{ program: string; text: string } | { why: string }> {
  let why = 'there is no `go` on the PATH';
  for (const program of ['go', '/usr/local/go/bin/go']) {
    const { code, output } = await run([program, 'version'], { limitSeconds: 20 });
    const [, major, minor] = /go version go(\d+)\.(\d+)/.exec(output) ?? [];
    if (code !== 0 || major === undefined || minor === undefined) continue;
    const isOld = Number(major) < GO.major || (Number(major) === GO.major && Number(minor) < GO.minor);
    if (!isOld) return { program, text: output.trim() };
    why = `\`go\` is ${major}.${minor}`;
  }
  return { why };
}

/** Versions of what was built here. */
function stamps(): Record<string, string> {
  try {
    return JSON.parse(readFileSync(stampPath, 'utf8'));
  } catch {
    return {};
  }
}

const isThere = (part: Part): boolean =>
  stamps()[part.name] === part.version && part.programs.every((program) => existsSync(join(folder, program)));

async function install(part: Part, go: string): Promise<boolean> {
  console.log(`Building ${part.name} ${part.version} (about ${part.seconds} s from nothing on two cores) ...`);
  const started = performance.now();
  const failure = await part.build(go);
  if (failure !== undefined) {
    console.error(`${part.name} could not be built: ${failure}`);
    return false;
  }
  for (const program of part.programs) {
    const built = join(buildEnvironment.GOBIN, program);
    chmodSync(built, 0o755);
    renameSync(built, join(folder, program));
  }
  writeFileSync(stampPath, `${JSON.stringify({ ...stamps(), [part.name]: part.version }, undefined, 2)}\n`);
  console.log(`${part.name} ${part.version} after ${Math.round((performance.now() - started) / 1000)} s`);
  return true;
}

async function main(args: readonly string[]): Promise<number> {
  const wanted: string[] = [];
  let keepsCaches = false;
  for (let at = 0; at < args.length; at += 1) {
    if (args[at] === '--keep-caches') keepsCaches = true;
    else if (args[at] === '--only') wanted.push(args[(at += 1)] ?? '');
    else {
      console.error(`Unknown argument ${args[at]}. Usage: install-observability.ts [--only NAME]... [--keep-caches]`);
      return 2;
    }
  }
  // A program's name means the part that it comes with.
  const named = (part: Part): boolean =>
    wanted.includes(part.name) || part.programs.some((one) => wanted.includes(one));
  const unknown = wanted.filter((name) => !parts.some((part) => part.name === name || part.programs.includes(name)));
  if (unknown.length > 0) {
    console.error(`Unknown part ${unknown.join(', ')}: there are ${parts.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const chosen = parts.filter((part) => wanted.length === 0 || named(part));
  const missing = chosen.filter((part) => !isThere(part));
  for (const part of chosen) if (!missing.includes(part)) console.log(`${part.name} ${part.version} is there`);
  if (missing.length === 0) return 0;

  const go = await findGo();
  if ('why' in go) {
    console.error(
      `Cannot build ${missing.map(({ name }) => name).join(', ')}: ${go.why}.\n` +
        `Install Go ${GO.major}.${GO.minor} or later (https://go.dev/dl) and run this again. Tests that need these\n` +
        'programs are skipped until then.',
    );
    return 1;
  }
  mkdirSync(folder, { recursive: true });
  console.log(go.text);
  let ok = true;
  for (const part of missing) ok = (await install(part, go.program)) && ok;
  if (!keepsCaches) rmSync(work, { recursive: true, force: true });
  return ok ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
