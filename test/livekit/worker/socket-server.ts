// A WebSocket server on loopback that speaks the agent protocol badly when asked to; real sockets, real frames.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { ServerMessage, WorkerMessage } from '@livekit/protocol';
import { type WebSocket, WebSocketServer } from 'ws';

export interface SocketServer {
  readonly url: string;
  /** Connections in the order in which they came; for each the request and what the worker said. */
  readonly connections: { request: IncomingMessage; socket: WebSocket; said: string[] }[];
  stop(): Promise<void>;
}

type Behaviour = (socket: WebSocket, say: (frame: Uint8Array | string) => void) => void;

/** `upgrade`: answer to the upgrade with this status, or never; `behaviour`: what a new connection gets. */
export async function startSocketServer(options: {
  readonly upgrade?: number | 'silent';
  readonly behaviour?: Behaviour;
}): Promise<SocketServer> {
  const http: Server = createServer((_, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true });
  const open = new Set<Socket>();
  const connections: SocketServer['connections'] = [];
  http.on('upgrade', (request, stream, head) => {
    open.add(stream as Socket);
    if (options.upgrade === 'silent') return;
    if (options.upgrade !== undefined) {
      stream.end(`HTTP/1.1 ${options.upgrade} No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const said: string[] = [];
      connections.push({ request, socket, said });
      socket.on('message', (data) => {
        const message = WorkerMessage.fromBinary(new Uint8Array(data as Buffer)).message;
        said.push(message.case ?? '');
      });
      socket.on('error', () => {});
      options.behaviour?.(socket, (frame) => socket.send(frame));
    });
  });
  await new Promise<void>((up) => {
    http.listen(0, '127.0.0.1', () => up());
  });
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    connections,
    stop() {
      for (const { socket } of connections) socket.terminate();
      for (const stream of open) stream.destroy();
      return new Promise((down) => {
        http.close(() => down());
      });
    },
  };
}

export const registered = new ServerMessage({
  message: { case: 'register', value: { workerId: 'AW_fake' } },
}).toBinary();
