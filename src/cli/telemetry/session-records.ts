// What is known of each session beyond its ledger: traffic, participants, ratings; and for a while after its end.
import type { LedgerTurn } from '../../session/ledger.ts';
import type { RatingVerdict, SessionInfo } from '../../server/options.ts';

export interface SessionRecord {
  readonly id: string;
  readonly agent: string;
  readonly transport: string;
  readonly startedAtMs: number;
  lastActivityAtMs: number;
  messagesReceived: number;
  messagesSent: number;
  toolCalls: number;
  turns: number;
  state: string;
  roomId: string | null;
  readonly participants: Map<string, Participant>;
  readonly ratings: { readonly rating: number; readonly kind: string; readonly timestamp: string }[];
}
export interface Participant {
  readonly participant_id: string;
  readonly identity: string;
  readonly name?: string | undefined;
  readonly kind: 'standard' | 'agent' | 'sip';
  connection_state: 'connecting' | 'connected' | 'reconnecting' | 'disconnected';
  readonly joined_at: string;
}

/** The caller's audio, and what it was worth. */
export interface AudioSummary {
  readonly framesIn: number;
  readonly framesLate: number;
  readonly quality: unknown;
}

interface EndedRecord {
  readonly record: SessionRecord;
  readonly endedAtMs: number;
  readonly reason: string;
  readonly turns: readonly unknown[];
  readonly audio: AudioSummary;
}

/** Sessions that are still told of after their end, and turns that are kept of each. */
const MAX_ENDED = 200;
const MAX_ENDED_TURNS = 50;
/** Turns of a running session in one answer. */
export const MAX_TURNS = 100;
const MAX_RATINGS = 100;
const MAX_PARTICIPANTS = 100;
/** A frame is 20 ms. */
const FRAMES_PER_SECOND = 50;

export class SessionRecords {
  readonly #running = new Map<string, SessionRecord>();
  readonly #ended = new Map<string, EndedRecord>();

  open(id: string, agent: string, transport: string, nowMs: number): SessionRecord {
    const record: SessionRecord = {
      id,
      agent,
      transport,
      startedAtMs: nowMs,
      lastActivityAtMs: nowMs,
      messagesReceived: 0,
      messagesSent: 0,
      toolCalls: 0,
      turns: 0,
      state: 'listening',
      roomId: null,
      participants: new Map(),
      ratings: [],
    };
    this.#ended.delete(id);
    this.#running.set(id, record);
    return record;
  }

  running(id: string): SessionRecord | undefined {
    return this.#running.get(id);
  }

  participant(record: SessionRecord, participant: Participant): void {
    if (record.participants.size < MAX_PARTICIPANTS || record.participants.has(participant.participant_id)) {
      record.participants.set(participant.participant_id, participant);
    }
  }

  /** Words go, times and numbers stay: nobody asked that what was said be kept. */
  end(id: string, reason: string, nowMs: number, turns: readonly LedgerTurn[], audio: AudioSummary): void {
    const record = this.#running.get(id);
    if (record === undefined) return;
    this.#running.delete(id);
    this.#ended.set(id, {
      record,
      endedAtMs: nowMs,
      reason,
      turns: turns.slice(-MAX_ENDED_TURNS).map(withoutWords),
      audio,
    });
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= MAX_ENDED) break;
      this.#ended.delete(oldest);
    }
  }

  rate(id: string, rating: { readonly rating: number; readonly kind: string }, nowMs: number): RatingVerdict {
    const record = this.#running.get(id) ?? this.#ended.get(id)?.record;
    if (record === undefined) return 'unknown-session';
    if (record.ratings.length >= MAX_RATINGS) return 'full';
    record.ratings.push({ ...rating, timestamp: new Date(nowMs).toISOString() });
    return 'taken';
  }

  list(): SessionInfo[] {
    return [...this.#running.values()].map((record) => infoOf(record, 'active'));
  }

  /** `ledger`: the turns of a running session. */
  details(id: string, ledger: (id: string) => (AudioSummary & { turns: readonly LedgerTurn[] }) | null) {
    const running = this.#running.get(id);
    if (running !== undefined) {
      const { turns, ...audio } = ledger(id) ?? { turns: [], ...NO_AUDIO };
      return detailsOf(running, infoOf(running, 'active'), turns.slice(-MAX_TURNS), turns.length, audio);
    }
    const ended = this.#ended.get(id);
    if (ended === undefined) return undefined;
    const { record, reason, endedAtMs, turns, audio } = ended;
    const info = {
      ...infoOf(record, FAILURES.has(reason) ? 'error' : 'disconnected'),
      ended_at: new Date(endedAtMs).toISOString(),
      end_reason: reason,
      duration_ms: endedAtMs - record.startedAtMs,
    };
    return detailsOf(record, info, turns, record.turns, audio);
  }
}

export const NO_AUDIO: AudioSummary = { framesIn: 0, framesLate: 0, quality: null };
const FAILURES: ReadonlySet<string> = new Set(['model failure', 'internal error']);

function infoOf(record: SessionRecord, status: SessionInfo['status']): SessionInfo {
  return {
    session_id: record.id,
    agent_id: record.agent,
    status,
    state: record.state,
    transport: record.transport,
    started_at: new Date(record.startedAtMs).toISOString(),
    // Without a room the line has one caller.
    participant_count: record.participants.size === 0 ? 1 : record.participants.size,
    room_id: record.roomId,
    conversation_turns: record.turns,
  };
}

function detailsOf(
  record: SessionRecord,
  info: SessionInfo,
  turns: readonly unknown[],
  total: number,
  { framesIn, framesLate, quality }: AudioSummary,
): SessionInfo {
  return {
    ...info,
    last_activity_at: new Date(record.lastActivityAtMs).toISOString(),
    participants: [...record.participants.values()],
    metrics: {
      messages_sent: record.messagesSent,
      messages_received: record.messagesReceived,
      audio_duration_seconds: Math.round((framesIn / FRAMES_PER_SECOND) * 100) / 100,
      frames_late: framesLate,
      tool_calls: record.toolCalls,
    },
    quality,
    ratings: record.ratings,
    turns,
    turns_total: total,
  };
}

function withoutWords({ caller, agent, ...turn }: LedgerTurn): unknown {
  const { startMs, endMs, interruptedAtMs } = agent;
  return {
    ...turn,
    caller: caller === null ? null : { startMs: caller.startMs, endMs: caller.endMs },
    agent: { startMs, endMs, interruptedAtMs },
  };
}
