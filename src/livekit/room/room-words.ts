// What LiveKit's clients show of a call: the agent's state as an attribute, what both said as text streams.
import type { CallNotice } from '../../transports/port.ts';
import type { Connection } from './connection.ts';

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

/** Sends in order; what fails with the connection is not sent again, except the state, which a new connection gets anew. */
export class RoomWords {
  #connection: Connection | null = null;
  #state: ShownState = 'initializing';
  #attributes: Record<string, string>;
  #isSending = false;
  #sent: Connection | null = null;
  #sentText = '';
  #segments = 0;

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
        return this.#say(notice.text);
      case 'interrupted':
        return this.#say(notice.heard);
    }
  }

  #say(text: string, senderIdentity?: string, trackId?: string): void {
    const connection = this.#connection;
    if (connection === null || text === '') return;
    const segment = `SG_${this.#segments++}_${crypto.randomUUID().slice(0, 8)}`;
    const sending = connection.sendText({
      topic: TRANSCRIPTION_TOPIC,
      text,
      senderIdentity,
      attributes: {
        'lk.segment_id': segment,
        'lk.transcription_final': 'true',
        'lk.transcribed_track_id': trackId ?? connection.voiceTrackId,
      },
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
