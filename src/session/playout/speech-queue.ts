// The agent's speech between the voice model and the ear: a queue that can be rewound to what was heard.
import { SampleTape } from '../sample-tape.ts';

const AHEAD_MS = 3200;
/** Audio that was handed out and may not have been heard yet: the longest lead that a transport may ask for, and a little. */
const BEHIND_MS = 2200;
/** All that is held: what waits, and what may be wanted again. */
const HELD_MS = 5200;
/** Held besides, to see whether the speech was quiet before the place where it was cut off. */
const QUIET_BACK_MS = 300;
/** Speech that is cut off right after a word has begun leaves a sliver of it, which nobody hears: as short as this and below -30 dBFS, */
const SLIVER_MS = 3;
const SLIVER_PEAK = 1036;
/** after a silence of this length: shorter ones are where a wave passes through zero. */
const SILENCE_MS = 4;

/** Positions are absolute sample counts of the agent's speech over the whole call, at the output rate. */
export class SpeechQueue {
  readonly #rateHz: number;
  readonly #tape = new SampleTape();
  /** End of what was written, of what was handed to the transport. */
  writePosition = 0;
  readPosition = 0;
  /** What lies before this is not wanted again. */
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
    const held = (HELD_MS * this.#rateHz) / 1000 - (this.writePosition - this.#keptFrom);
    return Math.max(0, Math.min(ahead, held));
  }

  /** Appends samples; returns how many there was room for. */
  write(samples: Int16Array): number {
    const count = Math.min(samples.length, this.#room());
    this.#tape.append(samples, count);
    this.writePosition += count;
    return count;
  }

  /** Fills the head of `out` with at most `limit` samples; returns how many there were. */
  read(out: Int16Array, limit: number): number {
    const count = Math.min(out.length, limit, this.queuedSamples);
    this.#tape.read(this.readPosition, out, count);
    this.readPosition += count;
    return count;
  }

  /** Audio from `position` on may be wanted again. */
  keepFrom(position: number): void {
    const behind = (BEHIND_MS * this.#rateHz) / 1000;
    this.#keptFrom = Math.max(this.#keptFrom, this.readPosition - behind, Math.min(position, this.readPosition));
    this.#tape.forget(this.#keptFrom - (QUIET_BACK_MS * this.#rateHz) / 1000);
  }

  /** Goes to `position`: back as far as it is still held, forward as far as it was written. */
  seek(position: number): void {
    this.readPosition = Math.min(this.writePosition, Math.max(this.#keptFrom, position));
  }

  /** How many samples right before `position` are quieter than `audible`, or a sliver of sound that nobody hears; as far back as they are held. */
  quietBefore(position: number, audible: number): number {
    const from = Math.min(position, this.writePosition);
    const sliver = (SLIVER_MS * this.#rateHz) / 1000;
    const silence = (SILENCE_MS * this.#rateHz) / 1000;
    // Where the sound ends that is looked at, and the last sample of it that was seen begins: none yet.
    let end = -1;
    let seen = -1;
    for (let at = from; at > this.#tape.start; at--) {
      const level = Math.abs(this.#tape.at(at - 1));
      if (level < audible) continue;
      if (end < 0 || seen - at > silence) end = at;
      seen = at;
      if (level > SLIVER_PEAK || end - at >= sliver) return from - end;
    }
    return from - Math.min(from, this.#tape.start);
  }

  /** Drops what was not read. */
  clear(): void {
    this.readPosition = this.writePosition;
    this.#keptFrom = this.writePosition;
    this.#tape.clear();
  }
}
