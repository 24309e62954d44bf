// A host that lives in memory: what was printed can be read, files are strings, nothing else is there.
import type { Host } from '../../src/hosts/port.ts';

export interface FakeHost extends Host {
  readonly out: string[];
  readonly errors: string[];
}

export function createFakeHost(
  given: { env?: Record<string, string>; files?: Record<string, string | Uint8Array> } = {},
): FakeHost {
  const out: string[] = [];
  const errors: string[] = [];
  const missing = (path: string) => Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT', path });
  const absent = (what: string) => (): never => {
    throw new Error(`The fake host has no ${what}`);
  };
  return {
    out,
    errors,
    name: 'node',
    version: '0.0.0',
    platform: 'test',
    pid: 1,
    env: given.env ?? {},
    workingDirectory: '/',
    files: {
      async read(path) {
        const found = given.files?.[path];
        if (found === undefined) throw missing(path);
        return typeof found === 'string' ? new TextEncoder().encode(found) : found;
      },
      write: absent('disk to write on'),
      checkWritable: absent('disk to write on'),
      open: absent('disk to write on'),
      exists: async (path) => given.files?.[path] !== undefined,
    },
    facts: {
      memoryBytes: () => null,
      memoryLimitBytes: () => null,
      cpuMicros: () => null,
      cores: () => null,
      loadAverage: () => null,
      diskUsage: () => null,
    },
    print: (text) => out.push(text),
    printError: (text) => errors.push(text),
    onSignal: () => () => {},
    importModule: absent('modules'),
    serve: absent('network'),
    openDataFolder: absent('disk to write on'),
    readFolder: absent('disk to read from'),
    pause: async () => {},
    post: absent('network'),
    resolve: absent('network'),
    setEnvironment() {},
    startAgain: absent('processes'),
    followParent: absent('parent'),
    exit: absent('way out'),
  };
}
