// Many callers from one process. The work is done by `callers.c`: clients in TypeScript would cost more than the server does.
import { cc, ptr } from 'bun:ffi';
import source from './callers.c' with { type: 'file' };

/** Counts since `begin`, in the order of the C side. */
const FIELDS = [
  'sent',
  /** Packets that this process sent more than 5 ms after they were due: its own fault, not the server's. */
  'sentLate',
  /** Echoes (control) or pongs (agent) that came, and those that took more than 20 ms. */
  'answered',
  'answeredLate',
  /** Packets that could not be sent because the server did not read. */
  'stalled',
  'audioBytes',
  'sentBytes',
  /** Agent audio that came after its predecessor had been played out. */
  'underruns',
  /** Connections that the server ended. */
  'closed',
  /** Handshakes that were answered. */
  'opened',
] as const;
export type CallerStats = Readonly<Record<(typeof FIELDS)[number] | 'answerP99Ms', number>>;

const SLICE_MS = 10;
const AT_ONCE = 20;
const OPEN_LIMIT_MS = 10_000;

/** The server is so far behind that it opens no more calls. */
export class NotOpenedError extends Error {
  override readonly name = 'NotOpenedError';
}

function compile() {
  return cc({
    source,
    symbols: {
      callersSetup: { args: ['ptr', 'int', 'int', 'int', 'int'], returns: 'void' },
      callersAdd: { args: ['int'], returns: 'int' },
      callersRemove: { args: [], returns: 'void' },
      callersRun: { args: ['double'], returns: 'void' },
      callersStat: { args: ['int'], returns: 'double' },
      callersAnswerMs: { args: ['double'], returns: 'double' },
      callersBegin: { args: [], returns: 'void' },
    },
  }).symbols;
}

export interface CallersOptions {
  readonly port: number;
  readonly mode: 'agent' | 'echo';
  /** What each caller sends in a loop; all of one size. */
  readonly packets: readonly Uint8Array[];
  /** True: callers are at different places of the loop; false: they begin it together. */
  readonly spread: boolean;
}

export class Callers {
  readonly #c = compile();
  readonly #frames: Uint8Array;
  readonly #options: CallersOptions;
  #count = 0;

  constructor(options: CallersOptions) {
    const { packets, port, mode } = options;
    this.#options = options;
    this.#frames = Buffer.concat(packets.map(maskedFrame));
    this.#c.callersSetup(
      ptr(this.#frames),
      this.#frames.length / packets.length,
      packets.length,
      mode === 'echo' ? 1 : 0,
      port,
    );
  }

  /** Opens or ends calls until there are `count`; calls that run go on meanwhile. */
  async become(count: number): Promise<void> {
    const { packets, spread } = this.#options;
    for (; this.#count > count; this.#count--) this.#c.callersRemove();
    while (this.#count < count) {
      this.begin();
      const some = Math.min(AT_ONCE, count - this.#count);
      for (let i = 0; i < some; i++, this.#count++) {
        const position = spread ? (this.#count * 37) % packets.length : 0;
        if (this.#c.callersAdd(position) === 0) throw new Error('The server refuses connections');
      }
      const limitMs = performance.now() + OPEN_LIMIT_MS;
      while (this.stats().opened < some) {
        await this.run(SLICE_MS);
        if (performance.now() > limitMs)
          throw new NotOpenedError(`The server did not open ${some} calls in ${OPEN_LIMIT_MS / 1000} s`);
      }
    }
  }

  /** Sends and receives for `ms`; in slices, so that the rest of this process goes on too. */
  async run(ms: number): Promise<void> {
    const untilMs = performance.now() + ms;
    await this.during(async () => {
      while (performance.now() < untilMs) await new Promise((go) => setImmediate(go));
    });
  }

  /** Sends and receives until `work` is done. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    let isDone = false;
    const result = work().finally(() => {
      isDone = true;
    });
    while (!isDone) {
      this.#c.callersRun(SLICE_MS);
      await new Promise((go) => setImmediate(go));
    }
    return await result;
  }

  begin(): void {
    this.#c.callersBegin();
  }

  stats(): CallerStats {
    const entries = FIELDS.map((name, i) => [name, this.#c.callersStat(i)]);
    return { ...Object.fromEntries(entries), answerP99Ms: this.#c.callersAnswerMs(0.99) } as CallerStats;
  }

  async stop(): Promise<void> {
    await this.become(0);
    await this.run(SLICE_MS);
  }
}

/** A client frame with the mask 0, which leaves the payload as it is: one frame serves all callers. */
function maskedFrame(payload: Uint8Array): Uint8Array {
  const head = [0x82, 0x80 | 126, payload.length >> 8, payload.length & 255, 0, 0, 0, 0];
  return Buffer.concat([Buffer.from(head), payload]);
}
