// One call: performs what its session asks for, and brings the answers back with their time.
import type { Rating } from '../agent/agent-session.ts';
import type { ToolDefinition } from '../agent/tool.ts';
import type { AudioCore } from '../audio/core.ts';
import {
  type GenerateEvent,
  type LlmModel,
  type Message,
  ModelError,
  type SttModel,
  type ToolSpec,
  type Transcript,
  type TtsModel,
} from '../models/port.ts';
import type { Effects, SessionTelemetry } from '../session/effects.ts';
import type { SessionEvent } from '../session/inputs.ts';
import type { Ledger } from '../session/ledger.ts';
import type { SessionOptions } from '../session/options.ts';
import { createSession, type Session } from '../session/session.ts';
import type { CallInput, LineReport, Transport } from '../transports/port.ts';
import type { Breaker } from './breaker.ts';
import type { CannedAudio } from './canned.ts';
import type { Clock } from './clock.ts';
import { asModelError, type Candidate, type PersistContext, type PersistPolicy, persist } from './persist.ts';
import { recordSession, type RecordingSink } from './recorder.ts';
import { createScope, type Scope } from './scope.ts';
import { SessionHandle } from './session-handle.ts';
import { closeStream, type OpenStream, openStream, readAll } from './stream.ts';
import type { Ticker } from './ticker.ts';
import { runTool } from './tools.ts';
import { Voice } from './voice.ts';

/** A model and the breaker that all calls share for it. */
export interface Guarded<Model> {
  readonly model: Model;
  readonly breaker: Breaker;
}

/** Models in the order in which they are tried. */
export interface CallModels {
  readonly stt: readonly Guarded<SttModel>[];
  readonly llm: readonly Guarded<LlmModel>[];
  readonly tts: readonly Guarded<TtsModel>[];
}

export interface StagePolicies {
  readonly stt: PersistPolicy;
  readonly llm: PersistPolicy;
  readonly tts: PersistPolicy;
}

/** What happens in a call, for logs, metrics and handlers. `nowMs` is the host's clock. */
export interface CallObserver {
  telemetry?(event: SessionTelemetry, nowMs: number): void;
  /** A model gave its first sign of life (a whole transcript, the first token, the first audio), so long after it was asked. */
  attemptAnswered?(stage: 'stt' | 'llm' | 'tts', model: string, tookMs: number): void;
  /** An attempt failed; others may follow. */
  attemptFailed?(stage: 'stt' | 'llm' | 'tts', model: string, kind: string, message: string): void;
  /** After each packet of so many bytes: the frames that were decided with it, how many of them late, by how much (decision time less due
   *  time of the newest frame, in ms), and how long all of it took. */
  frames?(decided: number, late: number, latencyMs: number, tookMs: number, bytes: number): void;
  /** A defect of this program ended the call. */
  crashed?(error: unknown): void;
  /** The recording could not be written; the call goes on without it. */
  recordingFailed?(error: unknown): void;
  ended?(reason: string): void;
  /** Somebody judged the call. */
  rated?(rating: Required<Rating>): void;
  /** A handler of the agent threw, or was passed over because too many of its promises are open. */
  handlerFailed?(event: string, error: unknown): void;
  handlerDropped?(event: string): void;
}

export interface CallOptions {
  readonly session: SessionOptions;
  readonly core: AudioCore;
  readonly models: CallModels;
  readonly policies: StagePolicies;
  readonly tools: readonly ToolDefinition[];
  readonly voice: string | undefined;
  readonly language: string | undefined;
  readonly canned: CannedAudio;
  readonly clock: Clock;
  readonly random: () => number;
  readonly ticker: Ticker;
  readonly observer: CallObserver;
  readonly recording?: RecordingSink | undefined;
  /** ms since 1970 at the clock's 0. */
  readonly epochMs: number;
}

