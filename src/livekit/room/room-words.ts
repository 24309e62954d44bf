// What LiveKit's clients show of a call: the agent's state as an attribute, what both said as text streams.
import type { CallNotice } from '../../transports/port.ts';
import type { Connection, TextStream } from './connection.ts';

export const TRANSCRIPTION_TOPIC = 'lk.transcription';
export const CHAT_TOPIC = 'lk.chat';
const STATE_ATTRIBUTE = 'lk.agent.state';
const STATES = {
  listening: 'listening',
  'user-speaking': 'listening',
  thinking: 'thinking',
  'agent-speaking': 'speaking',
} as const;
type ShownState = (typeof STATES)[keyof typeof STATES] | 'initializing';

/** Who and what the words belong to. */
export interface Speakers {
  readonly callerIdentity: string | null;
  readonly callerTrackId: string;
}

/** A reply that is being spoken: shown as one stream, and at its end once more as a whole, under the same segment. */
interface Spoken {
  readonly turn: number;
  readonly segment: string;
  /** What the stream holds. */
  sent: string;
  connection: Connection | null;
  stream: TextStream | null;
}

/** Sends in order; what fails with the connection is not sent again, except the state, which a new connection gets anew. */
export class RoomWords {
  #connection: Connection | null = null;
  #state: ShownState = 'initializing';
  #attributes: Record<string, string>;
  #isSending = false;
  #sent: Connection | null = null;
  #sentText = '';
  #segments = 0;
  #spoken: Spoken | null = null;

  constructor(attributes: Readonly<Record<string, string>>) {
    this.#attributes = { ...attributes };
  }

  use(connection: Connection | null): void {
    this.#connection = connection;
    void this.#sendAttributes();
  }

  setAttributes(attributes: Readonly<Record<string, string>>): void {
    this.#attributes = { ...this.#attributes, ...attributes };
    void this.#sendAttributes();
  }

  show(notice: CallNotice, speakers: Speakers): void {
    switch (notice.type) {
      case 'state':
        this.#state = STATES[notice.state];
        void this.#sendAttributes();
        return;
      case 'transcript':
        if (speakers.callerIdentity !== null) this.#say(notice.text, speakers.callerIdentity, speakers.callerTrackId);
        return;
      case 'reply':
        return this.#spokenWhole(notice.turn, notice.text);
      case 'interrupted':
        return this.#spokenWhole(notice.turn, notice.heard);
    }
  }

  /** What was heard by now of the reply that is being spoken. */
  heard(turn: number, text: string): void {
    const connection = this.#connection;
    if (connection === null || text === '') return;
    if (this.#spoken?.turn !== turn) this.#endStream();
    this.#spoken ??= { turn, segment: this.#newSegment(), sent: '', connection: null, stream: null };
    const spoken = this.#spoken;
    if (spoken.connection !== connection || !text.startsWith(spoken.sent)) {
      // A pause may take back a word that was thought to be heard: it will be said again.
      if (spoken.connection === connection && spoken.sent.startsWith(text)) return;
      spoken.stream?.close();
      spoken.connection = connection;
      spoken.sent = '';
      const attributes = segmentAttributes(spoken.segment, false, connection.voiceTrackId);
      spoken.stream = connection.streamText({ topic: TRANSCRIPTION_TOPIC, attributes });
    }
    if (text === spoken.sent) return;
    spoken.stream?.write(text.slice(spoken.sent.length));
    spoken.sent = text;
  }

  #spokenWhole(turn: number, text: string): void {
    const segment = this.#spoken?.turn === turn ? this.#spoken.segment : this.#newSegment();
    this.#endStream();
    this.#say(text, undefined, undefined, segment);
  }

  #endStream(): void {
    this.#spoken?.stream?.close();
    this.#spoken = null;
  }

  #newSegment(): string {
    return `SG_${this.#segments++}_${crypto.randomUUID().slice(0, 8)}`;
  }

  #say(text: string, senderIdentity?: string, trackId?: string, segment = this.#newSegment()): void {
    const connection = this.#connection;
    if (connection === null || text === '') return;
    const sending = connection.sendText({
      topic: TRANSCRIPTION_TOPIC,
      text,
      senderIdentity,
      attributes: segmentAttributes(segment, true, trackId ?? connection.voiceTrackId),
    });
    sending.catch(() => {});
  }

  /** One request at a time; only the newest state matters. */
  async #sendAttributes(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (;;) {
      const connection = this.#connection;
      const attributes = { ...this.#attributes, [STATE_ATTRIBUTE]: this.#state };
      const text = JSON.stringify(attributes);
      if (connection === null || (this.#sent === connection && this.#sentText === text)) break;
      this.#sent = connection;
      this.#sentText = text;
      // Refused or lost: shown with the next change.
      await connection.setAttributes(attributes).catch(() => {});
    }
    this.#isSending = false;
  }
}

function segmentAttributes(segment: string, isFinal: boolean, trackId: string): Record<string, string> {
  return {
    'lk.segment_id': segment,
    'lk.transcription_final': String(isFinal),
    'lk.transcribed_track_id': trackId,
  };
}
