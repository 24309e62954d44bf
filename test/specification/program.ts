// The whole program without a port: the specification's endpoints over simulated models, on a host that tells fixed facts.
import type { Hono } from 'hono';
import { type Agent, defineAgent } from '../../src/agent/define-agent.ts';
import { createAdmission } from '../../src/cli/admission/admission.ts';
import { composeRuntime, type Runtime } from '../../src/cli/compose.ts';
import { createOperations } from '../../src/cli/operations/operations.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Host } from '../../src/hosts/port.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { ProcessTelemetry } from '../../src/ops/telemetry/index.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { createApp } from '../../src/server/app.ts';
import { createFakeHost } from '../cli/fake-host.ts';

export interface Program {
  readonly app: Hono;
  readonly runtime: Runtime;
  readonly telemetry: ProcessTelemetry;
  phase: 'starting' | 'running' | 'draining';
  json(path: string, init?: RequestInit): Promise<{ status: number; body: Record<string, unknown> }>;
  text(path: string, init?: RequestInit): Promise<string>;
  stop(): Promise<void>;
}

export interface ProgramOptions {
  readonly agent?: Agent;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly telemetry?: ProcessTelemetry;
  readonly facts?: Partial<Host['facts']>;
}

export const MEGABYTE = 1024 * 1024;

export function startProgram(options: ProgramOptions = {}): Program {
  const { agent = defineAgent({ instructions: 'Help.' }), telemetry = new ProcessTelemetry() } = options;
  const fake = createFakeHost();
  const facts = {
    ...fake.facts,
    memoryBytes: () => 100 * MEGABYTE,
    memoryLimitBytes: () => 1000 * MEGABYTE,
    loadAverage: () => [0.5, 0.4, 0.3] as const,
    diskUsage: () => 0.25,
    ...options.facts,
  };
  const { config } = loadConfig({
    file: { path: 'syrinx.json', text: JSON.stringify({ models: { provider: 'simulated' }, ...options.config }) },
  });
  const log = createLogger({ level: 'error', format: 'json', write: () => {}, now: Date.now });
  const runtime = composeRuntime({ config, agent, log, telemetry });
  const admission = createAdmission({ config, runtime, clock: systemClock });
  const operations = createOperations({
    host: { ...fake, facts },
    config,
    runtime,
    admission,
    version: '1.2.3',
    startedAtMs: Date.now() - 3_600_000,
    auth: { loopback: true },
    phase: () => program.phase,
    log,
    onError: (error) => {
      throw error;
    },
  });
  const app = createApp(operations);
  const program: Program = {
    app,
    runtime,
    telemetry,
    phase: 'running',
    async json(path, init) {
      const response = await app.request(path, init);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    text: async (path, init) => (await app.request(path, init)).text(),
    async stop() {
      operations.stop();
      admission.stop();
      await runtime.closeAll('over');
    },
  };
  operations.start();
  return program;
}
