// The server under test, as a process of its own: `server.ts HOST agent|echo [REPLY_MS]`. Answers the lines `sample` and `collect`.
import process from 'node:process';
import { createInterface } from 'node:readline';
import { defineAgent } from '../../src/agent/define-agent.ts';
import { composeRuntime } from '../../src/cli/compose.ts';
import { serveCalls } from '../../src/cli/serve.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Host } from '../../src/hosts/port.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { instantModels } from '../conversation.ts';
import { collector } from '../performance/rates.ts';
import { serveEcho } from './echo.ts';

/** The answer. Frames are totals of all calls. */
export interface Sample {
  readonly atMs: number;
  readonly rssBytes: number;
  /** Array buffers, where the runtime counts them. */
  readonly bufferBytes: number;
  readonly heapBytes: number;
  readonly cpuMicros: number;
  readonly sessions: number;
  readonly frames: number;
  readonly late: number;
}

const MAX_SESSIONS = 4000;
const [hostName, mode, replyMs] = process.argv.slice(2);
const counts = mode === 'echo' ? await echo() : await agent();
process.stdout.write(`listening ${counts.port}\n`);

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'quit') process.exit(0);
  if (line === 'collect') collector()?.();
  const { user, system } = process.cpuUsage();
  const sample: Sample = {
    atMs: performance.now(),
    rssBytes: process.memoryUsage.rss(),
    bufferBytes: process.memoryUsage().arrayBuffers,
    heapBytes: process.memoryUsage().heapUsed,
    cpuMicros: user + system,
    ...counts.now(),
  };
  process.stdout.write(`${JSON.stringify(sample)}\n`);
});
// The parent is gone: nobody is left to say quit.
process.stdin.on('end', () => process.exit(0));

async function agent() {
  const host = await createHost();
  const flag = (key: string, value: unknown) => ({ name: key, key, value });
  const { config } = loadConfig({
    flags: [
      flag('capacity.max_sessions', MAX_SESSIONS),
      flag('health_server.port', 0),
      // The search is for where callers suffer: admission would keep it from getting there.
      ...['late_frame_share', 'loop_lag_ms', 'buffer_mb'].map((key) => flag(`capacity.${key}`, 0)),
    ],
  });
  const log = createLogger({ level: 'error', format: 'json', write: (line) => host.printError(line), now: Date.now });
  const runtime = composeRuntime({
    config,
    agent: defineAgent({ instructions: 'Answer briefly.' }),
    log,
    models: instantModels(Number(replyMs ?? 3500)),
  });
  const service = await serveCalls({ host, config, runtime, log, version: 'benchmark', record: undefined });
  return {
    port: service.server?.port ?? 0,
    now() {
      let frames = 0;
      let late = 0;
      for (const { call } of runtime.calls.values()) {
        frames += call.session.framesIn;
        late += call.session.framesLate;
      }
      return { sessions: runtime.calls.size, frames, late };
    },
  };
}

async function echo() {
  const port = await serveEcho(hostName ?? '');
  return { port, now: () => ({ sessions: 0, frames: 0, late: 0 }) };
}

async function createHost(): Promise<Host> {
  if (hostName === 'bun') return (await import('../../src/hosts/bun.ts')).createBunHost();
  if (hostName === 'deno') return (await import('../../src/hosts/deno.ts')).createDenoHost();
  if (hostName === 'node') return (await import('../../src/hosts/node.ts')).createNodeHost();
  throw new Error(`Unknown host "${hostName}": use bun, deno or node`);
}
