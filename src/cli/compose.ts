// Wires the program together: one audio core, one ticker, the models, and a way to take calls.
import { type Agent, toolSpecs } from '../agent/define-agent.ts';
import { createAudioCore } from '../audio/index.ts';
import { withNeuralEars } from '../audio/neural/neural-core.ts';
import type { NeuralVad } from '../audio/neural/neural-vad.ts';
import type { Config } from '../config/schema.ts';
import { createRegistry, type Registry } from '../metrics/index.ts';
import { createOpenAiLlm, createOpenAiStt, createOpenAiTts } from '../models/openai/index.ts';
import type { LlmModel, SttModel, TtsModel } from '../models/port.ts';
import { createSimulatedOpenAi, type SimulatedServerOptions } from '../models/simulated/index.ts';
import type { Logger } from '../ops/logs.ts';
import { queueSizes } from '../ops/system/queue-size.ts';
import { Breaker } from '../runner/breaker.ts';
import { type Call, type CallModels, type CallObserver, startCall } from '../runner/call.ts';
import { createCannedAudio } from '../runner/canned.ts';
import { systemClock } from '../runner/clock.ts';
import { type CallRecorder, createCallInstruments } from '../runner/instruments.ts';
import { type Conversions, createConversions, measureCore } from '../runner/measured-core.ts';
import { measureModels } from '../runner/measured-models.ts';
import { createPermits } from '../runner/permits.ts';
import { DEFAULT_PERSIST_POLICY, type PersistPolicy } from '../runner/persist.ts';
import type { RecordingSink } from '../runner/recorder.ts';
import { STOCK_RATE_HZ, stockPhrasePcm } from '../runner/stock-phrases.generated.ts';
import { createTicker } from '../runner/ticker.ts';
import type { SessionTelemetry } from '../session/effects.ts';
import type { SessionOptions } from '../session/options.ts';
import type { TransportRateHz } from '../transports/port.ts';
import { VERSION } from './commands/version.ts';
import { type ProcessTelemetry, processTelemetry } from '../ops/telemetry/index.ts';
import { EXIT } from './exit-codes.ts';
import { SessionMeters } from './operations/session-meters.ts';
import { createSessionWatch, type SessionWatch } from './telemetry/session-watch.ts';
import { traceCall } from './telemetry/traces.ts';
import { UserError } from './user-error.ts';

export interface ComposeOptions {
  readonly config: Config;
  readonly agent: Agent;
  readonly log: Logger;
  /** Behaviour of simulated models, where the configuration asks for them. */
  readonly simulated?: SimulatedServerOptions | undefined;
  /** Instead of the models that the configuration names. */
  readonly models?: CallModels | undefined;
  /** The net that calls hear with (`loadNeuralVad`); without it `neural` is `energy`, and recordings say so. */
  readonly neural?: NeuralVad | undefined;
  /** Where users have attached handlers and registered collectors; default: the process's own. */
  readonly telemetry?: ProcessTelemetry | undefined;
}

export interface CallRequest {
  readonly transport: string;
  readonly inputRateHz: TransportRateHz;
  readonly outputRateHz: TransportRateHz;
  /** Packets may be lost, late or out of order: the session needs a jitter buffer. */
  readonly lossy?: boolean | undefined;
  readonly id?: string | undefined;
  /** Who answers; default: the agent of the runtime. */
  readonly agent?: Agent | undefined;
  readonly recording?: RecordingSink | undefined;
  /** Told once when the recording can not be written any more; the call goes on without it. */
  readonly onRecordingFailed?: ((error: unknown) => void) | undefined;
  /** Sees what happens in this call, besides logs and metrics. */
  readonly onTelemetry?: ((event: SessionTelemetry) => void) | undefined;
}

/** A call that is running, as routes and limits see it. */
export interface RunningCall {
  readonly call: Call;
  readonly transport: string;
  readonly startedAtMs: number;
  state: string;
  turns: number;
  /** When something last happened, on the host's clock. */
  activeAtMs: number;
}

export interface Runtime {
  readonly agent: Agent;
  readonly agentName: string;
  readonly registry: Registry;
  readonly calls: ReadonlyMap<string, RunningCall>;
  /** Records, events and ratings of sessions. */
  readonly watch: SessionWatch;
  readonly telemetry: ProcessTelemetry;
  /** What the real-time monitor reads of the calls; null where it is off. */
  readonly meters: SessionMeters | null;
  readonly audioSlotsInUse: number;
  /** The models, and whether requests go to them. */
  services(): readonly { readonly name: string; readonly state: Breaker['state'] }[];
  /** Throws `RangeError` when the program is full. */
  open(request: CallRequest): Call;
  /** Opens connections to the models ahead of the first call. Never rejects. */
  warm(): Promise<void>;
  /** Ends all calls; resolves when everything is given back. */
  closeAll(reason: string): Promise<void>;
}

/** A call needs an analyzer, up to two resamplers for voices, and one for a stock phrase. */
const SLOTS_PER_CALL = 4;

