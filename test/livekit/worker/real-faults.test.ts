// A real LiveKit server that freezes, is restarted without warning and changes its secret, as the worker sees it; jobs go on meanwhile.
// real time: a frozen server is noticed by its silence, and comes back when it is continued.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLiveKitApi, type LiveKitApi } from '../../../src/livekit/api.ts';
import { createTokenSource } from '../../../src/livekit/tokens.ts';
import { KEY, type RealServer, SECRET, startRealServer } from '../room/real-server.ts';
import { noServer, startWorker, until } from './real-worker.ts';

const credentials = { apiKey: KEY, apiSecret: SECRET };
const QUICK = { pingMs: 200, silenceMs: 1000, connectMs: 1000, backoff: { firstMs: 100, capMs: 300 } };

let server: RealServer;
let api: LiveKitApi;
before(async () => {
  if (noServer !== false) return;
  server = await startRealServer();
  api = createLiveKitApi({ server: server.url, ...credentials });
});
after(async () => {
  if (noServer === false) await server.stop();
});

function real(name: string, run: () => Promise<void>): void {
  void test(name, { skip: noServer, timeout: 60_000 }, run);
}

real('a server that is frozen: the silence is noticed, jobs go on, and calls come again when it goes on', async () => {
  const one = startWorker(server.url, credentials, { timing: QUICK });
  try {
    await until('registration', () => one.worker.status().ready);
    await api.dispatch.create('before', { agentName: 'judge' });
    const run = await until('the job', () => one.jobs[0]);
    const first = one.worker.status().registrations[0]?.workerId;
    server.signal('SIGSTOP');
    await until('the loss', () => one.metric('connection.losses', { cause: 'silent' }) === 1);
    // Its machine still takes connections; nobody answers them.
    await until('a second loss', () => one.metric('connection.losses', { cause: 'connect-timeout' }) !== undefined);
    assert.deepEqual([one.worker.status().running, run.job.terminate.aborted, run.stops.length], [1, false, 0]);
    server.signal('SIGCONT');
    await until('the registration', () => one.worker.status().ready);
    assert.notEqual(one.worker.status().registrations[0]?.workerId, first);
    assert.equal(one.metric('reconnects'), 1);
    assert.ok((one.metric('outage') ?? 0) > 1);
    await api.dispatch.create('after', { agentName: 'judge' });
    await until('the next job', () => one.jobs[1]);
    assert.equal(one.worker.status().running, 2);
  } finally {
    server.signal('SIGCONT');
    await one.stop();
  }
});

real('a key that was taken and is refused later: calls go on, and the worker goes on asking', async () => {
  let secret = SECRET;
  const refusals: string[] = [];
  const one = startWorker(server.url, credentials, {
    timing: QUICK,
    onRefused: (detail) => void refusals.push(detail),
    tokens: {
      worker: () => createTokenSource({ apiKey: KEY, apiSecret: secret }).worker(),
      agent: (...given) => createTokenSource(credentials).agent(...given),
    },
  });
  try {
    await until('registration', () => one.worker.status().ready);
    await api.dispatch.create('kept', { agentName: 'judge' });
    const run = await until('the job', () => one.jobs[0]);
    secret = `${SECRET}x`;
    await server.kill();
    await server.start();
    await until('the refusal', () => one.metric('connection.losses', { cause: 'unauthorized' }) !== undefined);
    assert.match(one.worker.status().registrations[0]?.lastLoss ?? '', /^unauthorized: /);
    assert.deepEqual([one.worker.status().running, run.job.terminate.aborted, refusals], [1, false, []]);
    secret = SECRET;
    await until('the registration', () => one.worker.status().ready);
  } finally {
    await one.stop();
  }
});
