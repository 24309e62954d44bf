// Which words of a spoken piece were heard, from how much of its audio was.

/** A word takes its letters and a little for the gap to the next. */
const GAP_LETTERS = 2;
/** Until a voice has been heard: about 150 words a minute. */
const DEFAULT_MS_PER_WEIGHT = 55;

/** What is known of one spoken piece. Samples at the output rate. */
export interface SpokenPiece {
  readonly text: string;
  /** Audio received so far, and whether that is all. */
  readonly samples: number;
  readonly complete: boolean;
  /** Audio of it that was heard. */
  readonly heardSamples: number;
}

/** Learns how fast the voice speaks, to judge pieces of which not all audio is known. */
export class HeardWords {
  readonly #samplesPerMs: number;
  #msPerWeight = DEFAULT_MS_PER_WEIGHT;

  constructor(rateHz: number) {
    this.#samplesPerMs = rateHz / 1000;
  }

  /** A piece's audio is complete. */
  learn(text: string, samples: number): void {
    const weight = weightOf(text.split(/\s+/));
    if (weight >= 8) this.#msPerWeight = samples / this.#samplesPerMs / weight;
  }

  /** The words whose middle was heard. */
  heard(piece: SpokenPiece): string {
    if (piece.heardSamples <= 0) return '';
    if (piece.complete && piece.heardSamples >= piece.samples) return piece.text;
    const words = piece.text.split(/\s+/).filter((w) => w !== '');
    const total = weightOf(words);
    const guess = total * this.#msPerWeight * this.#samplesPerMs;
    const samples = piece.complete ? piece.samples : Math.max(piece.samples, guess);
    const share = piece.heardSamples / Math.max(1, samples);
    let passed = 0;
    let count = 0;
    for (const word of words) {
      const weight = word.length + GAP_LETTERS;
      if ((passed + word.length / 2) / total > share) break;
      passed += weight;
      count++;
    }
    return words.slice(0, count).join(' ');
  }
}

function weightOf(words: readonly string[]): number {
  let weight = 0;
  for (const word of words) weight += word === '' ? 0 : word.length + GAP_LETTERS;
  return weight;
}