/** Throws `UserError` when the configuration leaves a model without a key. */
export function composeRuntime({
  config,
  agent,
  log,
  simulated,
  models: given,
  neural,
  telemetry = processTelemetry,
}: ComposeOptions): Runtime {
  const clock = systemClock;
  const registry = createRegistry({ maxSeriesPerInstrument: config.telemetry.maxSeriesPerInstrument });
  const conversions = createConversions(registry);
  const maxSlots = Math.min(4096, config.capacity.maxSessions * SLOTS_PER_CALL);
  const plainCore = measureCore(createAudioCore({ maxSlots }), { conversions, now: clock.now });
  const core = neural === undefined ? plainCore : withNeuralEars(plainCore, neural);
  const ticker = createTicker(clock);
  const instruments = createCallInstruments(
    registry,
    agent.tools.map(({ name }) => name),
  );
  const permits = createPermits(config.models.maxConcurrentRequests);
  queueSizes(registry).add('models', () => permits.waiting);
  const { stt, llm, tts } = config.models;
  const models = measureModels(given ?? createModels(config, simulated, conversions), {
    registry,
    now: clock.now,
    names: given === undefined ? { stt: stt.model, llm: llm.model, tts: tts.model } : undefined,
    permits,
  });
  const voice = agent.voice ?? config.models.tts.voice;
  const canned = createCannedAudio({
    tts: models.tts[0]?.model ?? null,
    voice,
    clip: (name) => ({ sampleRateHz: STOCK_RATE_HZ, samples: stockPhrasePcm(name) }),
    core,
    clock,
  });
  const agentName = agent.name ?? config.agent.name;
  const calls = new Map<string, RunningCall>();
  const watch = createSessionWatch({ telemetry, registry, agent, agentName, log, epochNowMs: Date.now });
  const meters = config.monitoring.realTimeEnabled && config.telemetry.enabled ? new SessionMeters() : null;
  const limits = watchLimits(calls, config.session.idleTimeoutMs, config.session.maxTurns);
  const policies = {
    stt: policyFor(config.models.stt.timeoutMs),
    llm: policyFor(config.models.llm.timeoutMs),
    tts: policyFor(config.models.tts.timeoutMs),
  };

  function observer(
    id: string,
    running: () => RunningCall,
    recorder: () => CallRecorder,
    { onTelemetry, onRecordingFailed }: CallRequest,
    callLog: Logger,
  ): CallObserver {
    return {
      telemetry(event, nowMs) {
        recorder().telemetry(event, nowMs);
        running().activeAtMs = nowMs;
        follow(event, running(), callLog);
        onTelemetry?.(event);
      },
      frames: (decided, late, latencyMs, tookMs) => recorder().frames(decided, late, latencyMs, tookMs),
      attemptFailed(stage, model, kind, message) {
        recorder().attemptFailed(stage, kind);
        callLog.warn('model attempt failed', { stage, model, kind, reason: message });
      },
      recordingFailed(error) {
        callLog.error('recording failed, the call goes on without it', { error });
        onRecordingFailed?.(error);
      },
      crashed: (error) => callLog.error('call crashed', { error }),
      ended(reason) {
        const { call, startedAtMs } = running();
        const { framesIn, framesLate } = call.session;
        recorder().ended(reason, Date.now() - startedAtMs);
        callLog.info('call ended', { reason, framesIn, framesLate });
        calls.delete(id);
      },
    };
  }

  return {
    agent,
    agentName,
    registry,
    calls,
    watch,
    telemetry,
    meters,
    get audioSlotsInUse() {
      return core.slotsInUse;
    },
    services: () =>
      [...models.stt, ...models.llm, ...models.tts].map(({ model, breaker }) => ({
        name: model.name,
        state: breaker.state,
      })),
    open(request) {
      if (calls.size >= config.capacity.maxSessions) throw new RangeError('All sessions are in use');
      const id = request.id ?? crypto.randomUUID();
      const answering = request.agent ?? agent;
      const name = answering.name ?? agentName;
      const callLog = log.child({ sessionId: id, correlationId: crypto.randomUUID() });
      const running: { value: RunningCall | null } = { value: null };
      const get = () => running.value as RunningCall;
      let recorder: CallRecorder | null = null;
      const plain = observer(id, get, () => recorder as CallRecorder, request, callLog);
      const metered = meters?.observe(id, plain);
      const call = startCall({
        session: sessionOptions(config, answering, name, id, request, neural),
        core,
        models,
        policies,
        tools: answering.tools,
        voice: answering.voice ?? voice,
        language: answering.language ?? config.models.stt.language,
        canned,
        clock,
        random: Math.random,
        ticker,
        observer: watch.observe(id, request.transport, callLog, metered?.observer ?? plain),
        recording: request.recording,
        epochMs: Date.now() - clock.now(),
      });
      running.value = {
        call,
        transport: request.transport,
        startedAtMs: Date.now(),
        state: 'listening',
        turns: 0,
        activeAtMs: clock.now(),
      };
      calls.set(id, running.value);
      metered?.opened();
      limits.start();
      recorder = traceCall(instruments.started(request.transport), call, VERSION);
      callLog.info('call started', { transport: request.transport, agent: name });
      watch.opened(call, request.transport, callLog, answering);
      if (answering.greeting !== undefined) call.say(answering.greeting);
      return call;
    },
    async warm() {
      const { signal } = new AbortController();
      const all = [...models.stt, ...models.llm, ...models.tts];
      await Promise.all(all.map(async ({ model }) => model.warm?.(signal)));
    },
    async closeAll(reason) {
      const open = [...calls.values()];
      for (const { call } of open) call.close(reason);
      await Promise.all(open.map(({ call }) => call.done));
    },
  };
}

