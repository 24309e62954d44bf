// A whole call on virtual time: scripted models, a virtual line, and what must hold of every call whatever happens in it.
import assert from 'node:assert/strict';
import type { ToolDefinition } from '../../src/agent/tool.ts';
import type { AudioCore } from '../../src/audio/index.ts';
import { Breaker } from '../../src/runner/breaker.ts';
import { type Call, type CallModels, type CallObserver, type StagePolicies, startCall } from '../../src/runner/call.ts';
import { createCannedAudio } from '../../src/runner/canned.ts';
import { DEFAULT_PERSIST_POLICY } from '../../src/runner/persist.ts';
import { readRecording } from '../../src/runner/recorder.ts';
import { replay } from '../../src/runner/replay.ts';
import { createTicker, type Ticker } from '../../src/runner/ticker.ts';
import type { SessionTelemetry } from '../../src/session/effects.ts';
import type { Ledger } from '../../src/session/ledger.ts';
import { DEFAULT_SESSION_OPTIONS, type SessionOptions } from '../../src/session/options.ts';
import { type Burst, Caller } from './caller.ts';
import { createFakeCore } from './fake-core.ts';
import { type LineOptions, OUTPUT_HZ, type Sound, VirtualLine } from './line.ts';
import {
  FIRST_SAMPLE,
  hears,
  type LlmScript,
  type ScriptedModels,
  scriptedLlm,
  scriptedStt,
  scriptedTts,
  type SttScript,
  speaks,
  type TtsScript,
  writes,
} from './models.ts';
import { settled, VirtualTime } from './virtual-time.ts';

export interface Scenario {
  readonly caller?: readonly Burst[];
  /** The caller hangs up at this time. */
  readonly endMs: number;
  readonly stt?: SttScript;
  readonly llm?: LlmScript;
  readonly tts?: TtsScript;
  /** Models that stand in for the first ones. */
  readonly fallback?: { readonly llm?: LlmScript };
  readonly tools?: readonly ToolDefinition[];
  readonly options?: Partial<SessionOptions>;
  readonly policies?: Partial<StagePolicies>;
  readonly line?: LineOptions;
  /** What else happens, at which time. */
  readonly at?: readonly (readonly [number, (call: Call, line: VirtualLine) => void])[];
  /** Stands around the observer, as the program's own watch does. */
  readonly observe?: (id: string, base: CallObserver) => CallObserver;
  /** The call exists and nothing has happened in it. */
  readonly opened?: (call: Call) => void;
  /** Without a recording. */
  readonly unrecorded?: boolean;
}

export interface Told {
  readonly atMs: number;
  readonly event: SessionTelemetry;
}

export interface Simulated {
  readonly call: Call;
  readonly line: VirtualLine;
  readonly told: readonly Told[];
  readonly models: ScriptedModels;
  readonly fallback: ScriptedModels['llm'];
  readonly breakers: { readonly stt: Breaker; readonly llm: Breaker; readonly tts: Breaker };
  readonly failures: readonly string[];
  readonly sounds: readonly Sound[];
  readonly ledger: Ledger;
  readonly reason: string;
  readonly recording: Uint8Array;
  /** The most speech that ever waited in the session, in ms. */
  readonly maxQueuedMs: number;
  /** Effects of the replayed recording. */
  readonly effects: string;
}

/** Time, core and ticker that calls of one process share. */
export interface World {
  readonly time: VirtualTime;
  readonly core: AudioCore;
  readonly ticker: Ticker;
}

export function createWorld(maxSlots = 64, startMs = 0): World {
  const time = new VirtualTime(startMs);
  return { time, core: createFakeCore(maxSlots), ticker: createTicker(time) };
}

const CLIP_HZ = 24_000;
/** The clip of this program: a constant that no voice speaks. */
export const CLIP_SAMPLE = 700;
const CLIP = new Int16Array(CLIP_HZ).fill(CLIP_SAMPLE);

export interface Started {
  readonly call: Call;
  readonly line: VirtualLine;
  /** After the caller hung up: waits for the end and checks what holds for every call. */
  finish(): Promise<Simulated>;
}

