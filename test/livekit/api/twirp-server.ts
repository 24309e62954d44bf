// A stand-in for the HTTP API of a LiveKit server: records what is asked, and answers what a test says.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TwirpCall {
  readonly path: string;
  readonly body: Record<string, unknown>;
  readonly headers: IncomingHttpHeaders;
}
export interface TwirpAnswer {
  readonly status?: number;
  readonly body?: unknown;
  /** Never answers. */
  readonly silent?: boolean;
}
export interface TwirpServer {
  readonly url: string;
  readonly calls: TwirpCall[];
  stop(): Promise<void>;
}

export async function startTwirpServer(answer: (method: string, call: TwirpCall) => TwirpAnswer): Promise<TwirpServer> {
  const calls: TwirpCall[] = [];
  const http = createServer(async (request, response) => {
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part);
    const path = request.url ?? '';
    const call = { path, body: JSON.parse(Buffer.concat(parts).toString() || '{}'), headers: request.headers };
    calls.push(call);
    const { status = 200, body = {}, silent = false } = answer(path.split('/').at(-1) ?? '', call);
    if (silent) return;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((up) => {
    http.listen(0, '127.0.0.1', () => up());
  });
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    calls,
    stop() {
      http.closeAllConnections();
      return new Promise((down) => {
        http.close(() => down());
      });
    },
  };
}
