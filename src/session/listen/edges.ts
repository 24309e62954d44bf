// Where speech begins and ends inside what a slow score says: by level, against the noise of the line and the speech so far.
//
// A net's score rises some tens of ms after the first sound and falls as late; weak ends of words it may not hear at all. The level of each
// 10 ms knows the instant but not the cause. Times in ms. All state is numbers: a frame allocates nothing.

const HALF_MS = 10;
/** Instead of a level: a call tone, which is neither voice nor noise of the line. */
const TONE_DB = -200;
/** Levels that are remembered: 480 ms. */
const KEPT = 48;
/** The noise is learnt from what lies 200 ms back, where the score has been low all around it. */
const NOISE_AGE = 20;
const NOISE_RATE = 0.06;
/** Voice stands out of the noise by more, the more that varies. */
const LEAST_OVER_NOISE_DB = 4;
const SPREAD_WEIGHT = 1.6;
const MOST_OVER_NOISE_DB = 10;
/** What is nearer to the speech level than this is voice, if it stands out at all ... */
const SURE_BELOW_SPEECH_DB = 8;
const SURE_OVER_NOISE_DB = 3;
/** ... and nothing is that lies so far below it. */
const WEAKEST_BELOW_SPEECH_DB = 36;
const LEAST_DB = -75;
/** Speech over noise of which nothing is known yet. */
const UNKNOWN_DISTANCE_DB = 40;
/** How far a start may lie before the frame that found it: on a noisy line, and more on a quiet one. */
const LOOK_BACK_MS = 100;
const MOST_LOOK_BACK_MS = 300;
const NOISY_LINE_DB = 27;
const LOOK_BACK_MS_PER_DB = 18;
/** ... and what stands out by so much more is the voice's, wherever it lies. */
const CLEARLY_OVER_DB = 8;
/** Holes inside a word. */
const HOLE_MS = 60;

export class SpeechEdges {
  readonly #levels = new Float64Array(KEPT).fill(-100);
  #count = 0;
  #noiseDb = -100;
  #spreadDb = 2;
  #learnt = false;
  #activeDb = -100;
  /** Frames in a row without speech. */
  #quiet = 0;

  /** Takes the levels of a frame's halves. `speech`: the score says so. */
  frame(firstDb: number, secondDb: number, speech: boolean): void {
    this.#push(firstDb);
    this.#push(secondDb);
    this.#quiet = speech ? 0 : this.#quiet + 1;
    if (speech) this.#follow(Math.max(firstDb, secondDb));
    else if (this.#quiet > NOISE_AGE) this.#learn();
    else if (!this.#learnt) this.#guess();
  }

  /** Takes a frame in which a call tone sounds. */
  tone(): void {
    this.#push(TONE_DB);
    this.#push(TONE_DB);
    this.#quiet++;
  }

  /** Level from which 10 ms count as voice. */
  get thresholdDb(): number {
    const standsOut = Math.min(MOST_OVER_NOISE_DB, LEAST_OVER_NOISE_DB + SPREAD_WEIGHT * this.#spreadDb);
    if (this.#activeDb <= -100) return Math.max(LEAST_DB, this.#noiseDb + standsOut);
    const sure = Math.max(SURE_OVER_NOISE_DB, this.#activeDb - SURE_BELOW_SPEECH_DB - this.#noiseDb);
    return Math.max(LEAST_DB, this.#activeDb - WEAKEST_BELOW_SPEECH_DB, this.#noiseDb + Math.min(standsOut, sure));
  }

  /** Speech level over noise level. */
  get distanceDb(): number {
    return this.#activeDb <= -100 ? UNKNOWN_DISTANCE_DB : this.#activeDb - this.#noiseDb;
  }

  /** How long before the end of the newest frame the last voice was, among the newest `halves`, not weaker than `belowSpeechDb` below the
   *  speech level; -1: there is none. */
  sinceVoiceMs(halves: number, belowSpeechDb = WEAKEST_BELOW_SPEECH_DB): number {
    const threshold = Math.max(this.thresholdDb, this.#activeDb - belowSpeechDb);
    for (let back = 0; back < Math.min(halves, this.#count); back++)
      if (this.#level(back) >= threshold) return back * HALF_MS;
    return -1;
  }

  /** How long before the end of the newest frame the voice began that reaches up to it; 0: there is none. `heardMs`: how long something
   *  has been heard. */
  sinceOnsetMs(heardMs: number): number {
    const threshold = this.thresholdDb;
    const lookBackMs = Math.min(MOST_LOOK_BACK_MS, this.#lookBackMs() + heardMs);
    let onsetMs = 0;
    for (let back = 0; back < Math.min(KEPT, this.#count); back++) {
      const atMs = back * HALF_MS;
      if (atMs >= MOST_LOOK_BACK_MS || atMs - onsetMs > HOLE_MS) break;
      const wanted = atMs < lookBackMs ? threshold : threshold + CLEARLY_OVER_DB;
      if (this.#level(back) >= wanted) onsetMs = atMs + HALF_MS;
    }
    return onsetMs;
  }

  #lookBackMs(): number {
    let loudest = -100;
    for (let back = 0; back < Math.min(10, this.#count); back++) loudest = Math.max(loudest, this.#level(back));
    const quietLineDb = Math.max(0, loudest - this.#noiseDb - NOISY_LINE_DB);
    return LOOK_BACK_MS + LOOK_BACK_MS_PER_DB * quietLineDb;
  }

  #level(back: number): number {
    return this.#levels[(this.#count - 1 - back) % KEPT] as number;
  }

  #push(db: number): void {
    this.#levels[this.#count % KEPT] = db;
    this.#count++;
  }

  #follow(db: number): void {
    if (db < this.thresholdDb) return;
    if (this.#activeDb <= -100) this.#activeDb = db;
    else this.#activeDb += (db > this.#activeDb ? 0.3 : 0.03) * (db - this.#activeDb);
  }

  #learn(): void {
    if (this.#level(NOISE_AGE) === TONE_DB || this.#level(NOISE_AGE + 1) === TONE_DB) return;
    if (!this.#learnt) {
      this.#learnt = true;
      this.#noiseDb = this.#level(NOISE_AGE);
    }
    for (let back = NOISE_AGE + 1; back >= NOISE_AGE; back--) {
      const above = this.#level(back) - this.#noiseDb;
      this.#spreadDb += NOISE_RATE * (Math.abs(above) - this.#spreadDb);
      this.#noiseDb += NOISE_RATE * above;
    }
  }

  /** Nothing is known yet: the quietest so far. */
  #guess(): void {
    let lowest = 0;
    for (let back = 0; back < Math.min(KEPT, this.#count); back++)
      if (this.#level(back) !== TONE_DB) lowest = Math.min(lowest, this.#level(back));
    this.#noiseDb = lowest;
  }
}