let count = 0;

/** Begins a call in a world; the caller of this moves the time. */
export function begin(world: World, scenario: Scenario): Started {
  const { time, core, ticker } = world;
  const startMs = time.now();
  const caller = new Caller(scenario.caller ?? []);
  const line = new VirtualLine(time, caller, scenario.line);
  const stt = scriptedStt(time, scenario.stt ?? hears(caller));
  const llm = scriptedLlm(time, scenario.llm ?? (() => writes('Certainly.')));
  const tts = scriptedTts(time, scenario.tts ?? speaks());
  const fallback = scriptedLlm(time, scenario.fallback?.llm ?? (() => []), 'fallback.llm');
  const breakers = { stt: new Breaker(time), llm: new Breaker(time), tts: new Breaker(time) };
  const models: CallModels = {
    stt: [{ model: stt, breaker: breakers.stt }],
    llm: [
      { model: llm, breaker: breakers.llm },
      ...(scenario.fallback?.llm === undefined ? [] : [{ model: fallback, breaker: new Breaker(time) }]),
    ],
    tts: [{ model: tts, breaker: breakers.tts }],
  };
  const told: Told[] = [];
  const failures: string[] = [];
  const parts: Uint8Array[] = [];
  let recordingClosed = false;
  const session: SessionOptions = {
    ...DEFAULT_SESSION_OPTIONS,
    id: `call-${++count}`,
    agent: 'simulated',
    transport: 'virtual',
    inputRateHz: 16_000,
    outputRateHz: OUTPUT_HZ,
    ...scenario.options,
    tools: (scenario.tools ?? []).map((tool) => ({
      name: tool.name,
      description: tool.description,
      parameters: {},
      interruptible: tool.interruptible === true,
    })),
  };
  const crashes: unknown[] = [];
  let maxQueuedMs = 0;
  const base: CallObserver = {
    telemetry: (event, nowMs) => {
      told.push({ atMs: nowMs - startMs, event });
      maxQueuedMs = Math.max(maxQueuedMs, call?.session.queuedMs ?? 0);
    },
    attemptFailed: (stage, model, kind) => failures.push(`${stage} ${model} ${kind}`),
    frames: () => {
      maxQueuedMs = Math.max(maxQueuedMs, call.session.queuedMs);
    },
    crashed: (error) => crashes.push(error),
  };
  const call = startCall({
    session,
    core,
    models,
    policies: {
      stt: DEFAULT_PERSIST_POLICY,
      llm: DEFAULT_PERSIST_POLICY,
      tts: DEFAULT_PERSIST_POLICY,
      ...scenario.policies,
    },
    tools: scenario.tools ?? [],
    voice: undefined,
    language: undefined,
    canned: createCannedAudio({
      tts,
      voice: undefined,
      clip: () => ({ sampleRateHz: CLIP_HZ, samples: CLIP }),
      core,
      clock: time,
    }),
    clock: time,
    random: () => 0.5,
    ticker,
    observer: scenario.observe?.(session.id, base) ?? base,
    recording:
      scenario.unrecorded === true
        ? undefined
        : {
            write: (bytes) => void parts.push(bytes),
            close: () => {
              recordingClosed = true;
            },
          },
    epochMs: 0,
  });
  scenario.opened?.(call);
  call.attach(line);
  line.start(call.input);
  for (const [atMs, run] of scenario.at ?? []) time.setTimer(() => run(call, line), atMs);
  time.setTimer(() => call.close('caller hung up'), scenario.endMs);

  return {
    call,
    line,
    async finish() {
      const reason = await call.done;
      assert.deepEqual(crashes, [], 'the call crashed');
      assert.ok(recordingClosed, 'the recording was not closed');
      const recording = joined(parts);
      const again = replay(readRecording(recording), createFakeCore());
      const ledger = call.ledger();
      checkLedger(ledger);
      checkSound(line.sounds());
      const events = again.effects
        .trimEnd()
        .split('\n')
        .map((text) => JSON.parse(text) as { effect: string; event?: SessionTelemetry });
      assert.deepEqual(
        events.flatMap((e) => (e.effect === 'emit' ? [e.event] : [])),
        JSON.parse(JSON.stringify(told.map((t) => t.event))),
        'the replay tells something else than the call did',
      );
      assert.equal(line.closedWith, reason);
      return {
        call,
        line,
        told,
        models: { stt, llm, tts },
        fallback,
        breakers,
        failures,
        sounds: line.sounds(),
        ledger,
        reason,
        recording,
        maxQueuedMs,
        effects: again.effects,
      };
    },
  };
}

