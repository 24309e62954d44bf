// A caller whose audio spells its words: each burst of voice has a loudness of its own, by which a scripted recognizer knows it again.

/** A stretch of voice. `text`: its words; null: a sound without words. */
export interface Burst {
  readonly atMs: number;
  readonly ms: number;
  readonly text: string | null;
}

const RATE_PER_MS = 16;
const FIRST_LEVEL = 4000;
const LEVEL_STEP = 60;
/** Louder than any word. */
const NOISE_LEVEL = 20_000;

export class Caller {
  readonly bursts: readonly Burst[];

  constructor(bursts: readonly Burst[]) {
    this.bursts = bursts;
  }

  /** Writes the samples from `fromSample` on (16 kHz, 0 = first sample of the call). */
  fill(out: Int16Array, fromSample: number): void {
    out.fill(0);
    const endMs = (fromSample + out.length) / RATE_PER_MS;
    this.bursts.forEach(({ atMs, ms, text }, index) => {
      if (atMs + ms <= fromSample / RATE_PER_MS || atMs >= endMs) return;
      const level = text === null ? NOISE_LEVEL : FIRST_LEVEL + index * LEVEL_STEP;
      for (let i = 0; i < out.length; i++) {
        const sample = fromSample + i;
        if (sample >= atMs * RATE_PER_MS && sample < (atMs + ms) * RATE_PER_MS)
          out[i] = (sample >> 5) % 2 === 0 ? level : -level;
      }
    });
  }

  /** The words in a recording; those of which a part is missing end with `~`. */
  recognize(pcm: Int16Array): string {
    const counts = new Map<number, number>();
    for (let i = 0; i < pcm.length; i++) {
      const level = Math.abs(pcm[i] as number) - FIRST_LEVEL;
      if (level >= 0 && level % LEVEL_STEP === 0) {
        const index = level / LEVEL_STEP;
        counts.set(index, (counts.get(index) ?? 0) + 1);
      }
    }
    const words: string[] = [];
    this.bursts.forEach(({ ms, text }, index) => {
      const samples = counts.get(index);
      if (samples === undefined || text === null) return;
      words.push(samples >= ms * RATE_PER_MS ? text : `${text}~`);
    });
    return words.join(' ');
  }
}
