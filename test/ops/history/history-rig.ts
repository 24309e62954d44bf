// A history on virtual time: a registry that is read each second, a wall clock that can be put, folders in memory that can fail.
import { createReader, createRegistry, type Registry } from '../../../src/metrics/index.ts';
import { compression } from '../../../src/hosts/node-compression.ts';
import type { DataFolder } from '../../../src/hosts/port.ts';
import { createHistoryInstruments } from '../../../src/ops/history/instruments.ts';
import { History } from '../../../src/ops/history/history.ts';
import { MemoryFolder } from '../../../src/ops/history/memory-folder.ts';
import type { HistoryOptions } from '../../../src/ops/history/options.ts';
import { type HistoryAnswer, type HistoryQuery, queryHistory } from '../../../src/ops/history/query.ts';

export const START = Date.UTC(2026, 10, 28, 9, 59, 30);

export interface Rig {
  readonly registry: Registry;
  readonly history: History;
  readonly told: string[];
  nowMs: number;
  epochMs: number;
  /** Seconds pass: `each` moves the numbers, then a reading is taken. */
  seconds(n: number, each?: (epochMs: number) => void): Promise<void>;
  /** Both clocks go on, and nobody looks. */
  sleep(ms: number): void;
  query(query: Partial<HistoryQuery> & { name: string }): Promise<HistoryAnswer>;
}

export function createRig(
  openFolder?: () => Promise<DataFolder>,
  more: Partial<HistoryOptions> & { startMs?: number; registry?: Registry } = {},
): Rig {
  const registry = more.registry ?? createRegistry();
  const read = createReader(registry, more.limits?.maxSeries ?? 1000);
  const told: string[] = [];
  const { startMs = START, registry: _, ...options } = more;
  const rig = { nowMs: 5000, epochMs: startMs };
  const history = new History({
    openFolder,
    compression,
    now: () => rig.nowMs,
    epochMs: () => rig.epochMs,
    pause: async () => {},
    instruments: 'instruments' in options ? undefined : createHistoryInstruments(registry),
    tell: (level, message, fields) => told.push(`${level}: ${message} ${JSON.stringify(fields)}`),
    ...options,
  });
  return Object.assign(rig, {
    registry,
    history,
    told,
    async seconds(n: number, each?: (epochMs: number) => void) {
      for (let i = 0; i < n; i++) {
        each?.(rig.epochMs);
        history.sample(read());
        rig.nowMs += 1000;
        rig.epochMs += 1000;
        await history.settled();
      }
    },
    sleep(ms: number) {
      rig.nowMs += ms;
      rig.epochMs += ms;
    },
    query: (query: Partial<HistoryQuery> & { name: string }) =>
      queryHistory(
        history,
        { fromMs: startMs - 60_000, toMs: rig.epochMs, ...query },
        { now: () => rig.nowMs, pause: async () => {} },
      ),
  });
}

/** A disk that keeps its files while processes come and go, and fails when it is told to. */
export class Disk {
  readonly files = new MemoryFolder();
  failing: string | null = null;
  isTaken = false;

  readonly open = async (): Promise<DataFolder> => {
    this.#check();
    if (this.isTaken) throw Object.assign(new Error('the folder belongs to process 7'), { code: 'EBUSY' });
    this.isTaken = true;
    const { files } = this;
    const guarded = <A extends unknown[], R>(work: (...given: A) => Promise<R>) => {
      return async (...given: A): Promise<R> => {
        this.#check();
        return await work.apply(files, given);
      };
    };
    return {
      path: 'disk',
      list: () => files.list(),
      read: (name) => files.read(name),
      readAt: (name, offset, length) => files.readAt(name, offset, length),
      size: (name) => files.size(name),
      replace: guarded(files.replace),
      rename: guarded(files.rename),
      remove: guarded(files.remove),
      append: guarded(async (name: string) => {
        const file = await files.append(name);
        return { write: guarded(file.write), sync: guarded(file.sync), close: file.close };
      }),
      release: async () => {
        this.isTaken = false;
      },
    };
  };

  #check(): void {
    if (this.failing !== null)
      throw Object.assign(new Error(`${this.failing}: the disk refuses`), { code: this.failing });
  }

  /** The process is gone without a word. */
  kill(): void {
    this.isTaken = false;
  }

  /** Changes a file in place. */
  async edit(name: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
    const bytes = await this.files.read(name);
    if (bytes === undefined) throw new Error(`no ${name}`);
    await this.files.replace(name, change(bytes.slice()));
  }

  async names(part = ''): Promise<string[]> {
    return (await this.files.list()).filter((name) => name.includes(part));
  }
}
