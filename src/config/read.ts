// Reads the configuration of this process: which file, through which host.
import { FILE_VARIABLES } from './aliases.ts';
import { ConfigError } from './errors.ts';
import type { FileSource } from './file-values.ts';
import { type LoadedConfig, loadConfig, type Sources } from './load.ts';

/** What of a host is asked: its environment and its disk. */
export interface ConfigHost {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly files: { read(path: string): Promise<Uint8Array> };
}

const MAX_FILE_BYTES = 1_000_000;

/** `file`: what `--config` says; without it SYRINX_CONFIG is asked. Throws `ConfigError`. */
export async function readConfig(
  host: ConfigHost,
  file: string | undefined,
  flags?: Sources['flags'],
): Promise<LoadedConfig> {
  const variable = FILE_VARIABLES.find((name) => (host.env[name] ?? '') !== '');
  const path = file ?? (variable === undefined ? undefined : host.env[variable]);
  const origin = file === undefined ? `environment ${variable}` : 'command line';
  const source = path === undefined ? undefined : await readFile(host, path, origin);
  return loadConfig({ file: source, environment: host.env, flags });
}

async function readFile(host: Pick<ConfigHost, 'files'>, path: string, origin: string): Promise<FileSource> {
  let bytes: Uint8Array;
  try {
    bytes = await host.files.read(path);
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code;
    const reason =
      code === 'ENOENT'
        ? 'file does not exist'
        : `file can not be read (${typeof code === 'string' ? code : 'unknown reason'})`;
    throw new ConfigError([`${path}: ${reason} (${origin})`]);
  }
  if (bytes.length > MAX_FILE_BYTES)
    throw new ConfigError([`${path}: larger than ${MAX_FILE_BYTES} bytes (${origin})`]);
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    throw new ConfigError([`${path}: is not UTF-8 text (${origin})`]);
  }
}
