// Builds dist/syrinx, the whole program as one file. `bun scripts/build-binary.ts [--target x64|arm64] [--out FILE] [--entry FILE]`.
// EXECUTABLE_PATH: a Bun binary of the target to build on, where the registry is out of reach.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const ownArchitecture = process.arch === 'arm64' ? 'arm64' : 'x64';
const { values } = parseArgs({
  options: { target: { type: 'string' }, out: { type: 'string' }, entry: { type: 'string' } },
});
const architecture = values.target ?? ownArchitecture;
if (architecture !== 'x64' && architecture !== 'arm64') {
  console.error(`Unknown target "${architecture}": use x64 or arm64`);
  process.exit(2);
}
const isForeign = architecture !== ownArchitecture;
const outfile = resolve(values.out ?? join(root, 'dist', isForeign ? `syrinx-${architecture}` : 'syrinx'));
const entry = resolve(root, values.entry ?? 'src/hosts/bun.ts');
if (!existsSync(entry)) {
  console.error(`Cannot build: there is no ${relative(root, entry)}`);
  process.exit(1);
}

/** Set when something that is built in reaches the LiveKit addon; it is embedded only then. */
let withAddon = false;

const started = performance.now();
mkdirSync(dirname(outfile), { recursive: true });
// A running binary cannot be overwritten, only replaced.
rmSync(outfile, { force: true });
try {
  const result = await Bun.build({
    entrypoints: [entry],
    // A .env or bunfig.toml of the working directory must not reach into the program: the latter can run code.
    compile: {
      outfile,
      autoloadDotenv: false,
      autoloadBunfig: false,
      ...(isForeign ? { target: `bun-linux-${architecture}` as Bun.Build.CompileTarget } : {}),
      ...(process.env.EXECUTABLE_PATH ? { executablePath: process.env.EXECUTABLE_PATH } : {}),
    },
    format: 'esm',
    // Written into the code by the bundler, as "development" unless it is told: LiveKit's library would chatter.
    define: { 'process.env.NODE_ENV': '"production"' },
    minify: true,
    bytecode: true,
    sourcemap: 'linked',
    plugins: [
      {
        name: 'rtc-addon',
        setup(build) {
          build.onResolve({ filter: /^__RTC_ADDON_FILE__$/ }, () => {
            withAddon = true;
            // Throws when the package of this target is not installed: better now than in a call.
            const path = Bun.resolveSync(
              `@livekit/rtc-ffi-bindings-linux-${architecture}-gnu/rtc-node.linux-${architecture}-gnu.node`,
              root,
            );
            return { path, namespace: 'rtc-file' };
          });
          build.onLoad({ filter: /.*/, namespace: 'rtc-file' }, ({ path }) => ({
            loader: 'file',
            contents: new Uint8Array(readFileSync(path)),
          }));
          build.onLoad({ filter: /rtc-ffi-bindings\/native\.js$/ }, () => ({
            loader: 'js',
            contents: readFileSync(join(root, 'scripts', 'native-shim.cjs'), 'utf8'),
          }));
        },
      },
    ],
  });
  for (const log of result.logs) console.error(Bun.inspect(log));
  if (!result.success) process.exit(1);
} catch (error) {
  console.error(error instanceof AggregateError ? error.errors.map(String).join('\n') : String(error));
  process.exit(1);
}
const megabytes = (statSync(outfile).size / 1e6).toFixed(1);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  `${relative(process.cwd(), outfile)}: ${megabytes} MB, ${architecture}, LiveKit addon ${withAddon ? 'inside' : 'not needed'}, ${seconds} s`,
);
