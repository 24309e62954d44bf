// The far end of a worker's socket, in memory: records what the worker says in its real encoding, and says what a test wants.
import { Job, JobStatus, JobType, Room, ServerMessage, WorkerMessage, WorkerStatus } from '@livekit/protocol';
import type { OpenSocket, SocketClose, SocketListener, SocketRequest } from '../../../src/livekit/socket.ts';
import type { Frame } from '../../../src/livekit/wire.ts';

export { JobStatus, JobType, WorkerStatus };

type Said = WorkerMessage['message'];
type SaidValue<C extends Said['case']> = Extract<Said, { case: C }>['value'];

/** One connection. */
export class FakeLink {
  readonly request: SocketRequest;
  readonly #listener: SocketListener;
  readonly said: Said[] = [];
  readonly frames: Frame[] = [];
  /** How the worker ended it. */
  ended: 'close' | 'cut' | null = null;
  bufferedBytes = 0;
  answersPings = true;
  #isClosed = false;

  constructor(request: SocketRequest, listener: SocketListener) {
    this.request = request;
    this.#listener = listener;
  }

  hear(frame: Frame): void {
    this.frames.push(frame);
    const message = typeof frame === 'string' ? WorkerMessage.fromJsonString(frame) : WorkerMessage.fromBinary(frame);
    this.said.push(message.message);
    if (message.message.case !== 'ping' || !this.answersPings) return;
    const { timestamp } = message.message.value;
    this.say({ case: 'pong', value: { lastTimestamp: timestamp, timestamp } });
  }
  end(how: 'close' | 'cut'): void {
    this.ended ??= how;
  }

  open(): this {
    this.#listener.opened();
    return this;
  }
  close(why: Partial<SocketClose> = {}): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.closed({ code: 1006, reason: '', ...why });
  }
  alive(): void {
    this.#listener.alive();
  }
  raw(frame: Frame): void {
    this.#listener.frame(frame);
  }
  say(message: NonNullable<ConstructorParameters<typeof ServerMessage>[0]>['message']): void {
    this.raw(new ServerMessage({ message }).toBinary());
  }

  register(workerId = 'AW_one'): this {
    const serverInfo = { version: '1.13.5', protocol: 17, agentProtocol: 1, region: 'here', nodeId: 'ND_1' };
    this.say({ case: 'register', value: { workerId, serverInfo } });
    return this;
  }
  offer(id: string, more: ConstructorParameters<typeof Job>[0] = {}): void {
    this.say({ case: 'availability', value: { job: jobOf(id, more) } });
  }
  assign(
    id: string,
    more: { url?: string; token?: string } = {},
    job: ConstructorParameters<typeof Job>[0] = {},
  ): void {
    this.say({ case: 'assignment', value: { job: jobOf(id, job), token: 'room-token', ...more } });
  }
  terminate(jobId: string): void {
    this.say({ case: 'termination', value: { jobId } });
  }

  all<C extends Said['case']>(kind: C): SaidValue<C>[] {
    return this.said.filter((m) => m.case === kind).map((m) => m.value as SaidValue<C>);
  }
  last<C extends Said['case']>(kind: C): SaidValue<C> | undefined {
    return this.all(kind).at(-1);
  }
  answerTo(jobId: string): SaidValue<'availability'>[] {
    return this.all('availability').filter((a) => a.jobId === jobId);
  }
  /** Statuses that were reported of one job, with error texts. */
  reports(jobId: string): string[] {
    return this.all('updateJob')
      .filter((u) => u.jobId === jobId)
      .map(({ status, error }) => (error === '' ? JobStatus[status] : `${JobStatus[status]}: ${error}`));
  }
}

export function jobOf(id: string, more: ConstructorParameters<typeof Job>[0] = {}): Job {
  return new Job({
    id,
    type: JobType.JT_ROOM,
    room: new Room({ sid: `RM_${id}`, name: `room-${id}`, metadata: 'about the room' }),
    agentName: 'judge',
    dispatchId: `AD_${id}`,
    ...more,
  });
}

export interface FakeLinks {
  readonly open: OpenSocket;
  readonly links: FakeLink[];
  readonly last: FakeLink;
}

export function createFakeLinks(): FakeLinks {
  const links: FakeLink[] = [];
  return {
    links,
    get last() {
      const link = links.at(-1);
      if (link === undefined) throw new Error('No connection was attempted');
      return link;
    },
    open(request, listener) {
      const link = new FakeLink(request, listener);
      links.push(link);
      return {
        send: (frame) => link.hear(frame),
        close: () => link.end('close'),
        cut: () => link.end('cut'),
        get bufferedBytes() {
          return link.bufferedBytes;
        },
      };
    },
  };
}
