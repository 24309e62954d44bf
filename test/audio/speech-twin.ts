// The f64 twin of wasm/speech.ts, in plain TypeScript; the names are the same there.
import { BANDS } from './spectrum-twin.ts';

const BUCKETS = 8;
const FAR = 1e9;
const GROUP_EDGES = [0, 4, 9, 13, 16];

export class SpeechTwin {
  score = 0;
  floor = -70;
  /** How near the newest frame's decisions were to falling the other way. */
  margin = 1;
  #deviation = 2;
  #active = -100;
  #confidence = 0;
  #hold = 0;
  #begun = false;
  #seen = 0;
  #presence = 0;
  #excess = 0;
  #idle = -0.5;
  #idleSpread = 0.1;
  #level = 0;
  #wobble = 8;
  #quiet = 0;
  #quietest = FAR;
  readonly #quietBuckets = new Float64Array(BUCKETS).fill(FAR);
  #levelTurn = 0;
  #bandTurn = 0;
  readonly #smooth = new Float64Array(BANDS);
  readonly #lowest = new Float64Array(BANDS).fill(FAR);
  readonly #buckets = Array.from({ length: BUCKETS }, () => new Float64Array(BANDS).fill(FAR));
  readonly #mean = new Float64Array(BANDS);
  readonly #square = new Float64Array(BANDS);
  readonly #groupFloor = new Float64Array(4);
  readonly #groupDeviation = new Float64Array(4).fill(2);
  readonly #group = new Float64Array(4);

