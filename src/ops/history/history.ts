// 24 h of seconds and 30 d of minutes of every series: samples come in, minutes are journaled, hours sealed, old blocks purged.
// Nothing here waits for a disk except the one chain of work behind the samples; a disk that fails stops the writing, nothing else.
import type { DataFolder } from '../../hosts/port.ts';
import type { Readings, SeriesInfo } from '../../metrics/index.ts';
import { Archive } from './archive.ts';
import { NewerFormatError } from './block.ts';
import { Catalogue, type Entry } from './catalogue.ts';
import { MINUTE_MS } from './chunks.ts';
import { ClockWatch } from './clock-watch.ts';
import { Hour, HOUR_MS, isLost, stampOf } from './hour.ts';
import { Increases } from './increases.ts';
import { MemoryFolder } from './memory-folder.ts';
import { replayJournals } from './replay.ts';
import { OpenHour } from './open-hour.ts';
import { OpenMinute } from './open-minute.ts';
import { DEFAULT_HISTORY_LIMITS, type HistoryLimits, type HistoryOptions } from './options.ts';
import { Pacer } from './pacer.ts';

/** How often a disk that refused is asked again. */
const RETRY_MS = 10_000;
/** Hours that may wait for the disk before the memory takes them. */
const MAX_WAITING_HOURS = 1;
/** Between slices of work on hours and days, which may take its time: a tenth of a core at most. */
const REST_MS = 5;
const LAST_EPOCH_MS = Date.UTC(9000, 0);
/** New series that are entered at once; more of them get turns of their own. */
const ENTERED_AT_ONCE = 16;
const FORMAT_FILE = 'format.json';
const FORMAT = 1;

export interface HistoryState {
  /** Where minutes go. */
  readonly storage: 'disk' | 'memory';
  /** Why not to disk; null while all is well, or no disk was asked for. */
  readonly problem: string | null;
  readonly series: number;
  /** Of sealed blocks. */
  readonly bytes: number;
  /** Longest time that one slice of background work took, in ms. */
  readonly longestSliceMs: number;
}

export class History {
  readonly #o: HistoryOptions;
  readonly #limits: HistoryLimits;
  readonly #pacer: Pacer;
  readonly catalogue: Catalogue;
  /** By the readings' number; undefined: no room. */
  readonly #entries: (Entry | undefined)[] = [];
  readonly #numbers = new Map<Entry, number>();
  readonly #memory: Archive;
  readonly #memoryFolder = new MemoryFolder();
  #disk: Archive | undefined;
  #folder: DataFolder | undefined;
  readonly #increases = new Increases();
  #minute: OpenMinute | undefined;
  /** Full minutes that are being written. */
  #full: OpenMinute[] = [];
  /** One that has been written, for the next. */
  #spare: OpenMinute | undefined;
  #open: OpenHour | undefined;
  #waiting: Hour[] = [];
  /** Journals on disk of hours that memory had to take. */
  readonly #outdated: string[] = [];
  #work: Promise<void> = Promise.resolve();
  #problem: string | null = null;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  readonly #clock: ClockWatch;
  #stopped = false;

  constructor(options: HistoryOptions) {
    this.#o = options;
    this.#limits = { ...DEFAULT_HISTORY_LIMITS, ...options.limits };
    this.#pacer = new Pacer(options);
    this.catalogue = new Catalogue(this.#limits.maxSeries * 2);
    this.#memory = this.#archiveOf(this.#memoryFolder);
    this.#clock = new ClockWatch(options.now());
  }

  #archiveOf(folder: DataFolder): Archive {
    const { compression, tell, instruments } = this.#o;
    return new Archive({
      folder,
      compression,
      catalogue: this.catalogue,
      pacer: this.#pacer,
      tell(message, file, reason) {
        instruments?.setAside();
        tell?.('warn', message, { file, reason });
      },
    });
  }

