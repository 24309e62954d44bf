// What is measured of calls, beside the code that runs them. Base units; ids and words are never labels.
import type { HistogramHandle, Registry } from '../metrics/index.ts';
import type { SessionTelemetry } from '../session/effects.ts';
import type { LedgerTurn } from '../session/ledger.ts';
import { createQualityInstruments } from './quality-instruments.ts';

export interface CallInstruments {
  /** One call on a transport: what it tells is recorded until it has ended. */
  started(transport: string): CallRecorder;
}

export interface CallRecorder {
  telemetry(event: SessionTelemetry, nowMs: number): void;
  attemptFailed(stage: string, kind: string): void;
  /** After a packet: frames that were decided with it, how many of them late, by how much, and the time that all of it took. */
  frames(decided: number, late: number, latencyMs: number, tookMs: number): void;
  ended(reason: string, durationMs: number): void;
}

/** Frames are decided within microseconds, or late by whatever blocks the process. */
const PACKET_BOUNDS_S = [
  0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1,
];
const LENGTH_BOUNDS_S = [1, 5, 10, 20, 30, 60, 120, 180, 300, 600, 1200, 1800, 3600, 7200];
const TURN_BOUNDS = [1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 100];

/** `tools`: names that may be labels; a model that makes one up makes no series. */
export function createCallInstruments(registry: Registry, tools: readonly string[] = []): CallInstruments {
  const counter = (name: string, help: string, labels: readonly string[] = []) =>
    registry.counter({ name: `syrinx.${name}`, help, labels });
  const seconds = (name: string, help: string, labels: readonly string[] = [], bounds?: readonly number[]) =>
    registry.histogram({ name: `syrinx.${name}`, help, labels, bounds, unit: 's' });

  const active = registry.gauge({ name: 'syrinx.sessions.active', help: 'Calls that are running.' }).labels();
  const started = counter('sessions.started', 'Calls that began.').labels();
  const ended = counter('sessions.ended', 'Calls that ended, by outcome.', ['outcome']);
  const transports = counter('transport.sessions', 'Calls that began, by transport.', ['transport']);
  const length = seconds('session.duration', 'Length of calls.', [], LENGTH_BOUNDS_S).labels();
  const turnsEach = registry
    .histogram({ name: 'syrinx.session.turns', help: 'Turns of a call.', unit: '{turn}', bounds: TURN_BOUNDS })
    .labels();
  const turns = counter('turns.completed', 'Turns that were answered.').labels();
  const turnEnds = counter('turns.ended', 'Turns by how they ended.', ['outcome']);
  const response = seconds(
    'conversation.response',
    "From the caller's last voiced sample to the first audible one of the agent.",
  ).labels();
  const overhead = seconds('agent.overhead', 'Response time without providers and endpointing.').labels();
  const unexplained = seconds('turn.unexplained', 'Part of the response time that belongs to no stage.').labels();
  const stages = seconds('turn.stage.duration', 'Part of the response time that a stage took.', ['stage', 'provider']);
  const agentSpeech = seconds('turn.speech.duration', 'What was heard of a reply.', [], LENGTH_BOUNDS_S).labels();
  const interruptions = counter('interruptions', 'Replies that the caller interrupted.').labels();
  const resumed = counter('interruptions.false', 'Replies that went on after an interruption that was none.').labels();
  const failures = counter('failures', 'Stages that failed for good.', ['stage', 'kind']);
  const attempts = counter('model.attempts.failed', 'Requests to models that failed, retries included.', [
    'stage',
    'kind',
  ]);
  const executed = counter('tools.executed', 'Tools that ran, by outcome.', ['outcome']);
  const toolTime = seconds('tool.duration', 'Time that tools took, by tool and outcome.', ['tool', 'outcome']);
  const tokens = counter('model.tokens', 'Tokens that language models counted.', ['direction']);
  const dropped = counter('inputs.dropped', 'What calls had no room for, in pieces of its kind.', ['what']);
  const framesIn = counter('audio.frames', '20 ms frames that were decided.').labels();
  const framesLate = counter('audio.frames.late', 'Frames decided more than 20 ms after they were due.').labels();
  const processing = seconds(
    'audio.processing',
    'Decision time of a frame less the time at which it was due.',
  ).labels();
  const cpu = seconds(
    'audio.cpu',
    'Time that one packet took from the transport to its decision.',
    [],
    PACKET_BOUNDS_S,
  ).labels();
  const quality = createQualityInstruments(registry);
  const known = new Set(tools);
  const bound = memoize((tool: string, outcome: string) => toolTime.labels({ tool, outcome }));
  const boundStage = memoize((stage: string, provider: string) => stages.labels({ stage, provider }));
  let running = 0;
  active.set(0);

  function turn({ caller, agent, responseMs, overheadMs, unexplainedMs, stages: parts }: LedgerTurn): void {
    turns.add(1);
    turnEnds.labels({ outcome: turnOutcome(caller === null, agent) }).add(1);
    if (responseMs !== null) response.record(responseMs / 1000);
    if (overheadMs !== null) overhead.record(Math.max(0, overheadMs) / 1000);
    if (unexplainedMs !== null) unexplained.record(Math.max(0, unexplainedMs) / 1000);
    for (const { name, startMs, endMs, provider } of parts) {
      boundStage(name, String(provider)).record(Math.max(0, endMs - startMs) / 1000);
    }
    if (agent.startMs !== null && agent.endMs !== null) {
      agentSpeech.record(Math.max(0, agent.endMs - agent.startMs) / 1000);
    }
  }

  return {
    started(transport) {
      started.add(1);
      transports.labels({ transport }).add(1);
      active.set(++running);
      let turnCount = 0;
      const ear = quality.started();
      /** When tools that run began, by call id. */
      const toolsSince = new Map<string, number>();
      return {
        telemetry(event, nowMs) {
          switch (event.type) {
            case 'turn':
              turnCount++;
              return turn(event.ledger);
            case 'interrupted':
              return interruptions.add(1);
            case 'resumed':
              return resumed.add(1);
            case 'failure':
              return failures.labels({ stage: event.stage, kind: event.kind }).add(1);
            case 'quality':
              return ear.report(event);
            case 'dropped':
              return dropped.labels({ what: event.what }).add(event.count);
            case 'tool': {
              if (event.phase === 'started') return void toolsSince.set(event.callId, nowMs);
              const outcome = event.phase === 'finished' ? 'ok' : 'error';
              executed.labels({ outcome }).add(1);
              const sinceMs = toolsSince.get(event.callId);
              if (sinceMs === undefined) return;
              toolsSince.delete(event.callId);
              return bound(known.has(event.name) ? event.name : '_other', outcome).record((nowMs - sinceMs) / 1000);
            }
            case 'usage':
              tokens.labels({ direction: 'input' }).add(event.inputTokens);
              tokens.labels({ direction: 'output' }).add(event.outputTokens);
          }
        },
        attemptFailed: (stage, kind) => attempts.labels({ stage, kind }).add(1),
        frames(decided, late, latencyMs, tookMs) {
          cpu.record(tookMs / 1000);
          if (decided === 0) return;
          framesIn.add(decided);
          if (late > 0) framesLate.add(late);
          for (let i = 0; i < decided; i++) processing.record(latencyMs / 1000);
        },
        ended(reason, durationMs) {
          active.set(--running);
          ear.ended();
          ended.labels({ outcome: outcomeOf(reason) }).add(1);
          length.record(Math.max(0, durationMs) / 1000);
          turnsEach.record(turnCount);
        },
      };
    },
  };
}

function turnOutcome(unasked: boolean, agent: LedgerTurn['agent']): string {
  if (agent.interruptedAtMs !== null) return 'interrupted';
  if (agent.startMs === null) return 'unanswered';
  return unasked ? 'unasked' : 'answered';
}

/** Reasons are texts of many kinds; a label has three values. */
function outcomeOf(reason: string): 'completed' | 'failed' | 'lost' {
  if (reason === 'model failure' || reason === 'internal error') return 'failed';
  return reason === 'connection lost' ? 'lost' : 'completed';
}

/** Handles that were asked for once. */
function memoize(make: (a: string, b: string) => HistogramHandle): (a: string, b: string) => HistogramHandle {
  const made = new Map<string, Map<string, HistogramHandle>>();
  return (a, b) => {
    const inner = made.get(a) ?? new Map<string, HistogramHandle>();
    if (!made.has(a)) made.set(a, inner);
    const handle = inner.get(b) ?? make(a, b);
    if (!inner.has(b)) inner.set(b, handle);
    return handle;
  };
}
