// The agents under test, one in each room, as a process of its own: `agents.ts bare|transport|session`. Reads JSON lines, answers `sample`.
import process from 'node:process';
import { createInterface } from 'node:readline';
import { defineAgent } from '../../src/agent/define-agent.ts';
import { composeRuntime } from '../../src/cli/compose.ts';
import { loadConfig } from '../../src/config/load.ts';
import { nativeConnect } from '../../src/livekit/room/native-connection.ts';
import { loadNative } from '../../src/livekit/room/native.ts';
import { RoomTransport } from '../../src/livekit/room/room-transport.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { instantModels } from '../conversation.ts';
import { isLoud, joinEcho, type Room } from './echo.ts';
import { wait } from './process.ts';

/** Totals since the start; CPU of all threads, and of the JavaScript thread where the runtime tells. */
export interface Sample {
  readonly atMs: number;
  readonly rssBytes: number;
  /** Of the JavaScript heap, and of buffers outside it. */
  readonly heapBytes: number;
  readonly bufferBytes: number;
  readonly cpuMicros: number;
  readonly threadMicros: number | null;
  readonly frames: number;
  /** Frames that came more than 20 ms after the earliest of their stream. */
  readonly late: number;
  readonly rooms: number;
}

const [mode = 'bare'] = process.argv.slice(2);
const support = await loadNative();
if (!support.rtc) throw new Error(support.reason);
const connect = nativeConnect(support.native);
const LATE_MS = 20;
let frames = 0;
let late = 0;
let rooms = 0;

/** Counts the frames of one stream, and those that are late on its clock: against the earliest of the last one to two seconds, since a
 *  stream that paused once (its caller's process was held up) goes on later than before for ever. */
function lateness(): () => void {
  let count = 0;
  let zeroMs = Number.POSITIVE_INFINITY;
  let newestMs = Number.POSITIVE_INFINITY;
  return () => {
    const due = ++count * 10;
    const nowMs = performance.now();
    frames++;
    // The first frames of a stream come in a burst.
    if (count < 100) return;
    if (count % 100 === 0) {
      zeroMs = newestMs;
      newestMs = Number.POSITIVE_INFINITY;
    }
    newestMs = Math.min(newestMs, nowMs - due);
    zeroMs = Math.min(zeroMs, newestMs);
    if (nowMs - due - zeroMs > LATE_MS) late++;
  };
}

type Leave = () => Promise<unknown>;

async function bare(room: Room): Promise<Leave> {
  const connection = await joinEcho(connect, room, lateness());
  rooms++;
  return () => connection.leave();
}

async function openTransport({ url, token }: Room): Promise<RoomTransport> {
  const transport = new RoomTransport({
    connect,
    clock: systemClock,
    random: Math.random,
    url,
    token,
    mintToken: () => Promise.resolve(token),
  });
  await transport.open();
  rooms++;
  return transport;
}

/** The transport alone: it answers what is loud with as much voice. */
async function transportOnly(room: Room): Promise<Leave> {
  const transport = await openTransport(room);
  const count = lateness();
  const voice = Int16Array.from({ length: 240 }, (_, i) => 8000 * Math.sin(i * 0.1));
  transport.bind({
    audio(packet) {
      count();
      const samples = new Int16Array(packet.buffer, packet.byteOffset, packet.length >> 1);
      if (isLoud(samples) && transport.leadMs > 0) transport.play(voice);
    },
    played: () => {},
    text: () => {},
    dtmf: () => {},
    close: () => {},
  });
  return leaveOf(transport);
}

function leaveOf(transport: RoomTransport): Leave {
  return () => {
    transport.close('benchmark');
    return transport.done;
  };
}

let runtime: ReturnType<typeof composeRuntime> | null = null;
/** The whole call: session, detector, runner; models that answer at once. */
async function session(room: Room): Promise<Leave> {
  runtime ??= composeRuntime({
    config: loadConfig({ flags: [{ name: 'max', key: 'capacity.max_sessions', value: 200 }] }).config,
    agent: defineAgent({ instructions: 'Answer briefly.' }),
    log: createLogger({
      level: 'error',
      format: 'json',
      write: (line) => process.stderr.write(`${line}\n`),
      now: Date.now,
    }),
    models: instantModels(2500),
  });
  const transport = await openTransport(room);
  const call = runtime.open({ transport: 'livekit', inputRateHz: 16_000, outputRateHz: 24_000 });
  const count = lateness();
  transport.bind({
    ...call.input,
    audio(packet, position) {
      count();
      call.input.audio(packet, position);
    },
  });
  call.attach(transport);
  return leaveOf(transport);
}

const joiners: Record<string, (room: Room) => Promise<Leave>> = { bare, transport: transportOnly, session };
const join = joiners[mode];
if (join === undefined) throw new Error(`Unknown mode "${mode}": use ${Object.keys(joiners).join(', ')}`);

function sample(): Sample {
  const { user, system } = process.cpuUsage();
  const memory = process.memoryUsage();
  const thread = (process as { threadCpuUsage?: () => { user: number; system: number } }).threadCpuUsage?.();
  return {
    atMs: performance.now(),
    rssBytes: memory.rss,
    heapBytes: memory.heapTotal,
    bufferBytes: memory.arrayBuffers,
    cpuMicros: user + system,
    threadMicros: thread === undefined ? null : thread.user + thread.system,
    frames,
    late,
    rooms,
  };
}

const VISIT_LIMIT_MS = 20_000;

async function visit(room: Room, stayMs: number): Promise<void> {
  async function stay(): Promise<void> {
    const leave = await (join as NonNullable<typeof join>)(room);
    await wait(stayMs);
    await leave();
  }
  // A connect of the native library that never ends would end the measurement.
  const late = wait(VISIT_LIMIT_MS).then(() => Promise.reject(new Error(`a visit took over ${VISIT_LIMIT_MS} ms`)));
  await Promise.race([stay(), late]);
}

/** Memory is compared after a collection, where the runtime lets us ask for one. */
function collectGarbage(): void {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  if (gc !== undefined) gc();
  else Bun?.gc(true);
}

const tell = (what: object) => process.stdout.write(`@${JSON.stringify(what)}\n`);
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command = JSON.parse(line) as { do: string; stayMs: number } & Room;
    if (command.do === 'sample') tell(sample());
    else if (command.do === 'collect') {
      collectGarbage();
      tell(sample());
    } else if (command.do === 'visit')
      visit(command, command.stayMs).then(
        () => tell(sample()),
        (error) => tell({ error: String(error) }),
      );
    else if (command.do === 'join')
      join(command).then(
        () => tell({ joined: true }),
        (error) => tell({ error: String(error) }),
      );
    else process.exit(0);
  })
  .on('close', () => process.exit(0));
tell({ ready: true });
