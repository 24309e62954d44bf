// The program that is measured: all of its parts as `syrinx start` wires them, its own server and `/metrics` route among them; or, as the
// control, the same calls with everything that measures switched off.
import { defineAgent, tool } from '../../src/agent/define-agent.ts';
import { createAdmission } from '../../src/cli/admission/admission.ts';
import { prepareAlerts } from '../../src/cli/alerts/alerts.ts';
import { composeRuntime, type Runtime } from '../../src/cli/compose.ts';
import { authOf } from '../../src/cli/door.ts';
import { createLiveKit, type LiveKitService } from '../../src/cli/livekit/livekit.ts';
import { startHistory } from '../../src/cli/operations/history.ts';
import { createOperations } from '../../src/cli/operations/operations.ts';
import { openMeterProvider } from '../../src/cli/telemetry/api-metrics.ts';
import { startTelemetry } from '../../src/cli/telemetry/telemetry.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import type { Host } from '../../src/hosts/port.ts';
import { demoDialogue } from '../../src/models/simulated/index.ts';
import { createLogger, type Logger } from '../../src/ops/logs.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { createApp } from '../../src/server/app.ts';
import { logged, type RawLog } from './raw-log.ts';

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const VERSION = '0.0.0';

export interface ProgramOptions {
  readonly host: Host;
  /** What opens `/metrics`; the shipped configuration of Prometheus sends it. */
  readonly token: string;
  /** Where alerts are told; undefined: nothing is measured at all. */
  readonly pager: string | undefined;
  readonly raw: RawLog;
}

export interface LoadedProgram {
  readonly config: Config;
  readonly runtime: Runtime;
  /** Samples that callers say. */
  readonly phrase: ArrayLike<number>;
  /** The server's own routes. */
  fetch(request: Request): Response | Promise<Response>;
  /** Registers with a LiveKit server and takes its calls. */
  register(server: { url: string; key: string; secret: string }): Promise<void>;
  /** Everything that measures by itself stands still; what it has measured can still be read. */
  quiet(): Promise<void>;
}

/** Each kind of failure early and for certain, and others by chance: one request alone, so that no breaker opens for all. */
const FAULTS = [
  ...[4, 9, 14, 21].flatMap((nth) =>
    (['stt', 'llm', 'tts'] as const).map((route) => ({ route, kind: '401', nth }) as const),
  ),
  { route: 'llm', kind: '500', probability: 0.03 },
  { route: 'llm', kind: 'half-close', probability: 0.02 },
  { route: 'tts', kind: '500', probability: 0.02 },
  { route: 'stt', kind: '429', probability: 0.02, retryAfterSeconds: 0.1 },
  { route: 'stt', kind: 'garbage', probability: 0.02 },
] as const;

export async function startProgram({ host, token, pager, raw }: ProgramOptions): Promise<LoadedProgram> {
  const isMeasured = pager !== undefined;
  const config = configOf(token, pager);
  const log = createLogger({
    level: 'error',
    format: 'json',
    write: (text) => host.env.LOAD_LOG && host.printError(text),
    now: Date.now,
  });
  const recording = demoDialogue.recordings()[1];
  if (recording === undefined) throw new Error('The demonstration has no second recording');
  const agent = defineAgent({
    name: 'load',
    instructions: 'Answer briefly.',
    tools: [
      tool({ name: 'look_up', description: 'Looks up.', run: async () => (await pause(30), 'found') }),
      tool({
        name: 'broken',
        description: 'Fails.',
        run: () => {
          throw new Error('on purpose');
        },
      }),
    ],
  });
  const composed = composeRuntime({
    config,
    agent,
    log,
    simulated: {
      recordings: [recording],
      profile: 'fast',
      latency: { llmMs: [60, 260], sttMs: [40, 120], ttsMs: [40, 120] },
      faults: [...FAULTS],
      script: {
        turns: [
          {
            user: recording.text,
            reply: 'Please stay calm. I have looked it up, and count the weasels; then close the cable cupboard again.',
            tools: [{ name: 'look_up' }, { name: 'broken' }],
          },
        ],
      },
    },
  });
  const runtime = logged(composed, raw);
  const admission = createAdmission({ config, runtime, clock: systemClock });
  const operations = createOperations({
    host,
    config,
    runtime,
    admission,
    version: VERSION,
    startedAtMs: Date.now(),
    auth: authOf(config),
    phase: () => 'running',
    log,
    onError: (error) => host.printError(`route failed: ${String(error)}`),
  });
  const stopMeasuring = isMeasured ? await measure({ host, config, runtime, log }) : async () => {};
  if (isMeasured) operations.start();
  let livekit: LiveKitService | null = null;
  return {
    config,
    runtime,
    phrase: recording.samples,
    fetch: createApp(operations).fetch,
    async register(server) {
      livekit = await createLiveKit({
        host,
        config: withLiveKit(config, server),
        runtime,
        admission,
        log,
        version: VERSION,
      });
      livekit?.start();
    },
    async quiet() {
      await livekit?.drain(0);
      operations.stop();
      admission.stop();
      await stopMeasuring();
    },
  };
}

