// How good a connection can sound, 1 to 5, by its delay and its losses: the E-model of ITU-T G.107, whatever is said over it.

/** What is known of a connection. */
export interface ConnectionFigures {
  /** From mouth to ear in ms, jitter buffer included, as far as it is known. */
  readonly delayMs: number;
  /** Audio that was not there when it was needed, 0..100: lost on the way or too late. */
  readonly lossPercent: number;
  /** Mean length of a burst of losses over that of random ones; 1: random. */
  readonly burstRatio?: number | undefined;
  /** Whether holes are concealed (as G.711 appendix I does) or silent. Default: concealed. */
  readonly concealed?: boolean | undefined;
}

/** Robustness against losses, G.113 appendix I for G.711 with and without concealment. There is none for Opus: provisional there. */
const CONCEALED_BPL = 25.1;
const SILENT_BPL = 4.3;

/** NaN when a figure is no number or negative. */
export function connectionScore(figures: ConnectionFigures): number {
  const { delayMs, lossPercent, burstRatio = 1, concealed = true } = figures;
  if (!(delayMs >= 0) || !(lossPercent >= 0) || !(burstRatio >= 0)) return Number.NaN;
  const delay = 0.024 * delayMs + 0.11 * Math.max(0, delayMs - 177.3);
  const loss = Math.min(100, lossPercent);
  const robust = concealed ? CONCEALED_BPL : SILENT_BPL;
  const impairment = (95 * loss) / (loss / Math.max(1, burstRatio) + robust);
  const r = Math.max(0, Math.min(100, 93.2 - delay - impairment));
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}
