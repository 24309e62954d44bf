// The journal on disk: lines appended and synced in order, made short again when it has grown, and done without where there is no disk.
import type { DataFolder, FileAppender } from '../../hosts/port.ts';

export interface JournalOptions {
  /** Undefined: nothing is written. */
  readonly folder: DataFolder | undefined;
  /** All that counts now, for a new file in place of the old one. */
  readonly whole: () => readonly string[];
  /** Told when writing begins to fail and when it works again; alerts go on in either case. */
  readonly onTrouble: (error: unknown) => void;
  readonly onRecovery: () => void;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Bytes that may be appended before the file is made short again. */
  readonly maxAppendedBytes?: number | undefined;
}

export const JOURNAL_FILE = 'alerts.journal';
const MAX_APPENDED_BYTES = 1_000_000;
/** How often a disk that failed is asked again. */
const RETRY_MS = 5000;
/** Lines that wait while the disk is slow; then one rewrite says it all. */
const MAX_WAITING_LINES = 5000;
/** What the engine says of old times is bounded by this: a larger file is not ours. */
export const MAX_JOURNAL_BYTES = 64_000_000;

const encoder = new TextEncoder();

export class Journal {
  readonly #options: JournalOptions;
  #file: FileAppender | undefined;
  #waiting: string[] = [];
  /** The next write replaces the file: at the start, after a failure, and when it has grown. */
  #rewrite = true;
  #appendedBytes = 0;
  #running: Promise<void> | undefined;
  #failedMs: number | undefined;
  #closed = false;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** False while nothing is kept for a restart. */
  get works(): boolean {
    return this.#options.folder !== undefined && this.#failedMs === undefined;
  }

  /** Resolves when the lines are safe on disk, or when that failed; never rejects. */
  append(lines: readonly string[]): Promise<void> {
    const { folder, now } = this.#options;
    if (folder === undefined || this.#closed) return Promise.resolve();
    const resting = this.#failedMs !== undefined && now() - this.#failedMs < RETRY_MS;
    if (resting) this.#rewrite = true;
    else this.#waiting.push(...lines);
    if (resting || (lines.length === 0 && !this.#rewrite)) return Promise.resolve();
    if (this.#waiting.length > MAX_WAITING_LINES) {
      this.#waiting = [];
      this.#rewrite = true;
    }
    this.#running ??= this.#write(folder);
    return this.#running;
  }

  /** Writes what is left and lets go of the file. */
  async close(): Promise<void> {
    await this.#running;
    this.#closed = true;
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
  }

  async #write(folder: DataFolder): Promise<void> {
    try {
      while (this.#rewrite || this.#waiting.length > 0) {
        const lines = this.#waiting;
        this.#waiting = [];
        if (this.#rewrite) await this.#replace(folder);
        else await this.#extend(folder, lines);
      }
      if (this.#failedMs !== undefined) {
        this.#failedMs = undefined;
        this.#options.onRecovery();
      }
    } catch (error) {
      const first = this.#failedMs === undefined;
      this.#failedMs = this.#options.now();
      this.#rewrite = true;
      this.#waiting = [];
      await this.#file?.close().catch(() => {});
      this.#file = undefined;
      if (first) this.#options.onTrouble(error);
    } finally {
      this.#running = undefined;
    }
  }

  async #replace(folder: DataFolder): Promise<void> {
    this.#rewrite = false;
    await this.#file?.close();
    this.#file = undefined;
    await folder.replace(JOURNAL_FILE, bytesOf(this.#options.whole()));
    this.#file = await folder.append(JOURNAL_FILE);
    this.#appendedBytes = 0;
  }

  async #extend(folder: DataFolder, lines: readonly string[]): Promise<void> {
    this.#file ??= await folder.append(JOURNAL_FILE);
    const bytes = bytesOf(lines);
    await this.#file.write(bytes);
    await this.#file.sync();
    this.#appendedBytes += bytes.length;
    if (this.#appendedBytes > (this.#options.maxAppendedBytes ?? MAX_APPENDED_BYTES)) this.#rewrite = true;
  }
}

function bytesOf(lines: readonly string[]): Uint8Array {
  return encoder.encode(lines.map((line) => `${line}\n`).join(''));
}

/** The lines of an earlier process. A byte that is no text makes its line unreadable, not the file. */
export async function readJournal(folder: DataFolder): Promise<string[]> {
  const bytes = await folder.read(JOURNAL_FILE);
  if (bytes === undefined) return [];
  if (bytes.length > MAX_JOURNAL_BYTES) throw new RangeError(`${JOURNAL_FILE} has ${bytes.length} bytes`);
  return new TextDecoder().decode(bytes).split('\n');
}

/** Keeps what could not be read, for somebody to look at; one such file, the newest. */
export async function setAside(folder: DataFolder, ending: 'damaged' | 'newer'): Promise<string> {
  const name = `${JOURNAL_FILE}.${ending}`;
  const bytes = await folder.read(JOURNAL_FILE);
  if (bytes !== undefined) await folder.replace(name, bytes);
  return name;
}
