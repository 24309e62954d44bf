// The history in a data directory, read while nobody or somebody else writes it: of one process, or of several as one.
import type { FolderReader, Host } from '../../hosts/port.ts';
import { type HistorySource, mergedSource, openHistoryFolder } from '../../ops/history/index.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { systemProblem, UserError } from '../user-error.ts';

const PROCESS = /^process-(\d+)$/;
/** Files that only a folder of history has. */
const HISTORY_FILE = /^(?:format\.json|(?:seconds|minutes)-.*\.block|journal-.*\.log)$/;

/** `path` is a data directory, or its `history` folder. Throws a `UserError` that says what is wrong with it. */
export async function historyOfFolder({ host, log }: CommandContext, path: string): Promise<HistorySource> {
  const root = path.replace(/\/+$/, '') || '/';
  const names = await listed(host, root);
  if (names.some((name) => HISTORY_FILE.test(name))) return await opened(root);
  const parts = new Map<string, string>();
  if (names.includes('history')) parts.set('alone', `${root}/history`);
  for (const name of names) {
    const number = PROCESS.exec(name)?.[1];
    if (number !== undefined && (await listed(host, `${root}/${name}`)).includes('history'))
      parts.set(number, `${root}/${name}/history`);
  }
  if (parts.size === 0) throw refusal(root, 'holds no history: wanted a data directory with history/ in it');
  const sources = new Map<string, HistorySource>();
  for (const [process, folder] of parts) sources.set(process, await opened(folder));
  const [only] = sources.values();
  return sources.size === 1 && only !== undefined ? only : mergedSource(sources);

  async function opened(folder: string): Promise<HistorySource> {
    const reader: FolderReader = await host.readFolder(folder).catch(systemProblem('Cannot read the history', folder));
    const options = {
      compression: host.compression,
      now: () => performance.now(),
      epochMs: Date.now,
      pause: () => host.pause(),
      tell: (_: unknown, message: string, fields: Readonly<Record<string, unknown>>) => log.warn(message, fields),
    };
    return await openHistoryFolder(reader, options).catch((error: unknown) => {
      throw refusal(folder, error instanceof Error ? error.message : String(error), error);
    });
  }
}

async function listed(host: Host, path: string): Promise<readonly string[]> {
  const folder = await host.readFolder(path).catch(systemProblem('Cannot read the history', `--dir: ${path}`));
  return await folder.list();
}

function refusal(path: string, reason: string, cause?: unknown): UserError {
  const text = reason.startsWith(path) ? reason : `${path}: ${reason}`;
  return new UserError('Cannot read the history', { exitCode: EXIT.config, problems: [`--dir: ${text}`], cause });
}