  get state(): HistoryState {
    return {
      storage: this.#disk !== undefined && this.#problem === null ? 'disk' : 'memory',
      problem: this.#problem,
      series: this.catalogue.size,
      bytes: this.#memory.bytes + (this.#disk?.bytes ?? 0),
      longestSliceMs: this.#pacer.longestMs,
    };
  }

  /** Opens the folder and reads what an earlier process left. Never rejects: without a disk the history is in memory. */
  start(): Promise<void> {
    return this.#then(() => this.#toDisk(), REST_MS);
  }

  /** One reading, once a second, and when it was taken. */
  sample(readings: Readings, nowMs = this.#o.now(), epochMs = this.#o.epochMs()): void {
    if (this.#stopped) return;
    const jumpMs = this.#clock.look(nowMs, epochMs);
    if (jumpMs !== 0) this.#o.tell?.('warn', 'the wall clock jumped', { jumpSeconds: Math.round(jumpMs / 1000) });
    this.#increases.take(readings);
    this.#enter(readings.added);
    if (!(epochMs >= 0 && epochMs < LAST_EPOCH_MS)) return;
    const minute = Math.floor(epochMs / MINUTE_MS);
    if (this.#minute !== undefined && this.#minute.minute !== minute) this.#closeMinute();
    this.#minute ??= this.#openMinute(minute, readings.values.length);
    this.#minute.add(Math.floor((epochMs % MINUTE_MS) / 1000), readings, this.#increases.values);
    if (this.#problem !== null && this.#o.openFolder !== undefined && nowMs >= this.#retryAtMs) {
      this.#retryAtMs = nowMs + RETRY_MS;
      void this.#then(() => this.#toDisk(), REST_MS);
    }
  }

  /** Many of them get turns of their own, and are known to the work that comes after. */
  #enter(added: readonly SeriesInfo[]): void {
    if (added.length === 0) return;
    if (added.length <= ENTERED_AT_ONCE && this.#entries.length + added.length === this.#increases.count) {
      for (const info of added) this.#enterOne(info);
      return;
    }
    const all = added.slice();
    void this.#then(async () => {
      for (const info of all) {
        this.#enterOne(info);
        if (this.#pacer.tired) await this.#pacer.rest();
      }
    });
  }

