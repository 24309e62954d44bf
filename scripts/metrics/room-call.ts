// A call from a real LiveKit server for the program that is measured, so that what is measured of rooms has values.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startCaller } from '../../test/livekit/room/caller.ts';
import { KEY, SECRET, startRealServer } from '../../test/livekit/room/real-server.ts';
import { root } from '../steps.ts';
import type { TrueSeries } from './compare.ts';
import { until } from './parts.ts';
import { api, check } from './verdicts.ts';

export const liveKitServerIsThere = (): boolean => existsSync(join(root, '.cache', 'livekit-server', 'livekit-server'));

/** Statistics of a line are looked at each second: so many make a rate. */
const SAMPLES = 3;
const SCRAPE_MS = 1500;
const LIMIT_MS = 20_000;

/** Holds the call and leaves; resolves when the program has seen its end. */
export async function proveRoomCall(base: string): Promise<void> {
  const count = async (name: string): Promise<number> => {
    const all = await api<TrueSeries[]>(base, 'truth');
    return all
      .filter(({ prometheusName }) => prometheusName === name)
      .reduce((sum, { value, count: values }) => sum + (values ?? value ?? 0), 0);
  };
  const reaches = (name: string, wanted: number) =>
    until(`${name} reaches ${wanted}`, LIMIT_MS, async () => (await count(name)) >= wanted);
  const [server, caller] = await Promise.all([startRealServer(), startCaller()]);
  try {
    await api(base, `room?url=${encodeURIComponent(server.url)}&key=${KEY}&secret=${SECRET}`);
    await reaches('syrinx_livekit_registrations', 1);
    // A scrape sees that nothing has happened yet: only from there on something grows.
    await new Promise((resolve) => setTimeout(resolve, SCRAPE_MS));
    caller.do('join', { url: server.url, token: await server.token('caller', 'measured') });
    await caller.hears('track', LIMIT_MS);
    caller.do('tone', { ms: 1500 });
    await reaches('syrinx_connection_rtt_seconds', SAMPLES);
    await reaches('syrinx_connection_loss', 2 * SAMPLES);
    await caller.exit();
    await reaches('syrinx_livekit_jobs_ended_total', 1);
    const joined = await count('syrinx_connections_total');
    const samples = await count('syrinx_connection_rtt_seconds');
    check(joined === 1, 'a call from a LiveKit server is measured', `${joined} joined, ${samples} round trips`);
  } finally {
    await caller.kill();
    await server.stop();
  }
}
