// One step of load and the search for the largest that is carried: N callers for some seconds, and what was late.
import { callerLoop } from '../conversation.ts';
import { round } from '../statistics.ts';
import { Callers, NotOpenedError } from './callers.ts';
import { type ServerOptions, startServer } from './server-process.ts';

export interface Step {
  readonly sessions: number;
  /** Of what counts: decisions of the server (agent) or echoes (control), 0..1. */
  readonly late: number;
  readonly lateCount: number;
  readonly count: number;
  /** Pongs of the agent that took more than 20 ms, 0..1: the same, seen by the client. */
  readonly answersLate: number;
  readonly answerP99Ms: number;
  /** Packets that the client itself sent late, 0..1. */
  readonly sentLate: number;
  readonly underruns: number;
  /** Share of one core, 0..1, user and system time of the process. */
  readonly serverCpu: number;
  readonly clientCpu: number;
  readonly rssBytes: number;
  /** Bytes of frames both ways per session and second. */
  readonly bytesPerSecond: number;
  /** Connections that the server closed. */
  readonly closed: number;
}

const CALL_MS = 8000;
const SETTLE_MS = 1500;
export const LATE_SHARE = 0.01;
/** Below this the search gives up. */
const LEAST = 25;

export interface LoadedServer {
  step(sessions: number, seconds: number): Promise<Step>;
  stop(): Promise<void>;
}

export async function openLoad(options: ServerOptions): Promise<LoadedServer> {
  const server = await startServer(options);
  const { packets } = callerLoop(CALL_MS);
  const callers = new Callers({ port: server.port, mode: options.mode, packets, spread: true });
  return {
    async step(sessions, seconds) {
      await callers.become(sessions);
      await callers.run(SETTLE_MS);
      const before = await callers.during(server.sample);
      const cpuBefore = process.cpuUsage();
      const fromMs = performance.now();
      callers.begin();
      await callers.run(seconds * 1000);
      const stats = callers.stats();
      const tookMs = performance.now() - fromMs;
      const used = process.cpuUsage(cpuBefore);
      const after = await callers.during(server.sample);
      const isEcho = options.mode === 'echo';
      if (!isEcho && after.sessions < sessions)
        throw new NotOpenedError(`The server holds only ${after.sessions} of ${sessions} calls`);
      const count = isEcho ? stats.answered : after.frames - before.frames;
      // What has no answer yet although it is long due is late too.
      const missing = isEcho ? Math.max(0, stats.sent - stats.answered - sessions * 2) : 0;
      const lateCount = isEcho ? stats.answeredLate + missing : after.late - before.late;
      return {
        sessions,
        late: share(lateCount, count + missing),
        lateCount,
        count,
        answersLate: share(stats.answeredLate, stats.answered),
        answerP99Ms: round(stats.answerP99Ms),
        sentLate: share(stats.sentLate, stats.sent),
        underruns: stats.underruns,
        serverCpu: round((after.cpuMicros - before.cpuMicros) / 1000 / (after.atMs - before.atMs)),
        clientCpu: round((used.user + used.system) / 1000 / tookMs),
        rssBytes: after.rssBytes,
        bytesPerSecond: Math.round(((stats.audioBytes + stats.sentBytes) / sessions / tookMs) * 1000),
        closed: stats.closed,
      };
    },
    async stop() {
      await callers.stop();
      await server.stop();
    },
  };
}

/** Grows the load by a quarter until more than 1 % is late, then looks once between. Every step is told. */
export async function findLimit(
  options: ServerOptions,
  from: number,
  most: number,
  seconds: number,
  told: (step: Step) => void,
): Promise<{ readonly limit: number; readonly steps: readonly Step[] }> {
  const steps: Step[] = [];
  let load = await openLoad(options);
  const carries = async (sessions: number): Promise<boolean> => {
    try {
      const step = await load.step(sessions, seconds);
      steps.push(step);
      told(step);
      return step.late <= LATE_SHARE && step.closed === 0;
    } catch (error) {
      if (!(error instanceof NotOpenedError)) throw error;
      console.log(`${options.host.padEnd(5)}${options.mode.padEnd(6)}${sessions} sessions: ${error.message}`);
      return false;
    }
  };
  try {
    let good = 0;
    let bad = 0;
    for (let n = from; n <= most && bad === 0; n = Math.ceil(n * 1.25)) {
      // One bad step may be the machine's; two are the server's.
      if ((await carries(n)) || (await carries(n))) good = n;
      else bad = n;
    }
    // A server that was overloaded still works off what waits: what follows goes to fresh ones.
    const again = async (n: number): Promise<boolean> => {
      await load.stop();
      load = await openLoad(options);
      return (await carries(n)) || (await carries(n));
    };
    for (let n = Math.floor(from / 1.25); good === 0 && n >= LEAST; n = Math.floor(n / 1.25)) {
      if (await again(n)) good = n;
      else bad = n;
    }
    const between = Math.round((good + bad) / 2);
    if (good > 0 && bad > 0 && (await again(between))) good = between;
    return { limit: good, steps };
  } finally {
    await load.stop();
  }
}

function share(part: number, whole: number): number {
  return whole === 0 ? 1 : round(part / whole, 5);
}