  /** One frame: dB of its halves and of the whole, and its band powers. */
  track(firstDb: number, secondDb: number, averageDb: number, powers: Float64Array): void {
    if (averageDb < -88) return this.#nothing();
    if (!this.#begun) this.#begin(averageDb, averageDb + 20, powers, powers);
    this.#seen++;
    const top = Math.max(firstDb, secondDb);
    this.#bands(powers);
    const best = Math.max(top, this.floor + this.#groups(powers));
    this.#recover(averageDb);

    const snr = Math.max(6, this.#active - this.floor);
    const weak = Math.max(this.floor + Math.min(6, Math.max(1.5, 0.27 * snr)), this.#active - 35, -76);
    const strong = Math.max(
      this.floor + Math.max(6, Math.min(3.5 * this.#deviation, 0.7 * snr), Math.min(22, 0.6 * snr)),
      -72,
    );
    const wanted = Math.max(-2, Math.min(-0.1, this.#idle + 1.8 * this.#idleSpread));
    const present = soft(2 * (this.#presence - wanted));
    const loud = top >= strong;
    this.#confidence = Math.max(0, this.#confidence - 0.0002);
    if (loud) {
      if (averageDb > this.floor + 12) this.#confidence = Math.min(1, this.#confidence + 0.125);
      this.#hold = 12;
      this.#active += (averageDb > this.#active ? 0.3 : 0.03) * (averageDb - this.#active);
    } else {
      if (this.#hold > 0) this.#hold--;
      if (present >= 0.79 && this.#seen > 50) {
        this.#active += 0.1 * (1 - this.#confidence) * (Math.max(averageDb, this.floor) + 4 - this.#active);
      }
    }

    const threshold = loud ? weak : weak + (1 - this.#hold / 12) * 0.7 * Math.max(0, strong - weak);
    const sharp = Math.min(soft((best - threshold) * 0.7), this.#hold > 0 ? 1 : 0.45);
    this.#excess += 0.1 * (top - this.floor - this.#excess);
    const lasting = Math.min(present, soft((Math.max(this.#excess, top - this.floor - 3) - 0.27 * snr) * 0.7));
    const trust = Math.min(1, Math.max(0, (snr - 12) / 8));
    const weight = trust * sharp + (1 - trust) * (loud ? Math.max(lasting, 0.6) : lasting);
    const voiced = weight >= 0.5;
    this.margin = Math.min(Math.abs(weight - 0.5), Math.abs(present - 0.79), Math.abs(top - strong));
    const rank = 0.85 * soft(2 * this.#presence + 0.2) + 0.15 * soft((top - this.floor - 0.4 * snr) * 0.3);
    this.score = voiced ? 0.5 + 0.5 * rank : 0.499 * rank;
    if (!voiced) this.#learn(averageDb, loud);
  }

  #nothing(): void {
    this.score = 0;
    this.#hold = 0;
    if (this.#begun) this.floor += 0.1 * (Math.min(-75, this.floor) - this.floor);
    else if (++this.#seen >= 5) {
      this.#begin(-75, -30, new Float64Array(BANDS).fill(1e-8), new Float64Array(BANDS));
    }
  }

  #begin(floor: number, active: number, smooth: Float64Array, powers: Float64Array): void {
    this.#begun = true;
    this.#seen = 0;
    this.floor = floor;
    this.#quiet = floor;
    this.#active = active;
    for (let band = 0; band < BANDS; band++) {
      this.#smooth[band] = smooth[band]! + 1e-9;
      const x = Math.log(powers[band]! + 1e-9);
      this.#mean[band] = x;
      this.#square[band] = x * x;
    }
  }

  /** Likelihood ratio against the band floors, and variance of the band levels over about 200 ms. */
  #bands(powers: Float64Array): void {
    let ratio = 0;
    let variance = 0;
    for (let band = 0; band < BANDS; band++) {
      const power = powers[band]! + 1e-9;
      this.#smooth[band]! += 0.1 * (power - this.#smooth[band]!);
      this.#lowest[band] = Math.min(this.#lowest[band]!, this.#smooth[band]!);
      let floor = this.#lowest[band]!;
      for (const bucket of this.#buckets) floor = Math.min(floor, bucket[band]!);
      const g = Math.max(1, Math.min(100, power / (floor * 1.2)));
      ratio += g - 1 - Math.log(g);
      const x = Math.log(power);
      this.#mean[band]! += 0.1 * (x - this.#mean[band]!);
      this.#square[band]! += 0.1 * (x * x - this.#square[band]!);
      variance += Math.max(0, this.#square[band]! - this.#mean[band]! ** 2);
    }
    if (++this.#bandTurn % 15 === 0) {
      this.#buckets[(this.#bandTurn / 15) % BUCKETS]!.set(this.#lowest);
      this.#lowest.fill(FAR);
    }
    const evidence = Math.log(0.05 + ratio / BANDS) + Math.log(0.1 + variance / BANDS);
    this.#presence = this.#seen === 1 ? -1 : this.#presence + 0.2 * (evidence - this.#presence);
  }

  /** How far the best of four groups of bands stands out of its own floor, dB. */
  #groups(powers: Float64Array): number {
    let best = -99;
    for (let g = 0; g < 4; g++) {
      let sum = 0;
      for (let band = GROUP_EDGES[g]!; band < GROUP_EDGES[g + 1]!; band++) sum += powers[band]!;
      const level = sum <= 1e-10 ? -100 : 10 * Math.log10(sum);
      this.#group[g] = level;
      if (this.#seen === 1) this.#groupFloor[g] = level;
      best = Math.max(best, level - this.#groupFloor[g]! - 2 * this.#groupDeviation[g]!);
    }
    return best;
  }

  /** Lifts a floor that has been left behind: quickly by a steady sound, else by what was quietest for 3 s. */
  #recover(averageDb: number): void {
    this.#quiet += 0.4 * (averageDb - this.#quiet);
    this.#quietest = Math.min(this.#quietest, this.#quiet);
    const lowest = Math.min(this.#quietest, ...this.#quietBuckets);
    if (++this.#levelTurn % 20 === 0) {
      this.#quietBuckets[(this.#levelTurn / 20) % BUCKETS] = this.#quietest;
      this.#quietest = FAR;
    }
    if (this.#seen === 1) {
      this.#level = averageDb;
      this.#wobble = 8;
    }
    this.#wobble += 0.1 * (Math.abs(averageDb - this.#level) - this.#wobble);
    this.#level += 0.1 * (averageDb - this.#level);
    if (this.#wobble < 2 && this.#level > this.floor + 3) this.floor += Math.min(1, (this.#level - this.floor) * 0.2);
    if (lowest > this.floor) this.floor += Math.min(0.4, lowest - this.floor);
  }

  #learn(averageDb: number, loud: boolean): void {
    for (let g = 0; g < 4; g++) {
      const above = this.#group[g]! - this.#groupFloor[g]!;
      if (above >= 12) continue;
      this.#groupFloor[g]! += (above < 0 ? 0.2 : 0.06) * above;
      this.#groupDeviation[g]! += 0.05 * (Math.abs(above) - this.#groupDeviation[g]!);
    }
    const more = this.#presence - this.#idle;
    this.#idle += 0.02 * more;
    this.#idleSpread += 0.02 * (Math.abs(more) - this.#idleSpread);
    const above = averageDb - this.floor;
    if (above >= 12 && loud) return;
    this.floor += (above < 0 ? 0.2 : 0.06) * above;
    this.#deviation += 0.05 * (Math.abs(above) - this.#deviation);
  }
}

/** A sigmoid without an exponential. */
function soft(x: number): number {
  return 0.5 + (0.5 * x) / (1 + Math.abs(x));
}
