// The agent's speech between the voice model and the ear: a ring that can be rewound to what was heard.

const AHEAD_MS = 4200;
/** Heard audio that is kept for a rewind: more than any transport holds ahead of the ear. */
const BEHIND_MS = 800;

/** Positions are absolute sample counts of the agent's speech over the whole call, at the output rate. */
export class SpeechQueue {
  readonly #rateHz: number;
  #ring: Int16Array | null = null;
  /** End of what was written, of what was handed to the transport. */
  writePosition = 0;
  readPosition = 0;

  constructor(rateHz: number) {
    this.#rateHz = rateHz;
  }

  get queuedSamples(): number {
    return this.writePosition - this.readPosition;
  }

  get queuedMs(): number {
    return (this.queuedSamples * 1000) / this.#rateHz;
  }

  /** Appends samples; returns how many there was room for. */
  write(samples: Int16Array): number {
    this.#ring ??= new Int16Array(((AHEAD_MS + BEHIND_MS) * this.#rateHz) / 1000);
    const ring = this.#ring;
    const room = (AHEAD_MS * this.#rateHz) / 1000 - this.queuedSamples;
    const count = Math.min(samples.length, Math.max(0, room));
    for (let done = 0; done < count; ) {
      const at = (this.writePosition + done) % ring.length;
      const part = Math.min(count - done, ring.length - at);
      ring.set(part === samples.length ? samples : samples.subarray(done, done + part), at);
      done += part;
    }
    this.writePosition += count;
    return count;
  }

  /** Fills the head of `out` with at most `limit` samples; returns how many there were. */
  read(out: Int16Array, limit: number): number {
    const ring = this.#ring;
    if (ring === null) return 0;
    const count = Math.min(out.length, limit, this.queuedSamples);
    let at = this.readPosition % ring.length;
    for (let i = 0; i < count; i++) {
      out[i] = ring[at] as number;
      if (++at === ring.length) at = 0;
    }
    this.readPosition += count;
    return count;
  }

  /** Goes back to `position`, as far as the ring still has it. */
  rewind(position: number): void {
    const oldest = this.writePosition - (this.#ring?.length ?? 0);
    this.readPosition = Math.max(oldest, Math.min(position, this.readPosition));
  }

  /** Drops what was not read. */
  clear(): void {
    this.readPosition = this.writePosition;
  }
}
