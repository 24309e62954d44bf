// Many calls in this process, paced in real time: what a worker does without sockets between it and its callers.
import process from 'node:process';
import { defineAgent } from '../../src/agent/define-agent.ts';
import { createNeuralVad } from '../../src/audio/neural/index.ts';
import { composeRuntime, type Runtime } from '../../src/cli/compose.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { HistogramHandle } from '../../src/metrics/index.ts';
import type { SimulatedServerOptions } from '../../src/models/simulated/index.ts';
import { createLogger } from '../../src/ops/logs.ts';
import type { CallModels } from '../../src/runner/call.ts';
import type { LedgerTurn } from '../../src/session/ledger.ts';
import type { CallInput, Transport } from '../../src/transports/port.ts';
import { PACKET_MS, PACKET_SAMPLES, RATE_HZ } from '../conversation.ts';
import { percentile } from '../statistics.ts';

const LINE = { transport: 'benchmark', inputRateHz: RATE_HZ, outputRateHz: RATE_HZ } as const;

export interface RuntimeChoice {
  readonly models?: CallModels | undefined;
  readonly simulated?: SimulatedServerOptions | undefined;
  readonly maxSessions?: number | undefined;
}

export function benchmarkRuntime({ models, simulated, maxSessions = 100 }: RuntimeChoice): Runtime {
  const flag = (key: string, value: unknown) => ({ name: key, key, value });
  const { config } = loadConfig({
    flags: [flag('capacity.max_sessions', maxSessions), flag('models.provider', 'simulated')],
  });
  const log = createLogger({ level: 'error', format: 'json', write: (text) => console.error(text), now: Date.now });
  const agent = defineAgent({ instructions: 'Answer briefly.' });
  // As calls of the program hear.
  const neural = config.listening.vad === 'neural' ? createNeuralVad({ maxSlots: maxSessions }) : undefined;
  return composeRuntime({ config, agent, log, models, simulated, neural });
}

export interface LineEvents {
  readonly onPlay?: (samples: number) => void;
  readonly onTurn?: (turn: LedgerTurn) => void;
}

/** Opens a call whose agent's audio goes nowhere. */
export function openCall(runtime: Runtime, { onPlay, onTurn }: LineEvents = {}) {
  const call = runtime.open({
    ...LINE,
    onTelemetry: (event) => {
      if (event.type === 'turn') onTurn?.(event.ledger);
    },
  });
  const transport: Transport = {
    name: LINE.transport,
    inputRateHz: RATE_HZ,
    outputRateHz: RATE_HZ,
    leadMs: 200,
    reportsPlayed: false,
    play: (samples) => onPlay?.(samples.length),
    clear() {},
    notify() {},
    close() {},
  };
  call.attach(transport);
  return call;
}

const ANSWER_LIMIT_MS = 5000;

/** A call to which one can write: each `ask` resolves at the first sound of the answer. */
export function openWrittenCall(runtime: Runtime, isAnswer: () => boolean = () => true) {
  let heard: () => void = () => {};
  const call = openCall(runtime, { onPlay: () => heard() });
  return {
    ask: (text: string) =>
      new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('A message was not answered in 5 s')), ANSWER_LIMIT_MS);
        heard = () => {
          if (!isAnswer()) return;
          heard = () => {};
          clearTimeout(timer);
          resolve();
        };
        call.input.text(text);
      }),
  };
}

/** Sends packets to all inputs in real time, spread over the 20 ms, each at another place of the loop. Resolves with the ms by
 *  which each packet was sent too late: the machine's part of every lateness. */
export async function pace(
  inputs: readonly CallInput[],
  packets: readonly Uint8Array[],
  seconds: number,
  offsetPackets = 37,
): Promise<number[]> {
  const lateMs: number[] = [];
  const startMs = performance.now();
  const positions = inputs.map((_, i) => (i * offsetPackets) % packets.length);
  const sent = inputs.map(() => 0);
  const dueMs = (i: number) => startMs + ((sent[i] as number) + i / inputs.length) * PACKET_MS;
  for (const endMs = startMs + seconds * 1000; performance.now() < endMs; ) {
    const nowMs = performance.now();
    inputs.forEach((input, i) => {
      while (dueMs(i) <= nowMs) {
        lateMs.push(nowMs - dueMs(i));
        const at = (sent[i] as number)++;
        input.audio(packets[((positions[i] as number) + at) % packets.length] as Uint8Array, at * PACKET_SAMPLES);
      }
    });
    await new Promise((go) => setTimeout(go, 1));
  }
  return lateMs;
}

export interface LoadFigure {
  readonly sessions: number;
  /** Decision time of frames less the time at which they were due, ms. */
  readonly frameP95Ms: number;
  readonly frameMaxMs: number;
  readonly frames: number;
  readonly framesLate: number;
  /** Own part of the responses, ms. */
  readonly overheadMs: readonly number[];
  /** Of one core, %, callers included. */
  readonly cpuPercent: number;
  readonly controlCpuPercent: number;
  /** Packets of the control less their due time: what this machine does to a process that only sends. */
  readonly controlP95Ms: number;
  readonly rssBytes: number;
}

export async function measureLoad(
  models: CallModels,
  sessions: number,
  packets: readonly Uint8Array[],
  seconds: number,
): Promise<LoadFigure> {
  const runtime = benchmarkRuntime({ models, maxSessions: sessions });
  const turns: LedgerTurn[] = [];
  const calls = Array.from({ length: sessions }, () => openCall(runtime, { onTurn: (turn) => turns.push(turn) }));
  const { cpuPercent } = await cpuOf(() =>
    pace(
      calls.map(({ input }) => input),
      packets,
      seconds,
    ),
  );
  const rssBytes = process.memoryUsage.rss();
  const frames = calls.reduce((sum, { session }) => sum + session.framesIn, 0);
  const framesLate = calls.reduce((sum, { session }) => sum + session.framesLate, 0);
  await runtime.closeAll('measured');
  const nobody: CallInput = { audio() {}, played() {}, text() {}, dtmf() {}, close() {} };
  const nobodies = calls.map(() => nobody);
  const control = await cpuOf(() => pace(nobodies, packets, Math.min(2, seconds)));
  const family = runtime.registry.families().find(({ name }) => name === 'syrinx.audio.processing');
  const sketch = (family?.series[0]?.handle as HistogramHandle | undefined)?.sketch;
  return {
    sessions,
    frameP95Ms: (sketch?.quantile(0.95) ?? Number.NaN) * 1000,
    frameMaxMs: (sketch?.max ?? Number.NaN) * 1000,
    frames,
    framesLate,
    overheadMs: turns.flatMap(({ overheadMs }) => (overheadMs === null ? [] : [overheadMs])),
    cpuPercent,
    controlCpuPercent: control.cpuPercent,
    controlP95Ms: percentile(control.made, 0.95),
    rssBytes,
  };
}

async function cpuOf<T>(work: () => Promise<T>): Promise<{ cpuPercent: number; made: T }> {
  const before = process.cpuUsage();
  const fromMs = performance.now();
  const made = await work();
  const { user, system } = process.cpuUsage(before);
  return { cpuPercent: (user + system) / 10 / (performance.now() - fromMs), made };
}