/** One call from its beginning to the end; nothing may be left of it. */
export async function simulate(scenario: Scenario): Promise<Simulated> {
  const world = createWorld();
  const { call, finish } = begin(world, scenario);
  await world.time.runTo(scenario.endMs);
  const result = await Promise.race([
    finish(),
    settled()
      .then(settled)
      .then(() => null),
  ]);
  assert.ok(result !== null, 'the call did not end');
  assert.ok(call.session.ended);
  // A voice that is asked for a stock phrase has five seconds, a tool that is deaf a minute.
  await world.time.runTo(scenario.endMs + 70_000);
  checkNothingLeft(world);
  return result;
}

export function checkNothingLeft(world: World): void {
  assert.equal(world.core.slotsInUse, 0, 'slots are left');
  assert.equal(world.ticker.size, 0, 'ticks are left');
  assert.equal(world.time.pending, 0, 'timers are left');
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Stages lie one after the other between the caller's end and the agent's start, and explain the time. */
function checkLedger(ledger: Ledger): void {
  for (const turn of ledger.turns) {
    if (turn.caller === null || turn.agent.startMs === null) {
      assert.equal(turn.responseMs, null);
      assert.deepEqual(turn.stages, []);
      continue;
    }
    let at = turn.caller.endMs;
    let sum = 0;
    for (const stage of turn.stages) {
      assert.ok(stage.startMs >= at, `stage ${stage.name} of turn ${turn.turn} overlaps`);
      assert.ok(stage.endMs > stage.startMs);
      at = stage.endMs;
      sum += stage.endMs - stage.startMs;
    }
    assert.ok(at <= turn.agent.startMs + 0.01);
    assert.ok(Math.abs((turn.responseMs ?? -1) - (turn.agent.startMs - turn.caller.endMs)) < 0.02);
    assert.ok(Math.abs((turn.unexplainedMs ?? -1) - ((turn.responseMs ?? 0) - sum)) < 0.05);
    assert.ok(Math.abs(turn.unexplainedMs ?? 99) <= 20, `turn ${turn.turn}: unexplained ${turn.unexplainedMs} ms`);
  }
}

/** Within a stretch each sample follows the one before, or a text begins anew: nothing is lost, doubled or swapped. */
function checkSound(sounds: readonly Sound[]): void {
  for (const { samples, startMs } of sounds) {
    for (let i = 1; i < samples.length; i++) {
      const [before, now] = [samples[i - 1] as number, samples[i] as number];
      if (now === before + 1 || now === FIRST_SAMPLE || now === CLIP_SAMPLE) continue;
      assert.fail(`at ${startMs + (i * 1000) / OUTPUT_HZ} ms sample ${now} follows ${before}`);
    }
  }
}

// ---- questions to a call ----

export function eventsOf<Type extends SessionTelemetry['type']>(
  { told }: Pick<Simulated, 'told'>,
  type: Type,
): (Extract<SessionTelemetry, { type: Type }> & { toldMs: number })[] {
  return told.flatMap(({ event, atMs }) =>
    event.type === type ? [{ ...(event as Extract<SessionTelemetry, { type: Type }>), toldMs: atMs }] : [],
  );
}

export const transcripts = (simulated: Simulated): string[] => eventsOf(simulated, 'transcript').map((e) => e.text);
export const replies = (simulated: Simulated): string[] => eventsOf(simulated, 'reply').map((e) => e.text);

/** What the n-th request of the language model was told, without the instructions. */
export function toldModel(simulated: Simulated, n: number) {
  return (simulated.models.llm.asked[n]?.request.messages ?? []).filter((m) => m.role !== 'system');
}