function configOf(token: string, pager: string | undefined): Config {
  const file = {
    models: { provider: 'simulated' },
    // The proof blocks the loop on purpose, and calls all the same.
    capacity: { max_sessions: 200, late_frame_share: 0, loop_lag_ms: 0 },
    server: { token },
    telemetry: { link_mbps: 1000 },
    livekit: { dispatch: 'automatic' },
    alerts: {
      interval_ms: 1000,
      allow_private: true,
      ...(pager === undefined ? {} : { webhook: { url: pager } }),
      rules: {
        busy: {
          metric: 'syrinx.sessions.active',
          condition: 'greater_than',
          threshold: 10,
          duration_seconds: 1,
          severity: 'warning',
          notification_channels: ['webhook'],
        },
      },
    },
  };
  return loadConfig({ file: { path: 'load.json', text: JSON.stringify(file) }, environment: {} }).config;
}

function withLiveKit(config: Config, server: { url: string; key: string; secret: string }): Config {
  const environment = { LIVEKIT_URL: server.url, LIVEKIT_API_KEY: server.key, LIVEKIT_API_SECRET: server.secret };
  const { livekit } = loadConfig({ environment }).config;
  return { ...config, livekit: { ...livekit, dispatch: 'automatic' } };
}

interface Parts {
  readonly host: Host;
  readonly config: Config;
  readonly runtime: Runtime;
  readonly log: Logger;
}

/** Probe, sampler, alerts, history, and a user's own instruments of the OpenTelemetry API. */
async function measure({ host, config, runtime, log }: Parts): Promise<() => Promise<void>> {
  const { registry, agentName } = runtime;
  const common = { host, config, registry, log, clock: systemClock };
  const alerts = prepareAlerts({ ...common, origins: new Map(), agentName });
  const telemetry = await startTelemetry({
    ...common,
    host: { ...host, env: {} },
    agentName,
    version: VERSION,
    queues: { notifications: () => alerts?.waiting() ?? null },
  });
  const history = startHistory(common);
  await alerts?.start();
  const meter = (await openMeterProvider()).getMeter('shop');
  const orders = meter.createCounter('shop.orders', { description: 'Orders.' });
  const stock = meter.createUpDownCounter('shop.stock', { description: 'Stock.' });
  const wait = meter.createHistogram('shop.wait', { description: 'Wait.', unit: 's' });
  let sold = 0;
  const shop = setInterval(() => {
    orders.add(1, { kind: sold++ % 2 === 0 ? 'weasel' : 'stoat' });
    stock.add(sold % 3 === 0 ? -1 : 1);
    wait.record((sold % 7) / 3);
  }, 250);
  return async () => {
    clearInterval(shop);
    await Promise.all([alerts?.stop(1000), history?.stop()]);
    // The page shows what users measure as it stood a second ago.
    await pause(1500);
    await telemetry.stop();
  };
}
