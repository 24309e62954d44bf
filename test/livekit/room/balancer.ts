// What stands in front of several nodes: each connection goes to the first one that takes it.
import { connect, createServer, type Socket } from 'node:net';

export interface Balancer {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    open.add(client);
    client.on('error', () => {}).on('close', () => open.delete(client));
    toFirst(client, [...ports]);
  }).listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  const { port } = server.address() as { port: number };
  return {
    url: `ws://127.0.0.1:${port}`,
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

function toFirst(client: Socket, ports: number[]): void {
  const port = ports.shift();
  if (port === undefined) return void client.destroy();
  const node = connect(port, '127.0.0.1');
  node.once('error', () => toFirst(client, ports));
  node.once('connect', () => {
    node.removeAllListeners('error');
    node.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('close', () => node.destroy());
    client.pipe(node).pipe(client);
  });
}