/** Utterances are kept for recognizers at the rate of the analysis. */
const UTTERANCE_HZ = 16_000;
const LIMIT_CHECK_MS = 1000;

/** Ends calls in which nobody says anything, and calls that go on for too many turns. Runs only while there are calls. */
function watchLimits(calls: ReadonlyMap<string, RunningCall>, idleTimeoutMs: number, maxTurns: number) {
  let running = false;
  const check = () => {
    const nowMs = systemClock.now();
    for (const { call, activeAtMs, turns } of [...calls.values()]) {
      if (nowMs - activeAtMs >= idleTimeoutMs) call.close('idle');
      else if (turns >= maxTurns) call.close('too many turns');
    }
    running = calls.size > 0;
    if (running) systemClock.setTimer(check, LIMIT_CHECK_MS);
  };
  return {
    start() {
      if (running) return;
      running = true;
      systemClock.setTimer(check, LIMIT_CHECK_MS);
    },
  };
}

function follow(event: SessionTelemetry, running: RunningCall, log: Logger): void {
  if (event.type === 'state') running.state = event.state;
  else if (event.type === 'turn') {
    running.turns++;
    const { turn, responseMs, overheadMs } = event.ledger;
    log.info('turn completed', { turn, responseMs, overheadMs });
  } else if (event.type === 'failure')
    log.error('stage failed', { turn: event.turn, stage: event.stage, kind: event.kind });
  else if (event.type === 'interrupted') log.info('agent interrupted', { turn: event.turn, atMs: event.atMs });
  else if (event.type === 'dropped') log.warn('input dropped', { what: event.what, count: event.count });
}

function policyFor(timeoutMs: number): PersistPolicy {
  return {
    ...DEFAULT_PERSIST_POLICY,
    totalMs: timeoutMs,
    attemptMs: Math.min(DEFAULT_PERSIST_POLICY.attemptMs, timeoutMs),
  };
}

function sessionOptions(
  config: Config,
  agent: Agent,
  agentName: string,
  id: string,
  request: CallRequest,
  neural: NeuralVad | undefined,
): SessionOptions {
  return {
    id,
    agent: agentName,
    transport: request.transport,
    inputRateHz: request.inputRateHz,
    outputRateHz: request.outputRateHz,
    lossy: request.lossy,
    instructions: agent.instructions,
    greeting: agent.greeting,
    tools: toolSpecs(agent.tools),
    listening: heardWith(config, neural),
    turns: config.turns,
    reply: config.reply,
    phrases: config.phrases,
  };
}

function heardWith({ listening }: Config, neural: NeuralVad | undefined): SessionOptions['listening'] {
  return listening.vad === 'neural' && neural === undefined ? { ...listening, vad: 'energy' } : listening;
}

function createModels(
  config: Config,
  simulatedOptions: SimulatedServerOptions | undefined,
  conversions: Conversions,
): CallModels {
  const { stt, llm, tts } = config.models;
  const stages = [stt, llm, tts];
  const fetch = stages.some((s) => s.provider === 'simulated')
    ? createSimulatedOpenAi(simulatedOptions).fetch
    : undefined;
  const common = (stage: (typeof stages)[number], name: string) => {
    if (stage.provider === 'simulated')
      return { apiKey: 'simulated', baseUrl: 'http://simulated.invalid/v1', fetch, name: `simulated.${name}` };
    const key = stage.apiKey ?? config.models.apiKey;
    if (key === undefined) {
      throw new UserError('No key for the models', {
        exitCode: EXIT.auth,
        problems: [
          `models.${name}.api_key: set OPENAI_API_KEY (and OPENAI_BASE_URL for another server)`,
          'or run without a key: --demo, or models.provider "simulated"',
        ],
      });
    }
    return { apiKey: key.reveal(), baseUrl: stage.baseUrl, timeoutMs: stage.timeoutMs };
  };
  const guarded = <M>(model: M) => [{ model, breaker: new Breaker(systemClock) }];
  return {
    stt: guarded<SttModel>(
      createOpenAiStt({
        ...common(stt, 'stt'),
        model: stt.model,
        language: stt.language,
        prompt: stt.prompt,
        onPacked: conversions.meter('wav', 'pcm16', 'wav', UTTERANCE_HZ).done,
      }),
    ),
    llm: guarded<LlmModel>(
      createOpenAiLlm({
        ...common(llm, 'llm'),
        model: llm.model,
        temperature: llm.temperature,
        maxTokens: llm.maxTokens,
      }),
    ),
    tts: guarded<TtsModel>(createOpenAiTts({ ...common(tts, 'tts'), model: tts.model, voice: tts.voice })),
  };
}
