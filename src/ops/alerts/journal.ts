// The journal on disk: lines written at once and then synced, made short again when it has grown, and done without where there is no disk.
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
  /** What was written last is on its way to the disk. */
  #syncing: Promise<void> | undefined;
  /** What was written has not begun that way. */
  #unsynced = false;
  /** Calls the writer from its wait for a sync. */
  #wake = (): void => {};
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
    this.#wake();
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
      for (;;) {
        if (this.#rewrite) await this.#replace(folder);
        else if (this.#waiting.length > 0) await this.#extend(folder);
        else if (this.#syncing !== undefined) await this.#syncedOrWoken(this.#syncing);
        else if (this.#unsynced) this.#sync();
        else break;
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
      this.#syncing = undefined;
      await this.#file?.close().catch(() => {});
      this.#file = undefined;
      if (first) this.#options.onTrouble(error);
    } finally {
      this.#running = undefined;
    }
  }

  async #replace(folder: DataFolder): Promise<void> {
    await this.#syncing;
    this.#syncing = undefined;
    this.#unsynced = false;
    this.#rewrite = false;
    this.#waiting = [];
    await this.#file?.close();
    this.#file = undefined;
    await folder.replace(JOURNAL_FILE, bytesOf(this.#options.whole()));
    this.#file = await folder.append(JOURNAL_FILE);
    this.#appendedBytes = 0;
  }

  /** Also while an earlier sync takes its time: what is written outlives the process, if not the machine. */
  async #extend(folder: DataFolder): Promise<void> {
    const bytes = bytesOf(this.#waiting);
    this.#waiting = [];
    this.#file ??= await folder.append(JOURNAL_FILE);
    await this.#file.write(bytes);
    this.#unsynced = true;
    this.#appendedBytes += bytes.length;
    if (this.#appendedBytes > (this.#options.maxAppendedBytes ?? MAX_APPENDED_BYTES)) this.#rewrite = true;
  }

  #sync(): void {
    this.#unsynced = false;
    this.#syncing = this.#file?.sync();
    // If it fails while there is something to write, the writer hears of it afterwards.
    this.#syncing?.catch(() => {});
  }

  async #syncedOrWoken(syncing: Promise<void>): Promise<void> {
    const woken = new Promise<boolean>((wake) => {
      this.#wake = () => wake(false);
    });
    if (await Promise.race([syncing.then(() => true), woken])) this.#syncing = undefined;
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
