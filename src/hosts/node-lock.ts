// Keeps two processes out of one folder: a lock file that names its owner, is touched while the owner lives, and is taken over when it is dead.
import { readFileSync, readlinkSync } from 'node:fs';
import { readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { dirname } from 'node:path';
import process from 'node:process';
import { FolderInUseError } from './port.ts';

interface Owner {
  readonly pid: number;
  /** Machine, boot and process namespace: where `pid` means something. */
  readonly place: string;
  /** When the process began, in the kernel's ticks; null where nobody tells. Process numbers come again. */
  readonly startTicks: string | null;
  readonly token: string;
}

export interface Lock {
  /** False when somebody else has taken it, after this process did not run for too long. */
  readonly held: boolean;
  release(): Promise<void>;
}

const TOUCH_MS = 10_000;
/** An owner that cannot be looked at, on another machine or in another container, is dead when it is silent for so long. */
const SILENT_MS = 35_000;
/** Replacing a dead owner takes milliseconds; who left it undone is dead too. */
const TURN_MS = 5000;

/** Rejects with a `FolderInUseError` while another process has it. */
export async function takeLock(path: string): Promise<Lock> {
  const owner: Owner = {
    pid: process.pid,
    place: place(),
    startTicks: startTicks(process.pid),
    token: crypto.randomUUID(),
  };
  const text = JSON.stringify(owner);
  if (await create(path, text)) return hold(path, text);
  const first = await ownerOf(path);
  if (await lives(path, first)) throw new FolderInUseError(dirname(path), first?.pid ?? null);
  // Of several that see a dead owner, one may replace it: who comes second must not take the lock of the first.
  const turn = `${path}.turn`;
  if (!(await create(turn, text))) {
    if (await silentFor(turn, TURN_MS)) await unlink(turn).catch(() => {});
    throw new FolderInUseError(dirname(path), null);
  }
  try {
    const other = await ownerOf(path);
    if (await lives(path, other)) throw new FolderInUseError(dirname(path), other?.pid ?? null);
    await unlink(path).catch(() => {});
    if (!(await create(path, text))) throw new FolderInUseError(dirname(path), null);
  } finally {
    await unlink(turn).catch(() => {});
  }
  return hold(path, text);
}

async function create(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false;
    // A full disk takes the name and not the text: an empty lock would look like somebody else's.
    await unlink(path).catch(() => {});
    throw error;
  }
}

async function ownerOf(path: string): Promise<Owner | undefined> {
  return parse(await readFile(path, 'utf8').catch(() => ''));
}

async function silentFor(path: string, ms: number): Promise<boolean> {
  const touchedMs = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  return Math.abs(Date.now() - touchedMs) >= ms;
}

function hold(path: string, text: string): Lock {
  let held = true;
  const timer = setInterval(() => void touch(), TOUCH_MS);
  timer.unref();
  async function touch(): Promise<void> {
    const found = await readFile(path, 'utf8').catch(() => undefined);
    if (found !== undefined && found !== text) held = false;
    if (!held) return clearInterval(timer);
    const now = new Date();
    await utimes(path, now, now).catch(() => {});
  }
  return {
    get held() {
      return held;
    },
    async release() {
      clearInterval(timer);
      if (held && (await readFile(path, 'utf8').catch(() => '')) === text) await unlink(path).catch(() => {});
      held = false;
    },
  };
}

async function lives(path: string, owner: Owner | undefined): Promise<boolean> {
  if (owner !== undefined && owner.place === place()) {
    if (owner.startTicks !== null) return startTicks(owner.pid) === owner.startTicks;
    return owner.pid !== process.pid && isRunning(owner.pid);
  }
  return !(await silentFor(path, SILENT_MS));
}

function parse(text: string): Owner | undefined {
  try {
    const { pid, place, startTicks = null, token } = JSON.parse(text) as Partial<Owner>;
    if (typeof pid !== 'number' || typeof place !== 'string' || typeof token !== 'string') return undefined;
    return { pid, place, startTicks, token };
  } catch {
    return undefined;
  }
}

function place(): string {
  const boot = known(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = known(() => readlinkSync('/proc/self/ns/pid'));
  return [boot ?? os.hostname(), namespace ?? ''].join(' ');
}

/** Field 22 of Linux's process status; the name before it may hold blanks and parentheses. */
function startTicks(pid: number): string | null {
  const status = known(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return status?.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === 'EPERM';
  }
}

function known<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
