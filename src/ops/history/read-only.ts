// The history in a folder that nobody, or another process, writes: read without leaving a trace.
import type { FolderReader } from '../../hosts/port.ts';
import { History } from './history.ts';
import type { HistoryOptions } from './options.ts';
import { overlayFolder } from './overlay-folder.ts';
import { type HistorySource, sourceOf } from './source.ts';

/** While a process writes there, files come and go between two looks. */
const ATTEMPTS = 4;

/** Rejects with the reason why the folder cannot be read. What is torn or damaged is told, and the rest is served. */
export async function openHistoryFolder(
  folder: FolderReader,
  options: Pick<HistoryOptions, 'compression' | 'now' | 'epochMs' | 'pause' | 'tell'>,
): Promise<HistorySource> {
  const open = async (): Promise<HistorySource> => {
    for (let attempt = 1; ; attempt++) {
      const history = new History({ ...options, openFolder: async () => overlayFolder(folder), tell: quiet(options) });
      await history.start();
      const { problem } = history.state;
      if (problem === null) return sourceOf(history, options);
      if (attempt === ATTEMPTS || !problem.includes('ENOENT')) throw new Error(problem);
    }
  };
  let seen = await filesIn(folder);
  let source = await open();
  return {
    status: () => source.status(),
    series: () => source.series(),
    async query(query) {
      for (let attempt = 1; ; attempt++) {
        const before = await filesIn(folder);
        if (before !== seen) source = await open();
        seen = before;
        const answer = await source.query(query);
        // What was sealed, merged or purged meanwhile was read by halves.
        if (attempt === ATTEMPTS || (await filesIn(folder)) === before) return answer;
      }
    },
  };
}

async function filesIn(folder: FolderReader): Promise<string> {
  return (await folder.list()).filter((name) => /\.(?:block|log)$/.test(name)).join(' ');
}

/** That the disk fails is thrown, not told. */
function quiet({ tell }: Pick<HistoryOptions, 'tell'>): HistoryOptions['tell'] {
  return (level, message, fields) => {
    if (level === 'warn') tell?.(level, message, fields);
  };
}
