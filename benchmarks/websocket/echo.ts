// The control: the host's own WebSocket server, sending back what it gets and nothing else.

/** Resolves with the port. */
export async function serveEcho(host: string): Promise<number> {
  if (host === 'bun') {
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request, server) => (server.upgrade(request) ? undefined : new Response('no', { status: 400 })),
      websocket: {
        perMessageDeflate: false,
        message: (socket, data) => void socket.send(data),
      },
    });
    return server.port ?? 0;
  }
  if (host === 'deno') {
    const server = Deno.serve({ port: 0, hostname: '127.0.0.1', onListen() {} }, (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.binaryType = 'arraybuffer';
      socket.onmessage = ({ data }) => socket.send(data);
      return response;
    });
    return server.addr.port;
  }
  if (host !== 'node') throw new Error(`Unknown host "${host}": use bun, deno or node`);
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data as Buffer)));
  await new Promise((done) => server.once('listening', done));
  return (server.address() as { port: number }).port;
}
