// Watches every call: tells the specification's events to whoever is attached, keeps the sessions' records, starts the agent's hook.
import type { Agent } from '../../agent/define-agent.ts';
import type { Registry } from '../../metrics/index.ts';
import type { Logger } from '../../ops/logs.ts';
import {
  createEventHandler,
  createRatingBook,
  type ProcessTelemetry,
  type RatingBook,
} from '../../ops/telemetry/index.ts';
import { RATING_KINDS } from '../../agent/agent-session.ts';
import type { Call, CallObserver } from '../../runner/call.ts';
import type { SessionTelemetry } from '../../session/effects.ts';
import { type AudioSummary, NO_AUDIO, SessionRecords } from './session-records.ts';

export interface SessionWatchOptions {
  readonly telemetry: ProcessTelemetry;
  readonly registry: Registry;
  readonly agent: Agent;
  readonly agentName: string;
  readonly log: Logger;
  /** ms since 1970. */
  readonly epochNowMs: () => number;
}

export interface SessionWatch {
  readonly records: SessionRecords;
  readonly ratings: RatingBook;
  /** The same observer, and what is watched here besides. */
  observe(id: string, transport: string, log: Logger, base: CallObserver): CallObserver;
  /** The call exists: its agent's hook runs, then it is told that it began. */
  opened(call: Call, transport: string, log: Logger, answering?: Agent): void;
  /** Its line stands. */
  established(id: string, transport: string, setupMs: number): void;
  rate(id: string, rating: { readonly rating: number; readonly kind: string }): ReturnType<SessionRecords['rate']>;
}

