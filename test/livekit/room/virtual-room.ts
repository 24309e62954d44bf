// Virtual time, and a room that does what a test says: stands in for the native library.
import type {
  Connect,
  Connection,
  ConnectionEvents,
  ConnectRequest,
  Microphone,
  Peer,
  RpcHandler,
  StatsEntry,
  TextMessage,
  TextStream,
} from '../../../src/livekit/room/connection.ts';
import type { RoomEvent } from '../../../src/livekit/room/room-observer.ts';
import type { RoomTransportOptions } from '../../../src/livekit/room/room-options.ts';
import { RoomTransport } from '../../../src/livekit/room/room-transport.ts';
import type { LineClock } from '../../../src/livekit/room/voice-line.ts';
import type { CallInput } from '../../../src/transports/port.ts';

export class VirtualClock implements LineClock {
  #nowMs = 1000;
  #timers: { atMs: number; run: () => void }[] = [];
  now(): number {
    return this.#nowMs;
  }
  setTimer(run: () => void, delayMs: number): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer);
    };
  }
  get pending(): number {
    return this.#timers.length;
  }
  /** Runs what is due in the next `ms`, promises included. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const next = this.#timers.filter((t) => t.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((t) => t !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await settle();
    }
    this.#nowMs = endMs;
  }
}

/** Lets promises run that are ready. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}

export const peer = (identity: string, kind: Peer['kind'] = 'standard'): Peer => ({
  identity,
  kind,
  name: '',
  metadata: '',
  attributes: {},
});

/** Plays at the clock's pace what it was given. */
export class FakeSpeaker {
  readonly rateHz: number;
  readonly #clock: VirtualClock;
  /** What was sounded or waits: start time, samples. */
  readonly written: { atMs: number; samples: Int16Array }[] = [];
  #endMs = 0;
  rejected = 0;
  clears = 0;
  constructor(rateHz: number, clock: VirtualClock) {
    this.rateHz = rateHz;
    this.#clock = clock;
  }
  write(samples: Int16Array): void {
    if (samples.length % (this.rateHz / 100) !== 0) throw new Error(`${samples.length} samples are no whole 10 ms`);
    const atMs = Math.max(this.#clock.now(), this.#endMs);
    this.written.push({ atMs, samples: samples.slice() });
    this.#endMs = atMs + (samples.length * 1000) / this.rateHz;
  }
  clear(): void {
    this.clears++;
    const nowMs = this.#clock.now();
    const perMs = this.rateHz / 1000;
    while (this.written.length > 0) {
      const last = this.written[this.written.length - 1] as { atMs: number; samples: Int16Array };
      const sounded = Math.max(0, Math.round((nowMs - last.atMs) * perMs));
      if (sounded >= last.samples.length) break;
      this.written.pop();
      if (sounded > 0) this.written.push({ atMs: last.atMs, samples: last.samples.slice(0, sounded) });
      if (sounded > 0) break;
    }
    this.#endMs = Math.min(this.#endMs, nowMs);
  }
  get queuedMs(): number {
    return Math.max(0, this.#endMs - this.#clock.now());
  }
  /** Everything that sounded from `fromMs` on, silence between left out. */
  heard(fromMs = 0): number[] {
    return this.written.filter((w) => w.atMs >= fromMs).flatMap((w) => [...w.samples]);
  }
}

export class FakeConnection implements Connection {
  readonly roomName: string;
  readonly identity = 'agent';
  readonly events: ConnectionEvents;
  readonly request: ConnectRequest;
  readonly speaker: FakeSpeaker;
  readonly texts: TextMessage[] = [];
  readonly attributes: Readonly<Record<string, string>>[] = [];
  readonly rpc = new Map<string, RpcHandler>();
  voiceTrackId = 'TR_voice';
  present: Peer[] = [];
  entries: readonly StatsEntry[] = [];
  hasLeft = false;
  #isOver = false;
  constructor(request: ConnectRequest, clock: VirtualClock, roomName = 'room') {
    this.request = request;
    this.events = {
      ...request.events,
      disconnected: (reason) => {
        if (this.#isOver) return;
        this.#isOver = true;
        request.events.disconnected(reason);
      },
    };
    this.roomName = roomName;
    this.speaker = new FakeSpeaker(request.voiceRateHz, clock);
  }
  sid = 'RM';
  async roomSid(): Promise<string> {
    return this.sid;
  }
  peers(): readonly Peer[] {
    return this.present;
  }
  async setAttributes(attributes: Readonly<Record<string, string>>): Promise<void> {
    this.attributes.push(attributes);
  }
  async sendText(message: TextMessage): Promise<void> {
    this.texts.push(message);
  }
  /** Streams that were opened, with all that was written. */
  readonly streams: { message: Omit<TextMessage, 'text'>; written: string[]; isClosed: boolean }[] = [];
  streamText(message: Omit<TextMessage, 'text'>): TextStream {
    const stream = { message, written: [] as string[], isClosed: false };
    this.streams.push(stream);
    return {
      write: (text) => void stream.written.push(text),
      close: () => {
        stream.isClosed = true;
      },
    };
  }
  async sendData(): Promise<void> {}
  async sendDtmf(): Promise<void> {}
  async performRpc(): Promise<string> {
    return 'done';
  }
  onRpc(method: string, handler: RpcHandler): void {
    this.rpc.set(method, handler);
  }
  async stats(): Promise<readonly StatsEntry[]> {
    return this.entries;
  }
  async leave(): Promise<void> {
    this.hasLeft = true;
    this.events.disconnected('left');
  }

  // What the test lets happen.
  join(identity: string, kind?: Peer['kind']): FakeMicrophone {
    const someone = peer(identity, kind);
    this.present.push(someone);
    this.events.peerJoined(someone);
    const microphone = new FakeMicrophone(identity);
    this.events.microphoneHere(microphone);
    return microphone;
  }
}

let tracks = 0;
export class FakeMicrophone implements Microphone {
  readonly identity: string;
  readonly trackId = `TR_${++tracks}`;
  readonly muted = false;
  sink: ((pcm: Uint8Array) => void) | null = null;
  constructor(identity: string) {
    this.identity = identity;
  }
  listen(_rateHz: number, sink: (pcm: Uint8Array) => void): () => void {
    this.sink = sink;
    return () => {
      this.sink = null;
    };
  }
  /** 10 ms of a constant value. */
  frame(value: number): void {
    this.sink?.(new Uint8Array(new Int16Array(160).fill(value).buffer));
  }
}

export interface Heard {
  audio: { position: number; value: number }[];
  texts: string[];
  digits: string[];
  closed: string[];
}

export interface Scene {
  readonly clock: VirtualClock;
  readonly transport: RoomTransport;
  readonly heard: Heard;
  readonly events: RoomEvent[];
  readonly connections: FakeConnection[];
  readonly tokens: string[];
  /** The newest connection. */
  readonly connection: FakeConnection;
  /** What the next joins do: a connection, an error, nothing for ever, or a connection that is lost before it is given or refused. */
  readonly next: ('ok' | 'refused' | 'silent' | 'lost' | 'lost, refused')[];
  /** Lets a silent join be answered after all. */
  readonly late: (() => void)[];
}

export function createScene(options: Partial<RoomTransportOptions> = {}): Scene {
  const clock = new VirtualClock();
  const connections: FakeConnection[] = [];
  const tokens: string[] = [];
  const late: (() => void)[] = [];
  const events: RoomEvent[] = [];
  const heard: Heard = { audio: [], texts: [], digits: [], closed: [] };
  const next: Scene['next'] = [];
  const connect: Connect = (request) => {
    const how = next.shift() ?? 'ok';
    tokens.push(request.token);
    if (how === 'refused') return Promise.reject(new Error('Connection refused'));
    const connection = new FakeConnection(request, clock);
    if (how === 'silent') {
      return new Promise((resolve) => {
        late.push(() => {
          connections.push(connection);
          resolve(connection);
        });
      });
    }
    if (how !== 'ok') connection.events.disconnected('connection lost');
    if (how === 'lost, refused') return Promise.reject(new Error('The voice was not published'));
    connections.push(connection);
    return Promise.resolve(connection);
  };
  const transport = new RoomTransport({
    connect,
    clock,
    random: () => 0.5,
    url: 'ws://server',
    token: 'first',
    mintToken: async (room, identity) => `minted for ${identity} in ${room}`,
    observer: { event: (event) => events.push(event) },
    ...options,
  });
  const input: CallInput = {
    audio: (packet, position) =>
      heard.audio.push({ position, value: new DataView(packet.buffer, packet.byteOffset).getInt16(0, true) }),
    played: () => {},
    text: (text) => heard.texts.push(text),
    dtmf: (digit) => heard.digits.push(digit),
    close: (reason) => heard.closed.push(reason),
  };
  transport.bind(input);
  return {
    clock,
    transport,
    heard,
    events,
    connections,
    tokens,
    late,
    next,
    get connection() {
      return connections[connections.length - 1] as FakeConnection;
    },
  };
}

/** Hands out the agent's voice as the runner does: 20 ms blocks, as far ahead as the line wants. Each sample is the number of its ms. */
export class Talker {
  readonly #scene: Scene;
  #saidMs = 0;
  #endMs = 0;
  constructor(scene: Scene) {
    this.#scene = scene;
  }
  get saidMs(): number {
    return this.#saidMs;
  }
  async talk(ms: number): Promise<void> {
    const { clock, transport } = this.#scene;
    for (let passed = 0; passed < ms; passed += 20) {
      while (Math.max(this.#endMs, clock.now()) - clock.now() < transport.leadMs + 20) {
        // From 1 on, so that silence can be told from voice.
        transport.play(Int16Array.from({ length: 480 }, (_, i) => 1 + this.#saidMs + Math.floor(i / 24)));
        this.#saidMs += 20;
        this.#endMs = Math.max(this.#endMs, clock.now()) + 20;
      }
      await clock.pass(20);
    }
  }
}

/** A call in which the agent has been talking for two seconds. */
export async function talking(options: Parameters<typeof createScene>[0] = {}) {
  const scene = createScene(options);
  await scene.transport.open();
  const microphone = scene.connection.join('ada');
  scene.connection.events.voiceSubscribed();
  const talker = new Talker(scene);
  await talker.talk(2000);
  return { scene, microphone, talker };
}

export const types = (scene: Scene) => scene.events.map((e) => e.type);

/** Milliseconds of the agent's voice that never sounded on any connection. */
export function missing(scene: Scene, saidMs: number): number {
  const heard = new Set(scene.connections.flatMap((c) => c.speaker.heard()));
  let count = 0;
  for (let ms = 1; ms <= saidMs; ms++) if (!heard.has(ms)) count++;
  return count;
}
