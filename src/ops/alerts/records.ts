// The engine's memory as lines of text: each sets or removes one named record, the last one counts, so that a file of them can only grow.

const VERSION = 1;

export interface ReadRecords {
  readonly values: ReadonlyMap<string, unknown>;
  /** The engine's time of the newest line. */
  readonly atMs: number | undefined;
  /** Lines that could not be read: torn by a crash, or damaged. */
  readonly unreadable: number;
}

/** Thrown for lines of a version that this program does not know; they must not be overwritten. */
export class NewerRecordsError extends Error {
  override readonly name = 'NewerRecordsError';
}

export function readRecords(lines: Iterable<string>): ReadRecords {
  const values = new Map<string, unknown>();
  let atMs: number | undefined;
  let unreadable = 0;
  for (const line of lines) {
    if (line.trim() === '') continue;
    const record = parsed(line);
    if (record === undefined) {
      unreadable++;
      continue;
    }
    if (record.v > VERSION) {
      throw new NewerRecordsError(`alert state is of version ${record.v}, this program reads up to ${VERSION}`);
    }
    if (record.x === null) values.delete(record.k);
    else values.set(record.k, record.x);
    atMs = Math.max(atMs ?? record.t, record.t);
  }
  return { values, atMs, unreadable };
}

function parsed(line: string): { v: number; t: number; k: string; x: unknown } | undefined {
  try {
    const { v, t, k, x } = JSON.parse(line) as Record<string, unknown>;
    const whole = typeof v === 'number' && typeof t === 'number' && typeof k === 'string' && x !== undefined;
    return whole ? { v, t, k, x } : undefined;
  } catch {
    return undefined;
  }
}

export class Records {
  readonly #values: Map<string, unknown>;
  /** How many there are, by the beginning of their name. */
  readonly #kinds = new Map<string, number>();
  #fresh: string[] = [];
  #atMs: number;

  constructor(values: Iterable<readonly [string, unknown]> = [], atMs = 0) {
    this.#values = new Map(values);
    this.#atMs = atMs;
    for (const key of this.#values.keys()) this.#count(key, 1);
  }

  set(atMs: number, key: string, value: unknown): void {
    this.#atMs = atMs;
    if (!this.#values.has(key)) this.#count(key, 1);
    this.#values.set(key, value);
    this.#fresh.push(line(atMs, key, value));
  }

  remove(atMs: number, key: string): void {
    if (!this.#values.delete(key)) return;
    this.#count(key, -1);
    this.#atMs = atMs;
    this.#fresh.push(line(atMs, key, null));
  }

  #count(key: string, more: number): void {
    const kind = key.slice(0, key.indexOf('/') + 1);
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + more);
  }

  /** Whether `under` would find any; `prefix` ends with the first slash. */
  has(prefix: string): boolean {
    return (this.#kinds.get(prefix) ?? 0) > 0;
  }

  get(key: string): unknown {
    return this.#values.get(key);
  }

  under<T>(prefix: string): (readonly [string, T])[] {
    const found: (readonly [string, T])[] = [];
    for (const [key, value] of this.#values) {
      if (key.startsWith(prefix)) found.push([key.slice(prefix.length), value as T]);
    }
    return found;
  }

  /** Lines since the last call, to be appended and synced before anything is sent. */
  take(): string[] {
    const lines = this.#fresh;
    this.#fresh = [];
    return lines;
  }

  /** All that counts, for a new file in place of a long one. */
  all(): string[] {
    return [...this.#values].map(([key, value]) => line(this.#atMs, key, value));
  }
}

function line(atMs: number, key: string, value: unknown): string {
  return JSON.stringify({ v: VERSION, t: atMs, k: key, x: value });
}
