// Callers in real time: half of them let the agent finish, half talk over it.
import type { Runtime } from '../../src/cli/compose.ts';
import type { Call } from '../../src/runner/call.ts';
import type { Transport } from '../../src/transports/port.ts';

const RATE_HZ = 16_000;
const PACKET_MS = 20;
const PACKET_SAMPLES = (RATE_HZ * PACKET_MS) / 1000;
/** The phrase, and silence up to this length. */
const PATIENT_MS = 9000;
const IMPATIENT_MS = 4000;
/** Late frames that are closer together have one cause. */
const PAUSE_MS = 100;
/** A call ends after so long, and another one begins. */
const CALL_MS = 25_000;

interface Caller {
  call: Call;
  readonly packets: readonly Uint8Array[];
  readonly offset: number;
  startedMs: number;
  sent: number;
  frames: number;
  late: number;
}

export function holdCalls(runtime: Runtime, count: number, phrase: ArrayLike<number>) {
  const loops = [PATIENT_MS, IMPATIENT_MS].map((lengthMs) => loop(phrase, lengthMs));
  const callers: Caller[] = [];
  let frames = 0;
  let late = 0;
  /** Times that frames began to be late: one pause of the machine makes a frame of every call late. */
  let pauses = 0;
  let lateMs = Number.NEGATIVE_INFINITY;
  let stopped = false;
  const startMs = performance.now();
  for (let i = 0; i < count; i++) {
    callers.push({
      call: open(runtime),
      packets: loops[i % 2] ?? [],
      offset: i * 37,
      // Spread over the 20 ms, and their ends over the time.
      startedMs: startMs + (i / count) * PACKET_MS,
      sent: 0,
      frames: 0,
      late: 0,
    });
  }

  function send(caller: Caller, nowMs: number): void {
    const { session, input } = caller.call;
    const dueMs = () => caller.startedMs + caller.sent * PACKET_MS;
    while (dueMs() <= nowMs && !stopped) {
      const at = caller.sent++;
      input.audio(caller.packets[(caller.offset + at) % caller.packets.length] as Uint8Array, at * PACKET_SAMPLES);
      const decided = session.framesIn - caller.frames;
      const tardy = session.framesLate - caller.late;
      caller.frames = session.framesIn;
      caller.late = session.framesLate;
      frames += decided;
      late += tardy;
      if (tardy > 0) {
        if (nowMs - lateMs > PAUSE_MS) pauses++;
        lateMs = nowMs;
      }
    }
  }

  const done = (async () => {
    while (!stopped) {
      const nowMs = performance.now();
      callers.forEach((caller, i) => {
        send(caller, nowMs);
        if (nowMs - caller.startedMs > CALL_MS + i * 200) {
          caller.call.close('caller hung up');
          Object.assign(caller, { call: open(runtime), startedMs: nowMs, sent: 0, frames: 0, late: 0 });
        }
      });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();

  return {
    counts: () => ({ frames, late, pauses }),
    async stop() {
      stopped = true;
      await done;
    },
  };
}

function open(runtime: Runtime): Call {
  const line = { transport: 'load', inputRateHz: RATE_HZ, outputRateHz: RATE_HZ } as const;
  const call = runtime.open(line);
  const transport: Transport = {
    name: line.transport,
    inputRateHz: RATE_HZ,
    outputRateHz: RATE_HZ,
    leadMs: 200,
    reportsPlayed: false,
    play() {},
    clear() {},
    notify() {},
    close() {},
  };
  call.attach(transport);
  return call;
}

function loop(phrase: ArrayLike<number>, lengthMs: number): Uint8Array[] {
  const pcm = new Int16Array((lengthMs * RATE_HZ) / 1000);
  pcm.set(
    Array.from(phrase, (sample) => Math.round(sample * 32_767)),
    0.4 * RATE_HZ,
  );
  const packets: Uint8Array[] = [];
  for (let at = 0; at + PACKET_SAMPLES <= pcm.length; at += PACKET_SAMPLES) {
    packets.push(new Uint8Array(pcm.buffer, at * 2, PACKET_SAMPLES * 2));
  }
  return packets;
}
