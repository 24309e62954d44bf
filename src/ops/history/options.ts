// What the history needs from outside, and its limits.
import type { Compression, DataFolder } from '../../hosts/port.ts';
import type { HistoryInstruments } from './instruments.ts';

export interface HistoryOptions {
  /** Takes the folder for this process; undefined: there is no disk, memory alone is used. May reject again and again. */
  readonly openFolder?: (() => Promise<DataFolder>) | undefined;
  /** Undefined: blocks are larger. */
  readonly compression?: Compression | undefined;
  /** Monotonic ms. */
  now(): number;
  /** Wall clock, ms since 1970. It may jump. */
  epochMs(): number;
  /** Lets everything else that is ready have its turn, and so many ms pass. */
  pause(ms?: number): Promise<void>;
  readonly retentionHours?: number | undefined;
  readonly aggregatedRetentionDays?: number | undefined;
  readonly limits?: Partial<HistoryLimits> | undefined;
  readonly instruments?: HistoryInstruments | undefined;
  /** Said to a person, with the same words once. */
  tell?(level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface HistoryLimits {
  /** Series that are kept; later ones are counted and have no history. */
  readonly maxSeries: number;
  readonly maxDiskBytes: number;
  /** Sealed blocks while there is no disk. */
  readonly maxMemoryBytes: number;
}

export const DEFAULT_HISTORY_LIMITS: HistoryLimits = {
  maxSeries: 2000,
  maxDiskBytes: 4 * 2 ** 30,
  maxMemoryBytes: 12 * 2 ** 20,
};
