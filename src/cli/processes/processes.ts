// Several processes of this program under one supervisor: starts them, starts again what dies, and ends them in order.
import type { ChildExit, ChildProcess } from '../../hosts/port.ts';
import { backoffMs } from '../../livekit/backoff.ts';
import type { Logger } from '../../ops/logs.ts';
import type { Clock } from '../../runner/clock.ts';
import { EXIT } from '../exit-codes.ts';

export interface ProcessView {
  /** 1 .. N; stays the same when the process behind it is another one. */
  readonly number: number;
  readonly state: 'starting' | 'running' | 'waiting' | 'gone';
  readonly pid: number | undefined;
  /** Where it answers; undefined until it does. */
  readonly url: string | undefined;
  readonly restarts: number;
}

export interface SupervisorOptions {
  readonly count: number;
  readonly start: (number: number) => ChildProcess;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Lines of a process that are not for us. */
  readonly print: (line: string) => void;
}

export interface Supervisor {
  start(): void;
  views(): readonly ProcessView[];
  /** Resolves when the first start of a process has failed for a reason that another start will not mend. */
  readonly failed: Promise<number>;
  /** The process does not answer: it is ended, and started again. */
  unanswered(number: number): void;
  /** Asks all to end; resolves when they have. Those that are there after the limit are killed. */
  drain(limitMs: number): Promise<void>;
  /** Asks them to be quick about it. */
  hurry(): void;
}

/** The line with which a process tells that it serves, as JSON: `{"syrinx":"ready","url":"http://127.0.0.1:4711/"}`. */
export interface ReadyLine {
  readonly syrinx: 'ready';
  readonly url: string | null;
}
export function readyLine(url: string | undefined): string {
  const line: ReadyLine = { syrinx: 'ready', url: url ?? null };
  return JSON.stringify(line);
}
/** Line that is sent to a process which should not wait for its calls any more. */
export const HURRY = 'hurry';
/** Names the number of a process in its environment. */
export const NUMBER_VARIABLE = 'SYRINX_PROCESS';

/** The first five deaths in a row are mended within 5 s each. */
const RESTART = { firstMs: 250, capMs: 30_000 };
/** Who has run for so long is no case for a longer wait. */
const STEADY_MS = 30_000;
const START_LIMIT_MS = 30_000;
/** Deaths in a row after which it is given up, where none of all processes has ever served. */
const MAX_STILLBORN = 3;
/** Another start would end in the same way. */
const HOPELESS: ReadonlySet<number> = new Set([EXIT.config, EXIT.auth, EXIT.resource]);

interface Place {
  readonly number: number;
  state: ProcessView['state'];
  child: ChildProcess | null;
  url: string | undefined;
  restarts: number;
  deaths: number;
  startedMs: number;
  cancelTimer: () => void;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { count, clock, random, log } = options;
  const places: Place[] = Array.from({ length: count }, (_, i) => ({
    number: i + 1,
    state: 'waiting',
    child: null,
    url: undefined,
    restarts: 0,
    deaths: 0,
    startedMs: 0,
    cancelTimer: () => {},
  }));
  let isDraining = false;
  let hasServed = false;
  let fail: (code: number) => void = () => {};
  const failed = new Promise<number>((resolve) => {
    fail = resolve;
  });
  let allGone: () => void = () => {};
  const gone = new Promise<void>((resolve) => {
    allGone = resolve;
  });

  function start(place: Place): void {
    place.state = 'starting';
    place.startedMs = clock.now();
    const child = options.start(place.number);
    place.child = child;
    child.onLine((line) => {
      const url = place.child === child ? readyUrl(line) : undefined;
      if (url === undefined) return options.print(line);
      place.cancelTimer();
      place.state = 'running';
      hasServed = true;
      place.url = url ?? undefined;
      log.info('process serves', { process: place.number, pid: child.pid, url });
    });
    place.cancelTimer = clock.setTimer(() => {
      log.error('process does not come up and is ended', { process: place.number, pid: child.pid });
      child.kill('SIGKILL');
    }, START_LIMIT_MS);
    void child.exited.then((exit) => ended(place, exit));
  }

  function ended(place: Place, exit: ChildExit): void {
    place.cancelTimer();
    place.child = null;
    place.url = undefined;
    if (isDraining) {
      place.state = 'gone';
      if (places.every(({ state }) => state === 'gone')) allGone();
      return;
    }
    const { code, signal, error } = exit;
    if (clock.now() - place.startedMs >= STEADY_MS) place.deaths = 0;
    const delayMs = backoffMs(place.deaths++, random(), RESTART);
    log.error('process died', { process: place.number, code, signal, error, again: Math.round(delayMs) });
    place.state = 'waiting';
    const isHopeless = place.restarts === 0 && ((code !== null && HOPELESS.has(code)) || error !== undefined);
    if (isHopeless || (!hasServed && place.deaths >= MAX_STILLBORN)) return fail(code ?? EXIT.general);
    place.cancelTimer = clock.setTimer(() => {
      place.restarts++;
      start(place);
    }, delayMs);
  }

  return {
    failed,
    start: () => places.forEach(start),
    views: () =>
      places.map(({ number, state, child, url, restarts }) => ({ number, state, pid: child?.pid, url, restarts })),
    unanswered(number) {
      const place = places[number - 1];
      if (place?.state !== 'running') return;
      log.error('process does not answer and is ended', { process: number, pid: place.child?.pid });
      place.child?.kill('SIGKILL');
    },
    drain(limitMs) {
      if (!isDraining) {
        isDraining = true;
        for (const place of places) {
          place.cancelTimer();
          if (place.child === null) place.state = 'gone';
          else place.child.kill('SIGTERM');
        }
        clock.setTimer(() => {
          for (const { child } of places) child?.kill('SIGKILL');
        }, limitMs);
        if (places.every(({ state }) => state === 'gone')) allGone();
      }
      return gone;
    },
    hurry() {
      for (const { child } of places) child?.send(HURRY);
    },
  };
}

/** Address in the line of a process that serves, null where it has none; undefined: another line. */
function readyUrl(line: string): string | null | undefined {
  if (!line.startsWith('{"syrinx":"ready"')) return undefined;
  try {
    return (JSON.parse(line) as ReadyLine).url;
  } catch {
    return undefined;
  }
}