export function createSessionWatch(options: SessionWatchOptions): SessionWatch {
  const { telemetry, registry, agent, agentName, epochNowMs } = options;
  const { events } = telemetry;
  const records = new SessionRecords();
  const ratings = createRatingBook(registry, RATING_KINDS);
  const counter = (name: string, help: string) => registry.counter({ name: `syrinx.${name}`, help }).labels();
  const failures = counter('handlers.failures', 'Handlers of session events that threw or rejected.');
  const dropped = counter('handlers.dropped', 'Session events that a handler with too many open promises did not get.');
  const activations = counter('vad.activations', 'Times that somebody was heard to begin to speak.');
  observeBus(telemetry, registry, options.log);

  function observe(id: string, transport: string, log: Logger, base: CallObserver): CallObserver {
    const about = { session_id: id, transport };
    // Borrowed by handlers: one object for each call, not for each packet.
    const processed: { latency_ms: number; chunk_size_bytes: number; quality_score?: number } = {
      latency_ms: 0,
      chunk_size_bytes: 0,
    };
    const told = new Set<string>();
    const toolsSince = new Map<string, number>();
    const once = (key: string, message: string, fields: Readonly<Record<string, unknown>>) => {
      if (told.has(key) || told.size >= 100) return;
      told.add(key);
      log.warn(message, fields);
    };
    return {
      ...base,
      telemetry(event, nowMs) {
        base.telemetry?.(event, nowMs);
        follow(event, nowMs);
      },
      frames(decided, late, latencyMs, tookMs, bytes) {
        base.frames?.(decided, late, latencyMs, tookMs, bytes);
        if (!events.wants('audio.processed')) return;
        processed.latency_ms = latencyMs;
        processed.chunk_size_bytes = bytes;
        events.execute('audio.processed', processed, about);
      },
      ended(reason) {
        base.ended?.(reason);
        finish(reason);
      },
      rated(rating) {
        base.rated?.(rating);
        if (records.rate(id, rating, epochNowMs()) === 'taken') ratings.record(rating);
      },
      handlerFailed(event, error) {
        failures.add(1);
        once(`failed ${event}`, 'handler failed, said once', { event, error });
      },
      handlerDropped(event) {
        dropped.add(1);
        once(`dropped ${event}`, 'handler is too slow, events are dropped; said once', { event });
      },
    };

    function follow(event: SessionTelemetry, nowMs: number): void {
      const record = records.running(id);
      if (record === undefined) return;
      record.lastActivityAtMs = epochNowMs();
      if (event.type === 'quality') hear(event);
      else if (event.type === 'speech-start') activations.add(1);
      else if (event.type === 'state') record.state = event.state;
      else if (event.type === 'transcript') record.messagesReceived++;
      else if (event.type === 'turn') {
        record.turns++;
        const { turn, caller, agent: spoken, responseMs } = event.ledger;
        if (spoken.heard !== '') record.messagesSent++;
        if (!events.wants('session.turn_completed')) return;
        const startMs = caller?.startMs ?? spoken.startMs ?? 0;
        const endMs = spoken.endMs ?? caller?.endMs ?? startMs;
        const duration_ms = Math.max(0, endMs - startMs, responseMs ?? 0);
        const messages_count = (caller === null ? 0 : 1) + (spoken.heard === '' ? 0 : 1);
        events.execute('session.turn_completed', { session_id: id, duration_ms, messages_count }, { ...about, turn });
      } else if (event.type === 'tool') {
        if (event.phase === 'started') {
          toolsSince.set(event.callId, nowMs);
          return;
        }
        record.toolCalls++;
        const sinceMs = toolsSince.get(event.callId);
        toolsSince.delete(event.callId);
        if (sinceMs === undefined || !events.wants('tool.executed')) return;
        const measured = { duration_ms: nowMs - sinceMs, success: event.phase === 'finished' };
        events.execute('tool.executed', measured, { ...about, tool_name: event.name, turn: event.turn });
      }
    }

    /** The newest window's score rides on every chunk until the next; one without speech has none. */
    function hear({ score, connection }: Extract<SessionTelemetry, { type: 'quality' }>): void {
      if (score === null) delete processed.quality_score;
      else processed.quality_score = score;
      // Lines of rooms are measured by their own statistics, each second.
      if (connection === null || transport === 'livekit' || !events.wants('connection.quality')) return;
      events.execute('connection.quality', { packet_loss_percent: connection.lossPercent }, about);
    }

    function finish(reason: string): void {
      const record = records.running(id);
      const call = calls.get(id);
      calls.delete(id);
      if (record === undefined) return;
      const nowMs = epochNowMs();
      const audio = call === undefined ? NO_AUDIO : audioOf(call);
      records.end(id, reason, nowMs, call?.ledger().turns ?? [], audio);
      const duration_ms = Math.max(0, nowMs - record.startedAtMs);
      events.execute('session.completed', { session_id: id, duration_ms, turns: record.turns, reason }, about);
    }
  }

  const calls = new Map<string, Call>();

  function opened(call: Call, transport: string, log: Logger, answering: Agent = agent): void {
    const { id, handle } = call;
    const nowMs = epochNowMs();
    calls.set(id, call);
    const record = records.open(id, answering.name ?? agentName, transport, nowMs);
    events.execute('session.started', { session_id: id, timestamp: nowMs }, { session_id: id, transport });
    // Participants and rooms are news of the transport, told to the session as events: the record listens like any handler.
    handle.watch('participant_updated', ({ participant_id, data }) => {
      const { name, kind, connection_state } = data as Record<string, unknown>;
      records.participant(record, {
        participant_id,
        identity: participant_id,
        name: typeof name === 'string' ? name : undefined,
        kind: kind === 'agent' || kind === 'sip' ? kind : 'standard',
        connection_state: connection_state === 'reconnecting' ? 'reconnecting' : 'connected',
        joined_at: record.participants.get(participant_id)?.joined_at ?? new Date(epochNowMs()).toISOString(),
      });
    });
    handle.watch('participant_removed', ({ participant_id }) => void record.participants.delete(participant_id));
    handle.watch('room_id_updated', ({ room_id }) => {
      record.roomId = room_id;
    });
    runHook(call, log, answering);
    handle.started();
  }

  function runHook({ handle }: Call, log: Logger, answering: Agent): void {
    if (answering.onSession === undefined) return;
    const failed = (error: unknown) => {
      failures.add(1);
      log.error('onSession failed, the call goes on', { error });
      handle.tell('session_error', { reason: 'onSession failed' });
    };
    try {
      const result = answering.onSession(handle);
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  return {
    records,
    ratings,
    observe,
    opened,
    established(id, transport, setupMs) {
      if (!events.wants('connection.established')) return;
      events.execute('connection.established', { setup_time_ms: setupMs }, { session_id: id, transport });
    },
    rate(id, rating) {
      const verdict = records.rate(id, rating, epochNowMs());
      if (verdict === 'taken') ratings.record(rating);
      return verdict;
    },
  };
}

function audioOf({ session: { framesIn, framesLate, quality } }: Call): AudioSummary {
  return { framesIn, framesLate, quality };
}

/** The bus belongs to the process; what goes wrong in it is counted and said by the program that runs. */
function observeBus(telemetry: ProcessTelemetry, registry: Registry, log: Logger): void {
  const counter = (name: string, help: string) => registry.counter({ name: `syrinx.events.${name}`, help }).labels();
  const failures = counter('failures', 'Attached handlers of events that threw or rejected.');
  const dropped = counter('dropped', 'Events that attached handlers with too many open promises did not get.');
  telemetry.join(createEventHandler(registry));
  telemetry.events.observe({
    failed(id, event, error, first) {
      failures.add(1);
      if (first) log.warn('attached handler failed, said once', { id, event, error });
    },
    dropped(id, event, first) {
      dropped.add(1);
      if (first) log.warn('attached handler is too slow, events are dropped; said once', { id, event });
    },
  });
}
