// Memory of a session while it speaks a long reply: the server's resident memory at N less that at none after a first few calls, divided by N.
import { callerLoop } from '../conversation.ts';
import { Callers } from './callers.ts';
import { type HostName, startServer } from './server-process.ts';

export interface SessionMemory {
  readonly sessions: number;
  readonly idleBytes: number;
  /** Largest of the samples during the reply, a second apart. */
  readonly peakBytes: number;
  readonly bytesPerSession: number;
  /** Heap and array buffers that are in use after a collection in the reply, per session; not what the process holds. */
  readonly liveBytesPerSession: number;
}

const REPLY_MS = 30_000;
/** 400 ms of silence, 2.5 s of speech, the end of the turn. */
const REPLY_STARTS_MS = 4500;
const WARM_SESSIONS = 20;
const WARM_MS = 3000;

export async function sessionMemory(host: HostName, sessions: number, seconds: number): Promise<SessionMemory> {
  const server = await startServer({ host, mode: 'agent', replyMs: REPLY_MS });
  const callers = new Callers({
    port: server.port,
    mode: 'agent',
    packets: callerLoop(40_000).packets,
    spread: false,
  });
  try {
    // What a process pays once, compiled code above all, belongs to no session: a few calls come and go first.
    await callers.become(WARM_SESSIONS);
    await callers.run(REPLY_STARTS_MS + WARM_MS);
    await callers.become(0);
    await callers.run(1500);
    const idle = await server.collect();
    const idleBytes = idle.rssBytes;
    await callers.become(sessions);
    await callers.run(REPLY_STARTS_MS);
    let peakBytes = 0;
    let heardBytes = 0;
    for (let i = 0; i < seconds; i++) {
      callers.begin();
      await callers.run(1000);
      peakBytes = Math.max(peakBytes, (await callers.during(server.sample)).rssBytes);
      heardBytes = callers.stats().audioBytes;
    }
    const live = await callers.during(server.collect);
    const liveBytes = live.heapBytes + live.bufferBytes - idle.heapBytes - idle.bufferBytes;
    // Nobody may be silent in the last second: the figure is for sessions that speak.
    if (heardBytes < sessions * 16_000)
      throw new Error(`Only ${heardBytes} bytes of speech came in a second from ${sessions} sessions`);
    const each = (bytes: number) => Math.round(bytes / sessions);
    return {
      sessions,
      idleBytes,
      peakBytes,
      bytesPerSession: each(peakBytes - idleBytes),
      liveBytesPerSession: each(liveBytes),
    };
  } finally {
    await callers.stop();
    await server.stop();
  }
}