export interface Call {
  readonly id: string;
  readonly session: Session;
  /** What the agent's hooks and tools hold. */
  readonly handle: SessionHandle;
  /** For the transport: what comes from the caller. */
  readonly input: CallInput;
  /** Takes the line; the call sounds from now on. */
  attach(transport: Transport): void;
  say(text: string): void;
  /** Has the agent say goodbye; the call ends with it. Who can not wait closes it later. */
  farewell(reason: string): void;
  close(reason: string): void;
  ledger(): CallLedger;
  /** Resolves with the reason when the call is over and everything is given back. */
  readonly done: Promise<string>;
}

/** The session's ledger, with what the line was worth where that is measured. */
export type CallLedger = Ledger & { readonly connection?: LineReport };

/** Once text has begun to come, the model may pause this long. */
const TEXT_IDLE_MS = 10_000;
const PULL_MS = 20;
/** From this lead on audio goes out in pulls of `LONG_PULL_MS`: each message costs a system call. */
const LONG_LEAD_MS = 160;
const LONG_PULL_MS = 80;

/** Throws `RangeError` when the audio core has no slot left. */
export function startCall(options: CallOptions): Call {
  return new RunningCall(options);
}

class RunningCall implements Call, Effects {
  readonly #o: CallOptions;
  readonly #scope = createScope();
  readonly #analyzer;
  readonly #voice: Voice;
  #out: Int16Array;
  readonly #toolScopes = new Map<string, Scope & { close(): void }>();
  readonly #toolSpecs: readonly ToolSpec[];
  readonly #finish: (reason: string) => void;
  #recognition: (Scope & { close(): void }) | null = null;
  #generation: (Scope & { close(): void }) | null = null;
  #transport: Transport | null = null;
  #cancelWake: () => void = () => {};
  #cancelTick: () => void = () => {};
  /** When the transport will have played what it was given. */
  #playEndMs = 0;
  /** The session is at work: what comes meanwhile waits, so that its inputs have one order. */
  #busy = false;
  readonly #inbox: SessionEvent[] = [];
  #soundDue = false;
  #ended = false;
  readonly session: Session;
  readonly handle: SessionHandle;
  readonly done: Promise<string>;