  #enterOne(info: SeriesInfo): void {
    const entry = this.#entries.length < this.#limits.maxSeries ? this.catalogue.of(info) : undefined;
    if (entry === undefined) this.#o.instruments?.seriesDropped();
    else this.#numbers.set(entry, this.#entries.length);
    this.#entries.push(entry);
  }

  #openMinute(minute: number, series: number): OpenMinute {
    const spare = this.#spare;
    this.#spare = undefined;
    spare?.reuse(minute);
    return spare ?? new OpenMinute(minute, series);
  }

  #closeMinute(): void {
    const full = this.#minute;
    this.#minute = undefined;
    if (full === undefined) return;
    this.#full.push(full);
    void this.#then(() => this.#writeMinute(full));
  }

  /** One piece of work after the other. */
  #then(work: () => Promise<void>, restMs = 0): Promise<void> {
    this.#work = this.#work.then(async () => {
      // A turn of its own: whoever asked for this has held up the one before.
      await this.#o.pause();
      this.#pacer.begin(restMs);
      try {
        await work();
      } catch (error) {
        this.#diskFailed(error);
      }
      this.#pacer.stop();
      this.#o.instruments?.size(this.state.bytes);
      this.#o.instruments?.writing(this.state.storage === 'disk');
    });
    return this.#work;
  }

  #diskFailed(error: unknown): void {
    this.#retryAtMs = this.#o.now() + RETRY_MS;
    this.#o.instruments?.failed();
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#problem !== reason)
      this.#o.tell?.('error', 'history is not written to disk, it goes on in memory', { reason });
    this.#problem = reason;
    if (this.#open?.folder === this.#folder) void this.#open?.close();
    if ((error as { code?: unknown } | null)?.code !== 'EBUSY') return;
    // The folder belongs to somebody else: it is asked for again, and read anew.
    for (const hour of this.#hours) hour.retain(this.#memoryFolder);
    const folder = this.#folder;
    this.#folder = undefined;
    this.#disk = undefined;
    void folder?.release().catch(() => {});
  }

  get #hours(): readonly Hour[] {
    return this.#open === undefined ? this.#waiting : [...this.#waiting, this.#open.hour];
  }

  async #writeMinute(full: OpenMinute): Promise<void> {
    const number = Math.floor(full.atMs / HOUR_MS);
    let failure: unknown;
    if (this.#open?.hour.hour !== number) failure = await this.#failureOf(this.#openHour(number));
    const open = this.#open as OpenHour;
    if (open.folder === undefined) await open.begin(this.#memoryFolder);
    if (this.#pacer.tired) await this.#pacer.rest();
    const refused = await this.#failureOf(open.write(full, this.#entries));
    if (refused !== undefined) {
      // What the disk does not take, the memory does.
      failure ??= refused;
      await open.begin(this.#memoryFolder);
      await open.write(full, this.#entries);
    }
    this.#full = this.#full.filter((one) => one !== full);
    this.#spare = full;
    if (failure !== undefined) throw failure;
  }

  /** Undefined: it has not failed. */
  async #failureOf(work: Promise<void>): Promise<unknown> {
    try {
      await work;
      return undefined;
    } catch (error) {
      return error ?? new Error('unknown');
    }
  }

  async #openHour(number: number): Promise<void> {
    const before = this.#open;
    const open = new OpenHour(new Hour(number), this.#pacer);
    this.#open = open;
    if (before !== undefined) {
      this.#waiting.push(before.hour);
      await before.close();
      void this.#then(() => this.#sealWaiting(), REST_MS);
      void this.#then(() => this.#purge(), REST_MS);
    }
    if (this.#folder !== undefined && this.#problem === null) await open.begin(this.#folder);
  }

  /** Not on the way out: whoever starts next does it. */
  async #sealWaiting(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#stopped) {
      const [hour] = this.#waiting as [Hour];
      const sealed = () => void (this.#waiting = this.#waiting.filter((one) => one !== hour));
      const onDisk = this.#disk !== undefined && this.#problem === null;
      const lost = (error: unknown): void => {
        if (onDisk && !isLost(error)) throw error;
        this.#lost(hour, error);
      };
      const inFolder = (folder: DataFolder | undefined) =>
        hour.journals.filter((journal) => journal.folder === folder).map(({ name }) => name);
      if (hour.isEmpty) sealed();
      else if (onDisk) await this.#disk?.seal(hour, inFolder(this.#folder), { sealed, lost });
      else if (this.#o.openFolder === undefined || this.#waiting.length > MAX_WAITING_HOURS) {
        await this.#memory.seal(hour, [], { sealed, lost });
        await this.#limitMemory();
        this.#outdated.push(...inFolder(this.#folder));
      } else return;
      for (const name of inFolder(this.#memoryFolder)) await this.#memory.forget(name);
    }
  }

  #lost(hour: Hour, error: unknown): void {
    this.#o.instruments?.lost();
    const reason = error instanceof Error ? error.message : String(error);
    this.#o.tell?.('warn', 'minutes of an hour cannot be read any more', { hour: stampOf(hour.hour), reason });
  }

  async #limitMemory(): Promise<void> {
    const { blocks } = this.#memory;
    const limits = { secondsFromMs: 0, minutesFromMs: 0, maxBytes: this.#limits.maxMemoryBytes };
    const gone = await this.#memory.purge(limits);
    if (gone > 0 && this.#o.openFolder !== undefined) {
      this.#o.instruments?.lost();
      this.#o.tell?.('warn', 'history in memory is full, its oldest blocks are dropped', { blocks: blocks.length });
    }
  }

  /** Takes the folder if there is one to be had, writes what only memory has, and is well again. */
  async #toDisk(): Promise<void> {
    const { openFolder, tell } = this.#o;
    if (openFolder === undefined) return;
    if (this.#disk === undefined) {
      const folder = await this.#pacer.outside(openFolder());
      try {
        await this.#load(folder);
      } catch (error) {
        await folder.release();
        throw error;
      }
    }
    const folder = this.#folder as DataFolder;
    await this.#openOnDisk(folder);
    await this.#disk?.adopt(this.#memory);
    for (const name of this.#outdated.splice(0)) await this.#disk?.forget(name);
    if (this.#problem !== null) tell?.('info', 'history is written to disk again', { path: folder.path });
    this.#problem = null;
    await this.#sealWaiting();
  }

  async #load(folder: DataFolder): Promise<void> {
    const bytes = await folder.read(FORMAT_FILE);
    const text = bytes === undefined ? '' : new TextDecoder().decode(bytes);
    const format = Number(/"format":\s*(\d+)/.exec(text)?.[1] ?? 0);
    if (format > FORMAT)
      throw new NewerFormatError(`${folder.path} is of version ${format}, this program reads up to ${FORMAT}`);
    if (format < FORMAT) await folder.replace(FORMAT_FILE, new TextEncoder().encode(`{"format": ${FORMAT}}\n`));
    const archive = this.#archiveOf(folder);
    const hours = await replayJournals(archive, folder, await archive.load(), this.catalogue, this.#pacer);
    this.#disk = archive;
    this.#folder = folder;
    const isOwn = this.#open === undefined;
    for (const hour of hours.values()) {
      if (isOwn && hour.hour === Math.floor(this.#o.epochMs() / HOUR_MS)) this.#open = new OpenHour(hour, this.#pacer);
      else this.#waiting.push(hour);
    }
  }

  /** What comes next goes to a journal on disk, and what only memory has is copied there. */
  async #openOnDisk(folder: DataFolder): Promise<void> {
    const open = this.#open;
    if (open === undefined || open.folder === folder) return;
    const { hour } = open;
    if (hour.journals.every((journal) => journal.folder === folder)) return await open.begin(folder);
    const failure = await open.moveTo(folder);
    if (failure !== undefined) this.#lost(hour, failure);
    for (const journal of hour.journals)
      await (journal.folder === folder ? this.#disk : this.#memory)?.forget(journal.name);
  }

  /** Not on the way out either. */
  async #purge(): Promise<void> {
    if (this.#stopped) return;
    const nowMs = this.#o.epochMs();
    if (!this.#clock.isTrusted(this.#o.now())) return;
    const limits = {
      secondsFromMs: nowMs - (this.#o.retentionHours ?? 24) * HOUR_MS,
      minutesFromMs: nowMs - (this.#o.aggregatedRetentionDays ?? 30) * 24 * HOUR_MS,
    };
    await this.#memory.purge({ ...limits, maxBytes: this.#limits.maxMemoryBytes });
    if (this.#pacer.tired) await this.#pacer.rest();
    if (this.#disk === undefined || this.#problem !== null) return;
    await this.#disk.mergeDays(nowMs);
    await this.#disk.purge({ ...limits, maxBytes: this.#limits.maxDiskBytes });
  }

  /** Resolves when all that was begun is done. */
  settled(): Promise<void> {
    return this.#work;
  }

  /** Writes the open minute too, and lets the folder go. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    // What is on its way rests no more.
    this.#pacer.begin(0);
    this.#closeMinute();
    await this.#then(async () => await this.#open?.close());
    await this.#folder?.release();
  }

  /** For queries: what holds chunks, in rising order of time where clocks were good. */
  get sources() {
    const archives = this.#disk === undefined ? [this.#memory] : [this.#disk, this.#memory];
    const minutes = this.#minute === undefined ? this.#full : [...this.#full, this.#minute];
    return { archives, hours: this.#hours, minutes, numberOf: (entry: Entry) => this.#numbers.get(entry) };
  }
}
