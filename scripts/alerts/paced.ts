// Starts the server whose alerts live faster, and calls it over a network that delays.
import { type ChildProcess, spawn } from 'node:child_process';
import { bun, root } from '../steps.ts';
import { dial } from '../../test/e2e/socket-caller.ts';

export interface LateCall {
  hangUp(): void;
}
export interface Paced {
  lateCall(lateMs: number): Promise<LateCall>;
  meanLatencyMs(): Promise<number>;
  /** SIGKILL. */
  kill(): void;
  readonly ended: Promise<void>;
}

const SILENCE = new Uint8Array(640);
const PACKET_MS = 20;
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** A caller whose network, a second after the beginning, holds everything back by so much and never catches up. */
export async function lateCall(url: string, lateMs: number): Promise<LateCall> {
  const call = await dial(`${url.replace('http', 'ws')}/call?rate=16000`);
  await call.notice('ready');
  const startMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const passedMs = performance.now() - startMs;
    const due = Math.floor((passedMs - (passedMs > 1000 ? lateMs : 0)) / PACKET_MS);
    for (; sent < due && !gone; sent++) call.send(SILENCE);
  }, PACKET_MS);
  let gone = false;
  void call.closed.then(() => {
    gone = true;
    clearInterval(timer);
  });
  return {
    hangUp() {
      clearInterval(timer);
      if (!gone) call.say({ type: 'bye' });
    },
  };
}

export async function startPaced(config: string, pace: number): Promise<Paced> {
  const child = spawn(bun, ['scripts/alerts/paced-server.ts', config, String(pace)], {
    cwd: root,
    env: { ...process.env, SYRINX_MODELS_PROVIDER: 'simulated' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = new Promise<void>((done) => {
    child.once('close', () => {
      children.delete(child);
      done();
    });
  });
  const url = await new Promise<string>((done, fail) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const found = /serves at (\S+)\//.exec(text)?.[1];
      if (found !== undefined) done(found);
    });
    void ended.then(() => fail(new Error(`The paced server ended: ${errors}`)));
  });
  return {
    lateCall: (lateMs) => lateCall(url, lateMs),
    async meanLatencyMs() {
      const text = await (await fetch(`${url}/metrics`)).text();
      const of = (name: string) =>
        Number(new RegExp(`^syrinx_audio_processing_seconds_${name} (\\S+)`, 'm').exec(text)?.[1]);
      return (1000 * of('sum')) / of('count');
    },
    kill: () => void child.kill('SIGKILL'),
    ended,
  };
}