  constructor(options: CallOptions) {
    this.#o = options;
    this.#analyzer = options.core.openAnalyzer(options.session.inputRateHz);
    const session = createSession(options.session, this.#analyzer, this);
    this.session =
      options.recording === undefined
        ? session
        : recordSession(session, options.session, options.recording, (error) =>
            options.observer.recordingFailed?.(error),
          );
    this.handle = this.#createHandle();
    this.#out = new Int16Array((options.session.outputRateHz * PULL_MS) / 1000);
    this.#toolSpecs = options.session.tools.map(({ name, description, parameters }) => ({
      name,
      description,
      parameters,
    }));
    this.#voice = new Voice({
      models: options.models.tts.map(({ model, breaker }) => ({ model, candidate: { name: model.name, breaker } })),
      voice: options.voice,
      outputRateHz: options.session.outputRateHz,
      core: options.core,
      clock: options.clock,
      canned: options.canned,
      sink: this.#voiceSink(),
      context: (scope, onStalled) => this.#context('tts', scope, onStalled),
    });
    let finish: (reason: string) => void = () => {};
    this.done = new Promise((resolve) => {
      finish = resolve;
    });
    this.#finish = finish;
    this.#cancelTick = options.ticker.add((nowMs) => this.#tick(nowMs));
  }

  get id(): string {
    return this.#o.session.id;
  }

  #createHandle(): SessionHandle {
    const { session, observer, clock, epochMs } = this.#o;
    return new SessionHandle({
      id: session.id,
      agent: session.agent,
      transport: session.transport,
      outputRateHz: session.outputRateHz,
      epochNowMs: () => epochMs + clock.now(),
      tell: (event) => this.#tell(event),
      isEnded: () => this.#ended,
      rated: (rating) => observer.rated?.(rating),
      observer: {
        failed: (event, error) => observer.handlerFailed?.(event, error),
        dropped: (event) => observer.handlerDropped?.(event),
      },
    });
  }

  // ---- from the caller and the program ----

  readonly input: CallInput = {
    audio: (packet, position) => this.#audio(packet, position),
    played: (position) => this.#tell({ type: 'played', position }),
    text: (text) => this.#tell({ type: 'text', text }),
    dtmf: (digit) => this.#tell({ type: 'dtmf', digit }),
    heardSoFar: () => (this.#ended ? null : this.session.heardSoFar(this.#o.clock.now())),
    close: (reason) => this.close(reason),
  };

  #audio(packet: Uint8Array, position: number): void {
    if (this.#ended || this.#busy) return;
    this.#busy = true;
    const { session } = this;
    const { clock, observer } = this.#o;
    const before = session.framesIn;
    const lateBefore = session.framesLate;
    const nowMs = clock.now();
    try {
      session.audio(packet, position, nowMs);
      const decided = session.framesIn - before;
      const late = session.framesLate - lateBefore;
      observer.frames?.(decided, late, session.frameLatencyMs, clock.now() - nowMs, packet.byteLength);
      this.handle.received(packet.byteLength);
    } catch (error) {
      this.#crash(error);
    }
    this.#busy = false;
    if (this.#soundDue || this.#inbox.length > 0) this.#settle();
  }

  attach(transport: Transport): void {
    this.#transport = transport;
    // A line that wants audio far ahead gets it in fewer, longer messages.
    if (transport.leadMs >= LONG_LEAD_MS) this.#out = new Int16Array((transport.outputRateHz * LONG_PULL_MS) / 1000);
    this.#soundDue = true;
    if (!this.#busy) this.#settle();
  }

  say(text: string): void {
    this.#tell({ type: 'say', text });
  }

  farewell(reason: string): void {
    this.#tell({ type: 'farewell', reason });
  }

  close(reason: string): void {
    this.#tell({ type: 'close', reason });
  }

  ledger(): CallLedger {
    const ledger = this.session.ledger((hostMs) =>
      new Date(this.#o.epochMs + (Number.isNaN(hostMs) ? this.#o.clock.now() : hostMs)).toISOString(),
    );
    const connection = this.#transport?.report?.();
    return connection === undefined ? ledger : { ...ledger, connection };
  }

  #tell(event: SessionEvent): void {
    if (this.#ended) return;
    this.handle.input(event);
    this.#inbox.push(event);
    if (!this.#busy) this.#settle();
  }

  /** Hands in what waits, and pulls when there is something to hear. */
  #settle(): void {
    while (!this.#ended && !this.#busy) {
      const event = this.#inbox.shift();
      if (event !== undefined) this.#guard(() => this.session.event(event, this.#o.clock.now()));
      else if (this.#soundDue) this.#pump(this.#o.clock.now());
      else return;
    }
  }

  /** The one place where a defect of the session is caught: it ends this call and no other. */
  #guard(run: () => void): void {
    this.#busy = true;
    try {
      run();
    } catch (error) {
      this.#crash(error);
    }
    this.#busy = false;
  }

  #crash(error: unknown): void {
    if (this.#ended) return;
    this.#o.observer.crashed?.(error);
    try {
      this.session.event({ type: 'close', reason: 'internal error' }, this.#o.clock.now());
    } catch {
      // It can not even take its leave.
    }
    this.end('internal error');
  }

  // ---- sound ----

  #tick(nowMs: number): void {
    if (this.session.sounding) this.#pump(nowMs);
    this.#settle();
    this.#voice.tick();
  }

  #pump(nowMs: number): void {
    this.#soundDue = false;
    const transport = this.#transport;
    if (transport === null || this.#ended || this.#busy) return;
    this.#guard(() => {
      const pullMs = (this.#out.length * 1000) / this.#o.session.outputRateHz;
      while (Math.max(this.#playEndMs, nowMs) - nowMs + pullMs < transport.leadMs + 2 * PULL_MS) {
        const speech = this.session.pull(this.#out, nowMs);
        if (speech === 0 || this.#ended) return;
        transport.play(speech === this.#out.length ? this.#out : this.#out.subarray(0, speech));
        this.handle.output(speech);
        this.#playEndMs = Math.max(this.#playEndMs, nowMs) + (speech * 1000) / this.#o.session.outputRateHz;
      }
    });
  }

  audioReady(): void {
    this.#soundDue = true;
  }

  clearAudio(): void {
    this.#playEndMs = 0;
    this.#transport?.clear();
  }

  // ---- models ----

  #context(stage: 'stt' | 'llm' | 'tts', scope: Scope, onStalled: () => void): PersistContext {
    const { clock, random, policies, observer } = this.#o;
    const onFailure = (name: string, error: { kind: string; message: string }) =>
      observer.attemptFailed?.(stage, name, error.kind, error.message);
    const onAnswer = (name: string, tookMs: number) => observer.attemptAnswered?.(stage, name, tookMs);
    return { clock, random, scope, policy: policies[stage], onStalled, onFailure, onAnswer };
  }

  transcribe({ turn, take, pcm }: { turn: number; take: number; pcm: Int16Array }): void {
    this.#recognition?.close();
    const scope = this.#scope.child();
    this.#recognition = scope;
    const request = { pcm, sampleRateHz: 16_000, language: this.#o.language };
    this.handle.streamed(pcm.byteLength);
    const candidates = this.#o.models.stt.map(
      ({ model, breaker }): Candidate<Transcript> => ({
        name: model.name,
        breaker,
        ask: (signal) => model.transcribe(request, signal),
      }),
    );
    const stalled = () => this.#tell({ type: 'stalled', stage: 'stt', turn, ref: take });
    persist(candidates, this.#context('stt', scope, stalled)).then(
      ({ answer, scope: own }) => {
        own.close();
        if (!scope.signal.aborted) this.#tell({ type: 'transcript', turn, take, text: answer.text });
        scope.close();
      },
      (error) => {
        if (!scope.signal.aborted)
          this.#tell({ type: 'failure', stage: 'stt', turn, ref: take, ...described(error, 'stt') });
        scope.close();
      },
    );
  }

  generate(request: { turn: number; round: number; tools: boolean; messages: readonly Message[] }): void {
    const scope = this.#scope.child();
    this.#generation?.close();
    this.#generation = scope;
    void this.#generate(request, scope).finally(() => scope.close());
  }

  async #generate(
    { turn, round, tools, messages }: { turn: number; round: number; tools: boolean; messages: readonly Message[] },
    scope: Scope,
  ): Promise<void> {
    const wanted = { messages, tools: tools ? this.#toolSpecs : [] };
    const candidates = this.#o.models.llm.map(
      ({ model, breaker }): Candidate<{ source: string; stream: OpenStream<GenerateEvent> }> => ({
        name: model.name,
        breaker,
        ask: async (signal) => ({
          source: model.name,
          stream: await openStream(model.generate(wanted, signal), model.name),
        }),
        discard: ({ stream }) => closeStream(stream),
      }),
    );
    const stalled = () => this.#tell({ type: 'stalled', stage: 'llm', turn, ref: round });
    let inputTokens: number | null = null;
    let outputTokens: number | null = null;
    let reason: string | null = null;
    try {
      const { answer } = await persist(candidates, this.#context('llm', scope, stalled));
      const reading = { source: answer.source, clock: this.#o.clock, idleMs: TEXT_IDLE_MS, signal: scope.signal };
      for await (const event of readAll(answer.stream, reading)) {
        if (scope.signal.aborted) return;
        if (event.type === 'text') this.#tell({ type: 'token', turn, round, text: event.text });
        else if (event.type === 'tool-call') this.#tell({ type: 'tool-call', turn, round, call: event.call });
        else if (event.type === 'usage') ({ inputTokens, outputTokens } = event);
        else reason = event.reason;
      }
      if (scope.signal.aborted) return;
      if (reason === null) throw new ModelError('protocol', answer.source, 'Broke off in the middle of an answer');
      this.#tell({ type: 'generated', turn, round, reason, inputTokens, outputTokens });
    } catch (error) {
      if (!scope.signal.aborted)
        this.#tell({ type: 'failure', stage: 'llm', turn, ref: round, ...described(error, 'llm') });
    }
  }

  synthesize({
    turn,
    piece,
    text,
    canned,
  }: {
    turn: number;
    piece: number;
    text: string;
    canned: 'apology' | 'wait' | 'goodbye' | null;
  }): void {
    const request = { turn, piece, text };
    if (canned === null) this.#voice.speak(request, this.#scope);
    else void this.#voice.speakCanned(request, canned, this.#scope);
  }

  #voiceSink() {
    const call = this;
    return {
      get queuedMs() {
        return call.session.queuedMs;
      },
      speech: ({ turn, piece }: { turn: number; piece: number }, samples: Int16Array) =>
        // What has to wait for the session must not lie in the voice's own buffer.
        this.#tell({ type: 'speech', turn, piece, samples: this.#busy ? samples.slice() : samples }),
      spoken: ({ turn, piece }: { turn: number; piece: number }) => this.#tell({ type: 'spoken', turn, piece }),
      stalled: ({ turn, piece }: { turn: number; piece: number }) =>
        this.#tell({ type: 'stalled', stage: 'tts', turn, ref: piece }),
      failed: ({ turn, piece }: { turn: number; piece: number }, kind: string, message: string) =>
        this.#tell({ type: 'failure', stage: 'tts', turn, ref: piece, kind, message }),
    };
  }

  // ---- tools ----

  runTool({
    turn,
    callId,
    name,
    arguments: args,
  }: {
    turn: number;
    callId: string;
    name: string;
    arguments: string;
  }): void {
    const scope = this.#scope.child();
    this.#toolScopes.set(callId, scope);
    const tool = this.#o.tools.find((t) => t.name === name);
    const context = { sessionId: this.id, turn, callId, signal: scope.signal, session: this.handle };
    this.handle.toolCalled(name, callId, args);
    void runTool(tool, { name, arguments: args }, context, this.#o.clock).then(({ output, isError }) => {
      this.#toolScopes.delete(callId);
      scope.close();
      this.handle.toolEnded(name, callId, output, isError);
      this.#tell({ type: 'tool-result', turn, callId, output, isError });
    });
  }

  cancelTool({ callId }: { callId: string }): void {
    this.#toolScopes.get(callId)?.stop();
  }

  // ---- control ----

  cancel({ turn, what, reason }: { turn: number; what: 'transcribe' | 'reply'; reason: string }): void {
    if (what === 'transcribe') {
      this.#recognition?.close();
      this.#recognition = null;
      return;
    }
    this.#generation?.close();
    this.#generation = null;
    this.#voice.cancel();
    this.handle.cancelled(turn, reason);
  }

  wakeAt(atMs: number): void {
    this.#cancelWake();
    const { clock } = this.#o;
    this.#cancelWake = clock.setTimer(() => this.#wake(), atMs - clock.now());
  }

  #wake(): void {
    if (this.#ended) return;
    this.#guard(() => this.session.wake(this.#o.clock.now()));
    this.#settle();
  }

  emit(event: SessionTelemetry): void {
    this.#o.observer.telemetry?.(event, this.#o.clock.now());
    this.handle.telemetry(event);
    const transport = this.#transport;
    if (transport === null) return;
    switch (event.type) {
      case 'state':
        return transport.notify({ type: 'state', state: event.state });
      case 'transcript':
      case 'reply':
        return transport.notify(event);
      case 'interrupted':
        return transport.notify({ type: 'interrupted', turn: event.turn, heard: event.heard });
      case 'turn':
        return transport.notify({ type: 'turn', ledger: event.ledger });
      case 'failure':
        return transport.notify({
          type: 'error',
          code: `${event.stage}-${event.kind}`,
          message: `The ${event.stage} model failed`,
        });
    }
  }

  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelWake();
    this.#cancelTick();
    this.#scope.close();
    this.#voice.release();
    this.#analyzer.release();
    try {
      this.#transport?.close(reason);
      this.#o.observer.ended?.(reason);
      this.handle.stopped(reason);
    } finally {
      this.#finish(reason);
    }
  }
}

function described(error: unknown, source: string): { kind: string; message: string } {
  const { kind, message } = asModelError(error, source);
  return { kind, message };
}
