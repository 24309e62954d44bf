// Servers for the tests: a fetch handler behind real HTTP, and hand-written answers of a bad provider.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';

export interface TestServer {
  /** Ends in `/v1`. */
  readonly baseUrl: string;
  close(): Promise<void>;
}

export async function listen(listener: http.RequestListener): Promise<TestServer> {
  const server = http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function serveFetch(fetch: (request: Request) => Response | Promise<Response>): Promise<TestServer> {
  return listen(getRequestListener(fetch, { overrideGlobalObjects: false }));
}

/** Reads a request to its end. */
export async function drain(request: http.IncomingMessage): Promise<void> {
  for await (const _ of request);
}
