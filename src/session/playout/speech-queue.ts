// The agent's speech between the voice model and the ear: a ring that can be rewound to what was heard.

const AHEAD_MS = 4200;
/** Audio that was handed out and may not have been heard yet: the longest lead that a transport may ask for, and a little. */
const BEHIND_MS = 2200;
const RING_MS = 5200;

/** Positions are absolute sample counts of the agent's speech over the whole call, at the output rate. */
export class SpeechQueue {
  readonly #rateHz: number;
  #ring: Int16Array | null = null;
  /** End of what was written, of what was handed to the transport. */
  writePosition = 0;
  readPosition = 0;
  /** What lies before this may be overwritten. */
  #keptFrom = 0;

  constructor(rateHz: number) {
    this.#rateHz = rateHz;
  }

  get queuedSamples(): number {
    return this.writePosition - this.readPosition;
  }

  /** How full it is, in ms: speech that waits, and where the transport holds much of it, what that takes from the room. */
  get filledMs(): number {
    return AHEAD_MS - (this.#room() * 1000) / this.#rateHz;
  }

  #room(): number {
    const ahead = (AHEAD_MS * this.#rateHz) / 1000 - this.queuedSamples;
    const ring = (RING_MS * this.#rateHz) / 1000 - (this.writePosition - this.#keptFrom);
    return Math.max(0, Math.min(ahead, ring));
  }

  /** Appends samples; returns how many there was room for. */
  write(samples: Int16Array): number {
    this.#ring ??= new Int16Array((RING_MS * this.#rateHz) / 1000);
    const ring = this.#ring;
    const count = Math.min(samples.length, this.#room());
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

  /** Audio from `position` on may be wanted again. */
  keepFrom(position: number): void {
    const behind = (BEHIND_MS * this.#rateHz) / 1000;
    this.#keptFrom = Math.max(this.#keptFrom, this.readPosition - behind, Math.min(position, this.readPosition));
  }

  /** Goes to `position`: back as far as the ring still has it, forward as far as it was written. */
  seek(position: number): void {
    this.readPosition = Math.min(this.writePosition, Math.max(this.#keptFrom, position));
  }

  /** How many samples right before `position` are quieter than `audible`, as far back as the ring has them. */
  quietBefore(position: number, audible: number): number {
    const ring = this.#ring;
    if (ring === null) return 0;
    const oldest = Math.max(0, this.writePosition - ring.length);
    let at = Math.min(position, this.writePosition);
    while (at > oldest && Math.abs(ring[(at - 1) % ring.length] as number) < audible) at--;
    return Math.min(position, this.writePosition) - at;
  }

  /** Drops what was not read. */
  clear(): void {
    this.readPosition = this.writePosition;
    this.#keptFrom = this.writePosition;
  }
}
