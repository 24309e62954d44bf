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
    const weight = weightOf(wordsOf(text));
    if (weight >= 8) this.#msPerWeight = samples / this.#samplesPerMs / weight;
  }

  /** The text up to the end of the last word whose middle was heard. */
  heard(piece: SpokenPiece): string {
    if (piece.heardSamples <= 0) return '';
    if (piece.complete && piece.heardSamples >= piece.samples) return piece.text;
    const words = wordsOf(piece.text);
    const total = weightOf(words);
    const guess = total * this.#msPerWeight * this.#samplesPerMs;
    const samples = piece.complete ? piece.samples : Math.max(piece.samples, guess);
    const share = piece.heardSamples / Math.max(1, samples);
    let passed = 0;
    let end = 0;
    for (const word of words) {
      if ((passed + word.letters / 2) / total > share) break;
      passed += word.letters + GAP_LETTERS;
      end = word.end;
    }
    return piece.text.slice(0, end);
  }
}

interface Word {
  readonly letters: number;
  readonly end: number;
}

/** Words between white space; where a script writes none, each sign is one. */
function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  for (const { 0: word, index } of text.matchAll(WORD)) words.push({ letters: word.length, end: index + word.length });
  return words;
}

/** Kana, Han, Thai and their kin with the marks that follow them, or a run of anything else. */
const WORD =
  /[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff][\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u3000-\u303f\uff00-\uff65]*|[^\s\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+/g;

function weightOf(words: readonly Word[]): number {
  let weight = 0;
  for (const word of words) weight += word.letters + GAP_LETTERS;
  return weight;
}
