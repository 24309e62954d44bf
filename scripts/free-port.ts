// Ports for the servers that tests, proofs and benchmarks start.
import { createServer } from 'node:net';

/** A port of this machine that nobody listens on, below those that the system gives to outgoing connections: it is still free when it is used. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 2000);
    const server = createServer();
    const isFree = await new Promise<boolean>((done) => {
      server.once('error', () => done(false)).listen(port, '127.0.0.1', () => done(true));
    });
    if (!isFree) continue;
    await new Promise<void>((done) => server.close(() => done()));
    return port;
  }
}
