// What an agent can do in the room besides talking.
import type { Connection, DataMessage, Peer, RpcHandler, RpcRequest } from './connection.ts';
import type { RoomWords } from './room-words.ts';

/** What somebody in the room has sent as data. `identity`: undefined where the server sent it. */
export type DataHandler = (bytes: Uint8Array, topic: string, identity: string | undefined) => void;

/** An agent's room: who calls, and what both programs say to each other. Outlives reconnects and rejoins; while there is no
 *  connection its promises reject. */
export class RoomControl {
  readonly #words: RoomWords;
  readonly #callerNow: () => Peer | null;
  readonly #rpc = new Map<string, RpcHandler>();
  #connection: Connection | null = null;
  #dataHandler: DataHandler | null = null;
  /** Empty before the first join. */
  roomName = '';
  identity = '';

  constructor(words: RoomWords, callerNow: () => Peer | null) {
    this.#words = words;
    this.#callerNow = callerNow;
  }

  /** The caller while in the room. */
  get caller(): Peer | null {
    return this.#callerNow();
  }

  /** Adds to the attributes of our participant, or changes them. */
  setAttributes(attributes: Readonly<Record<string, string>>): void {
    this.#words.setAttributes(attributes);
  }

  /** A text of one piece to everybody; `lk.chat` is what clients show as chat. At most a few kB make sense. */
  async sendText(topic: string, text: string): Promise<void> {
    await this.#connected().sendText({ topic, text });
  }

  /** Bytes to everybody, or to those in `to`. */
  async sendData(message: DataMessage): Promise<void> {
    await this.#connected().sendData(message);
  }

  /** One key of a telephone: 0-9, *, #, A-D. */
  async sendDtmf(digit: string): Promise<void> {
    await this.#connected().sendDtmf(digit);
  }

  /** Calls a method that a client has registered; rejects where it fails or does not answer in time. */
  async performRpc(request: RpcRequest): Promise<string> {
    return this.#connected().performRpc(request);
  }

  /** Answers calls of clients, on this connection and all later ones. */
  onRpc(method: string, handler: RpcHandler): void {
    this.#rpc.set(method, handler);
    this.#connection?.onRpc(method, handler);
  }

  /** One handler; another replaces it. */
  onData(handler: DataHandler): void {
    this.#dataHandler = handler;
  }

  /** For the transport: the connection that stands, or none. */
  use(connection: Connection | null): void {
    this.#connection = connection;
    this.#words.use(connection);
    if (connection === null) return;
    this.roomName = connection.roomName || this.roomName;
    this.identity = connection.identity;
    for (const [method, handler] of this.#rpc) connection.onRpc(method, handler);
  }

  /** For the transport. A handler of the agent must not end the connection's event loop. */
  dataCame(...data: Parameters<DataHandler>): void {
    try {
      this.#dataHandler?.(...data);
    } catch {
      // Its own affair.
    }
  }

  #connected(): Connection {
    if (this.#connection === null) throw new Error('The room is not connected');
    return this.#connection;
  }
}
