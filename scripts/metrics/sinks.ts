// Receivers that misbehave, one port each: 429 with Retry-After, 503, garbage, and one that never answers.
import { createServer, type Server } from 'node:http';
import { createServer as createSocketServer, type Server as SocketServer } from 'node:net';

export interface Sink {
  readonly name: string;
  readonly url: string;
  requests(): number;
}

/** Takes notifications of alerts. */
export const startPager = (): Promise<Sink> => http('pager', 200, {}, 'ok');

async function http(name: string, status: number, headers: Record<string, string>, body: string): Promise<Sink> {
  let requests = 0;
  const server: Server = createServer((request, response) => {
    requests++;
    request.resume();
    request.on('end', () => response.writeHead(status, headers).end(body));
  });
  return { name, url: await listening(server), requests: () => requests };
}

export async function startSinks(): Promise<Sink[]> {
  let connections = 0;
  const mute = createSocketServer((socket) => {
    connections++;
    socket.on('error', () => {});
  });
  let answers = 0;
  const babbling = createSocketServer((socket) => {
    answers++;
    socket.on('error', () => {});
    socket.end('\u0000\u0001 this is no HTTP\r\n\r\n');
  });
  return [
    await http('throttling', 429, { 'retry-after': '1' }, 'slow down'),
    await http('unavailable', 503, {}, 'no'),
    { name: 'hanging', url: await listening(mute), requests: () => connections },
    { name: 'babbling', url: await listening(babbling), requests: () => answers },
  ];
}

function listening(server: SocketServer): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.unref();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/v1/metrics`);
    });
  });
}
