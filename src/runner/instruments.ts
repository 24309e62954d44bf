// What is measured of calls, beside the code that runs them. Base units; ids and words are never labels.
import type { HistogramHandle, Registry } from '../metrics/index.ts';
import type { SessionTelemetry } from '../session/effects.ts';

export interface CallInstruments {
  readonly frameLatency: HistogramHandle;
  started(): void;
  ended(reason: string, framesIn: number, framesLate: number, durationMs: number): void;
  telemetry(event: SessionTelemetry): void;
  attemptFailed(stage: string, kind: string): void;
}

export function createCallInstruments(registry: Registry): CallInstruments {
  const counter = (name: string, help: string, labels: readonly string[] = []) =>
    registry.counter({ name, help, labels });
  const duration = (name: string, help: string) => registry.histogram({ name, help, unit: 's' }).labels();
  const active = registry.gauge({ name: 'syrinx.sessions.active', help: 'Calls that are running.' }).labels();
  const started = counter('syrinx.sessions.started', 'Calls that began.').labels();
  const ended = counter('syrinx.sessions.ended', 'Calls that ended, by outcome.', ['outcome']);
  const length = duration('syrinx.session.duration', 'Length of calls.');
  const turns = counter('syrinx.turns.completed', 'Turns that were answered.').labels();
  const response = duration(
    'syrinx.conversation.response',
    "From the caller's last voiced sample to the first audible one of the agent.",
  );
  const overhead = duration('syrinx.agent.overhead', 'Response time without providers and endpointing.');
  const interruptions = counter('syrinx.interruptions', 'Replies that the caller interrupted.').labels();
  const failures = counter('syrinx.failures', 'Stages that failed for good.', ['stage', 'kind']);
  const attempts = counter('syrinx.model.attempts.failed', 'Requests to models that failed, retries included.', [
    'stage',
    'kind',
  ]);
  const tools = counter('syrinx.tools.executed', 'Tools that ran, by outcome.', ['outcome']);
  const tokens = counter('syrinx.model.tokens', 'Tokens that language models counted.', ['direction']);
  const framesIn = counter('syrinx.audio.frames', '20 ms frames that were analyzed in calls that ended.').labels();
  const framesLate = counter(
    'syrinx.audio.frames.late',
    'Frames decided more than 20 ms after they were due.',
  ).labels();
  let count = 0;
  active.set(0);
  return {
    frameLatency: duration('syrinx.audio.processing', 'Decision time of a frame less the time at which it was due.'),
    started() {
      started.add(1);
      active.set(++count);
    },
    ended(reason, frames, late, durationMs) {
      active.set(--count);
      ended.labels({ outcome: outcomeOf(reason) }).add(1);
      framesIn.add(frames);
      framesLate.add(late);
      length.record(durationMs / 1000);
    },
    telemetry(event) {
      switch (event.type) {
        case 'turn': {
          turns.add(1);
          const { responseMs, overheadMs } = event.ledger;
          if (responseMs !== null) response.record(responseMs / 1000);
          if (overheadMs !== null) overhead.record(overheadMs / 1000);
          return;
        }
        case 'interrupted':
          return interruptions.add(1);
        case 'failure':
          return failures.labels({ stage: event.stage, kind: event.kind }).add(1);
        case 'tool':
          if (event.phase !== 'started') tools.labels({ outcome: event.phase === 'finished' ? 'ok' : 'error' }).add(1);
          return;
        case 'usage':
          tokens.labels({ direction: 'input' }).add(event.inputTokens);
          tokens.labels({ direction: 'output' }).add(event.outputTokens);
      }
    },
    attemptFailed: (stage, kind) => attempts.labels({ stage, kind }).add(1),
  };
}

/** Reasons are texts of many kinds; a label has three values. */
function outcomeOf(reason: string): 'completed' | 'failed' | 'lost' {
  if (reason === 'model failure' || reason === 'internal error') return 'failed';
  return reason === 'connection lost' ? 'lost' : 'completed';
}
