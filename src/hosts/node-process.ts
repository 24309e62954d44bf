// What Bun, Deno and Node share through `node:process`: output, signals, environment, exit, and the run of the command line.
import { lookup } from 'node:dns/promises';
import process from 'node:process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setImmediate } from 'node:timers';
import { missingModule, moduleError } from './module-error.ts';
import { compression } from './node-compression.ts';
import { followParent, startAgain } from './node-children.ts';
import { openDataFolder, readFolder } from './node-data-folder.ts';
import { createFacts } from './node-facts.ts';
import { createFiles } from './node-files.ts';
import type { Host, Main } from './port.ts';

/** Everything of a host that does not differ between Bun, Deno and Node. */
export function createProcessHost(): Omit<Host, 'name' | 'version' | 'importModule' | 'serve'> {
  // A reader that goes away (`syrinx ... | head`) is no reason to fall over.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  return {
    platform: `${process.platform}-${process.arch}`,
    pid: process.pid,
    env: process.env,
    workingDirectory: process.cwd(),
    files: createFiles(),
    facts: createFacts(),
    print: (text) => console.log(text),
    printError: (text) => console.error(text),
    onSignal,
    openDataFolder,
    readFolder,
    compression,
    pause: (ms = 0) => new Promise((resolve) => (ms > 0 ? setTimeout(resolve, ms) : setImmediate(resolve))),
    post: (url, { headers, body, signal }) =>
      fetch(url, { method: 'POST', headers: { ...headers }, body, redirect: 'manual', signal }),
    async resolve(hostname) {
      const found = await lookup(hostname, { all: true });
      return found.map(({ address }) => address);
    },
    startAgain,
    followParent,
    setEnvironment: (name, value) => void (process.env[name] ??= value),
    exit: (code) => process.exit(code),
  };
}

function onSignal(handler: (name: 'SIGINT' | 'SIGTERM') => void): () => void {
  const onInterrupt = () => handler('SIGINT');
  const onTerminate = () => handler('SIGTERM');
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  return () => {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
  };
}

/** Imports a user's file by its absolute URL; errors come out naming the file. */
export async function importFile(path: string, files: Host['files']): Promise<Record<string, unknown>> {
  const absolute = resolve(path);
  if (!(await files.exists(absolute))) throw missingModule(absolute);
  try {
    return await import(pathToFileURL(absolute).href);
  } catch (error) {
    throw moduleError(absolute, error);
  }
}

/** Runs the command line and leaves with its code; what escapes it is printed, with code 1. */
export function runMain(host: Host, load: () => Promise<{ main: Main }>, args: readonly string[]): void {
  load()
    .then(({ main }) => main(host, args))
    .then(
      (code) => host.exit(code),
      (error: unknown) => {
        host.printError(error instanceof Error ? (error.stack ?? error.message) : String(error));
        host.exit(1);
      },
    );
}
