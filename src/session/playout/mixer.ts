// Two sources to one ear: the agent's speech, and a background or hold sound under it.

/** Gain of the background while the agent speaks, in 1/256. */
const DUCKED = 77;

export class Mixer {
  #background: Int16Array | null = null;
  #at = 0;
  #gain = 0;

  /** A loop at the output rate, played until it is replaced; `gain` 0..1. Null: none. */
  setBackground(samples: Int16Array | null, gain: number): void {
    this.#background = samples !== null && samples.length > 0 ? samples : null;
    this.#at = 0;
    this.#gain = Math.round(Math.min(1, Math.max(0, gain)) * 256);
  }

  get hasBackground(): boolean {
    return this.#background !== null;
  }

  /** `out` holds `speech` samples of speech at its head; the rest becomes background or silence. */
  mix(out: Int16Array, speech: number): void {
    const loop = this.#background;
    if (loop === null) {
      for (let i = speech; i < out.length; i++) out[i] = 0;
      return;
    }
    for (let i = 0; i < out.length; i++) {
      const gain = i < speech ? (this.#gain * DUCKED) >> 8 : this.#gain;
      const sum = (i < speech ? (out[i] as number) : 0) + (((loop[this.#at] as number) * gain) >> 8);
      out[i] = sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum;
      if (++this.#at === loop.length) this.#at = 0;
    }
  }
}
