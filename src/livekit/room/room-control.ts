// What an agent can do in the room besides talking.
import type { Connection, DataMessage, Peer, RpcHandler, RpcRequest } from './connection.ts';
import type { RoomWords } from './room-words.ts';

export type DataHandler = (bytes: Uint8Array, topic: string, identity: string | undefined) => void;

/** Outlives reconnects and rejoins; without a connection it rejects. */
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

  get caller(): Peer | null {
    return this.#callerNow();
  }

  setAttributes(attributes: Readonly<Record<string, string>>): void {
    this.#words.setAttributes(attributes);
  }

  async sendText(topic: string, text: string): Promise<void> {
    await this.#connected().sendText({ topic, text });
  }

  async sendData(message: DataMessage): Promise<void> {
    await this.#connected().sendData(message);
  }

  async sendDtmf(digit: string): Promise<void> {
    await this.#connected().sendDtmf(digit);
  }

  async performRpc(request: RpcRequest): Promise<string> {
    return this.#connected().performRpc(request);
  }

  onRpc(method: string, handler: RpcHandler): void {
    this.#rpc.set(method, handler);
    this.#connection?.onRpc(method, handler);
  }

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
