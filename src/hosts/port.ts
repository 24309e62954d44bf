// What a host (Bun, Deno, Node, edge) injects. Nothing outside `hosts/` asks which runtime this is.
import type { Hooks } from 'crossws';

export interface Host {
  readonly name: 'bun' | 'deno' | 'node' | 'edge';
  readonly version: string;
  readonly platform: string;
  readonly pid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths start from. */
  readonly workingDirectory: string;
  readonly files: Files;
  readonly facts: ProcessFacts;
  /** A line for the person at the terminal; the line end is added. */
  print(text: string): void;
  printError(text: string): void;
  /** Calls back on SIGINT and SIGTERM; returns how to stop listening. */
  onSignal(handler: (name: 'SIGINT' | 'SIGTERM') => void): () => void;
  /** Imports a user's module (`agent.ts`) from disk, with `syrinx` resolving to this very program.
   *  Rejects with a `ModuleError` whose message names the file, and the line where the runtime tells it. */
  importModule(path: string): Promise<Record<string, unknown>>;
  /** Rejects with an error that carries the system's `code` (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, ...). */
  serve(options: ServeOptions): Promise<RunningServer>;
  /** Makes the folder if needed and takes it for this process alone. Rejects with a `FolderInUseError`, or with the
   *  system's own error (`EACCES`, `EROFS`, `ENOSPC`, ...). */
  openDataFolder(path: string): Promise<DataFolder>;
  /** Looks into a folder that somebody else may have; nothing in it is changed. Rejects with the system's own error. */
  readFolder(path: string): Promise<FolderReader>;
  /** Without it where the host has none. */
  readonly compression?: Compression | undefined;
  /** Resolves when everything else that is ready has had its turn, and so many ms have passed: what long work awaits between its slices. */
  pause(ms?: number): Promise<void>;
  /** A POST over HTTP that follows no redirect. Rejects with the system's own error, or when it is aborted. */
  post(url: string, post: HttpPost): Promise<HttpAnswer>;
  /** All addresses of a host name. */
  resolve(hostname: string): Promise<readonly string[]>;
  /** Sets a variable of the process for native libraries that are loaded later, unless it is set. */
  setEnvironment(name: string, value: string): void;
  /** Starts this very program once more, with the same arguments and `more` behind them, and `env` besides the own environment.
   *  Its standard error goes where ours goes. */
  startAgain(more: readonly string[], env: Readonly<Record<string, string>>): ChildProcess;
  /** For a process that `startAgain` started: lines that it is sent, and the end of whoever started it. */
  followParent(line: (text: string) => void, gone: () => void): void;
  exit(code: number): never;
}

export interface HttpPost {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}
/** What of a `Response` is asked for. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** As it comes in; whoever leaves the loop before its end lets it go. */
  readonly body: AsyncIterable<Uint8Array> | null;
}

export interface ChildProcess {
  /** Undefined where it could not be started. */
  readonly pid: number | undefined;
  readonly exited: Promise<ChildExit>;
  /** Lines of its standard output. To be called once. */
  onLine(handler: (line: string) => void): void;
  send(line: string): void;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}
export interface ChildExit {
  /** Null: a signal ended it, or it never began. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly error?: unknown;
}

/** What a host's entry calls: the whole command line. Resolves with the exit code. */
export type Main = (host: Host, args: readonly string[]) => Promise<number>;

export interface ServeOptions {
  /** 0 picks a free port. */
  readonly port: number;
  readonly hostname: string;
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** WebSocket hooks for upgrade requests. */
  readonly sockets: Partial<Hooks>;
  /** Largest WebSocket message that is taken, in bytes. What is larger ends the connection without a word on hosts that
   *  can limit it, so leave room for the application to refuse politely. */
  readonly maxMessageBytes: number;
  /** Largest body of a request that the host reads at all, where it can limit it; default 1 MiB. */
  readonly maxBodyBytes?: number | undefined;
}
export interface RunningServer {
  readonly port: number;
  /** With the slash at its end: `http://127.0.0.1:8080/`. */
  readonly url: string;
  /** Takes no more connections, says 1001 to open sockets, gives them a moment, and cuts what is left; on
   *  Deno answers that are still being sent end with the process. Idempotent. */
  stop(): Promise<void>;
}

/** Rejects and throws with errors of the system's own `code` (`ENOENT`, `EACCES`, ...), and the `path`. */
export interface Files {
  read(path: string): Promise<Uint8Array>;
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Rejects unless a file can be written at this path; leaves everything as it was. */
  checkWritable(path: string): Promise<void>;
  /** Opens a file for writing from its beginning; writes are synchronous and in order. */
  open(path: string): FileWriter;
  exists(path: string): Promise<boolean>;
}
export interface FileWriter {
  write(bytes: Uint8Array): void;
  close(): void;
}

/** A folder as it is. `name`s are of files directly in it. */
export interface FolderReader {
  readonly path: string;
  /** Files and folders, sorted. */
  list(): Promise<readonly string[]>;
  /** Undefined: no such file. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** `length` bytes from `offset` on; fewer where the file ends. `into`: memory that may be used for them, if it is large enough. */
  readAt(name: string, offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
  /** In bytes. */
  size(name: string): Promise<number>;
}
/** A folder for what must survive the process. */
export interface DataFolder extends FolderReader {
  append(name: string): Promise<FileAppender>;
  /** The whole new content or the whole old one, whatever happens in between. */
  replace(name: string, bytes: Uint8Array): Promise<void>;
  rename(name: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Lets other processes have it. */
  release(): Promise<void>;
}
export interface FileAppender {
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when what was written would survive a crash of the machine. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Plain deflate, synchronous: for pieces of some ten kilobytes. */
export interface Compression {
  /** Writes to `into` from its beginning; returns how many bytes. Throws `RangeError` where there is no room. */
  deflate(bytes: Uint8Array, into: Uint8Array): number;
  /** Throws for what is no deflate stream, or would be longer than `maxBytes`. */
  inflate(bytes: Uint8Array, maxBytes: number): Uint8Array;
}

/** Thrown for a data folder that another process has. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
  readonly code = 'EBUSY';
  readonly path: string;
  /** Number of the other process, where it is known. */
  readonly pid: number | null;
  constructor(path: string, pid: number | null) {
    super(`${path} belongs to ${pid === null ? 'another process' : `process ${pid}`}`);
    this.path = path;
    this.pid = pid;
  }
}

/** Measured facts of this process and machine; null where the host does not tell. */
export interface ProcessFacts {
  memoryBytes(): number | null;
  /** Limit of the container or machine, in bytes. */
  memoryLimitBytes(): number | null;
  /** User + system time used so far, in microseconds. */
  cpuMicros(): number | null;
  cores(): number | null;
  loadAverage(): readonly [number, number, number] | null;
  /** Share of the disk under `path` that is in use, 0..1. */
  diskUsage(path: string): number | null;
  /** Of what lies around the process; undefined where a host knows nothing of it. */
  readonly machine?: MachineFacts | undefined;
}

/** Measured facts of the container, where it has a limit of its own, else of the machine; null where the host does not tell. */
export interface MachineFacts {
  memory(): { readonly usedBytes: number; readonly limitBytes: number } | null;
  /** Core-time used so far, and the cores that there are; a quota may be a fraction. */
  cpu(): { readonly busyMicros: number; readonly cores: number } | null;
  /** Bytes over all interfaces but the loopback, so far. */
  network(): { readonly receivedBytes: number; readonly sentBytes: number } | null;
  openFiles(): number | null;
}
