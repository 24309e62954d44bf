// Builds a real livekit-server with the Go toolchain into `.cache/livekit-server/`, for tests and proofs. Does nothing when it is there.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './steps.ts';

/** The release that this project is tested against. `go install` refuses 1.13.0 and 1.13.1: they have `replace` lines. */
const VERSION = '1.13.5';
const GO = { major: 1, minor: 26 };
const BUILD_SECONDS = 1200;
const PROGRESS_MS = 10_000;

const folder = join(root, '.cache', 'livekit-server');
const binary = join(folder, 'livekit-server');

async function versionOf(path: string): Promise<string | undefined> {
  if (!existsSync(path)) return undefined;
  const { code, output } = await run([path, '--version'], { limitSeconds: 20 });
  return code === 0 ? /version (\S+)/.exec(output)?.[1] : undefined;
}

/** What `go version` says, or what is missing. */
async function findGo(): Promise<{ found: true; text: string } | { found: false; why: string }> {
  const { code, output } = await run(['go', 'version'], { limitSeconds: 20 }).catch((error: Error) => ({
    code: null,
    output: error.message,
  }));
  const [, major, minor] = /go version go(\d+)\.(\d+)/.exec(output) ?? [];
  if (code !== 0 || major === undefined || minor === undefined) {
    return { found: false, why: 'there is no `go` on the PATH' };
  }
  const isOld = Number(major) < GO.major || (Number(major) === GO.major && Number(minor) < GO.minor);
  if (isOld) return { found: false, why: `\`go\` is ${major}.${minor}` };
  return { found: true, text: output.trim() };
}

/** Runs the build and says every few seconds that it still goes on. */
function build(): Promise<{ code: number | null; output: string }> {
  const started = performance.now();
  const child = spawn('go', ['install', `github.com/livekit/livekit-server/cmd/server@v${VERSION}`], {
    env: { ...process.env, GOBIN: folder, CGO_ENABLED: '0', GOFLAGS: '-trimpath -ldflags=-s' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let modules = 0;
  const collect = (bytes: Buffer) => {
    const text = bytes.toString();
    modules += text.split('go: downloading ').length - 1;
    output = (output + text).slice(-20_000);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const progress = setInterval(() => {
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(`  ${seconds} s, ${modules} modules fetched`);
  }, PROGRESS_MS);
  const limit = setTimeout(() => child.kill('SIGKILL'), BUILD_SECONDS * 1000);
  return new Promise((resolve, reject) => {
    const end = () => {
      clearInterval(progress);
      clearTimeout(limit);
    };
    child.once('error', (error) => {
      end();
      reject(error);
    });
    child.once('close', (code) => {
      end();
      resolve({ code, output });
    });
  });
}

async function main(): Promise<number> {
  if ((await versionOf(binary)) === VERSION) {
    console.log(`livekit-server ${VERSION} is there: ${binary}`);
    return 0;
  }
  const go = await findGo();
  if (!go.found) {
    console.error(
      `Cannot build livekit-server ${VERSION}: ${go.why}.\n` +
        `Install Go ${GO.major}.${GO.minor} or later (https://go.dev/dl) and run this again, or put a livekit-server\n` +
        `${VERSION} of your own at ${binary}. Tests that need a real server are skipped until then.`,
    );
    return 1;
  }
  mkdirSync(folder, { recursive: true });
  console.log(`Building livekit-server ${VERSION} with ${go.text} (100 s from nothing on two cores) ...`);
  const started = performance.now();
  const { code, output } = await build();
  const built = join(folder, 'server');
  if (code !== 0 || !existsSync(built)) {
    console.error(`go install failed (exit code ${code}):\n${output.slice(-4000)}`);
    return 1;
  }
  const version = await versionOf(built);
  if (version !== VERSION) {
    console.error(`The program that was built says version ${version ?? 'nothing'}, wanted ${VERSION}`);
    return 1;
  }
  renameSync(built, binary);
  console.log(`livekit-server ${VERSION} after ${Math.round((performance.now() - started) / 1000)} s: ${binary}`);
  return 0;
}

process.exit(await main());
