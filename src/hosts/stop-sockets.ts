// Ends a server's sockets politely: 1001 to each, a moment to say goodbye, then the cut.
import type { AdapterInstance } from 'crossws';

/** How long a client may take to answer our close frame. */
export const GOODBYE_MS = 500;

/** Sends 1001 to every peer and resolves when all are gone, or after `GOODBYE_MS`. */
export async function dismissPeers(adapter: AdapterInstance): Promise<void> {
  for (const peers of adapter.peers.values()) for (const peer of peers) peer.close(1001, 'server is stopping');
  const end = performance.now() + GOODBYE_MS;
  while (countPeers(adapter) > 0 && performance.now() < end) await pause(10);
  for (const peers of adapter.peers.values()) for (const peer of peers) peer.terminate();
}

export function countPeers(adapter: AdapterInstance): number {
  let count = 0;
  for (const peers of adapter.peers.values()) count += peers.size;
  return count;
}

/** Waits for `work`, but no longer than `ms`. */
export async function atMost(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((done) => {
    timer = setTimeout(done, ms);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
