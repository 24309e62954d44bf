// What has been said, as the model is told it: only words that were heard, and every tool call with its result.
import type { Message, ToolCall, ToolSpec } from '../agent/messages.ts';

export type { Message, ToolCall, ToolSpec };

/** Content of a tool message while the tool still runs. */
export const STILL_RUNNING = '(still running)';

export class Conversation {
  readonly #maxMessages: number;
  #messages: Message[] = [];

  constructor(maxMessages: number, messages: readonly Message[] = []) {
    this.#maxMessages = maxMessages;
    this.#messages = [...messages];
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** Adds what belongs together; the oldest whole exchanges are dropped beyond the limit. */
  add(...messages: readonly Message[]): void {
    this.#messages.push(...messages);
    while (this.#messages.length > this.#maxMessages) {
      // A tool message without its call would be refused by the model: cut at the next word of the user.
      const next = this.#messages.findIndex((m, i) => i > 0 && m.role === 'user');
      this.#messages.splice(0, next > 0 ? next : this.#messages.length - this.#maxMessages);
      if (next > 0) continue;
      // One exchange alone is too long: what is left must still begin with a call or with words.
      const whole = this.#messages.findIndex((m) => m.role !== 'tool');
      this.#messages.splice(0, whole < 0 ? this.#messages.length : whole);
    }
  }

  /** A tool that outlived its turn has ended; returns false when nobody waits for it. */
  completeTool(callId: string, output: string): boolean {
    const at = this.#messages.findIndex(
      (m) => m.role === 'tool' && m.toolCallId === callId && m.content === STILL_RUNNING,
    );
    if (at < 0) return false;
    this.#messages[at] = { role: 'tool', toolCallId: callId, content: output };
    return true;
  }

  /** Name of a tool that was called; '' when it is not known any more. */
  toolName(callId: string): string {
    for (const m of this.#messages) {
      if (m.role !== 'assistant') continue;
      const call = m.toolCalls?.find((c) => c.id === callId);
      if (call !== undefined) return call.name;
    }
    return '';
  }
}
