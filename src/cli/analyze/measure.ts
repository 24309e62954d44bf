// What the ears of a session make of a recording: frames, stretches of speech, windows of quality.
import { type Analyzer, createAudioCore, noiseRatio, type SampleRateHz } from '../../audio/index.ts';
import { QualityLog, type QualityReport, type QualitySummary } from '../../session/listen/quality-log.ts';
import { SpeechDetector } from '../../session/listen/speech-detector.ts';
import type { ListeningOptions } from '../../session/options.ts';

export const FRAME_MS = 20;

/** Times in ms from the beginning of the recording. */
export interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
}

/** One detector's hearing: a score for each frame, and where speech was. */
export interface Hearing {
  readonly vad: 'energy' | 'neural';
  readonly scores: Float32Array;
  readonly speech: readonly Stretch[];
}

export type MeasuredWindow = QualityReport & { readonly startMs: number; readonly noiseRatio: number | null };

export interface Measurement {
  readonly seconds: number;
  readonly levelsDb: Float32Array;
  readonly floorsDb: Float32Array;
  readonly peakDb: number | null;
  readonly hearings: readonly Hearing[];
  readonly windows: readonly MeasuredWindow[];
  readonly summary: QualitySummary;
}

export async function measure(
  samples: Int16Array,
  rateHz: SampleRateHz,
  listening: ListeningOptions,
): Promise<Measurement> {
  const core = createAudioCore({ maxSlots: 2 });
  const analyzer = core.openAnalyzer(rateHz);
  const energy = new Listening(analyzer, { ...listening, vad: 'energy' });
  const { createNeuralVad, withNeuralScore } = await import('../../audio/neural/index.ts');
  const stream = createNeuralVad({ maxSlots: 1 }).open();
  const net = withNeuralScore(core.openAnalyzer(rateHz), stream);
  const neural = new Listening(net, { ...listening, vad: 'neural' });
  const log = new QualityLog(net, null);
  const windows: MeasuredWindow[] = [];
  const [levels, floors]: [number[], number[]] = [[], []];
  let peak = 0;
  const packet = rateHz / 50;
  for (let at = 0; at < samples.length; at += packet) {
    const part = samples.slice(at, at + packet);
    const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    analyzer.write(bytes);
    while (analyzer.next()) energy.frame();
    net.write(bytes);
    while (net.next()) {
      neural.frame();
      levels.push(10 * Math.log10(Math.max(1e-10, net.rms ** 2)));
      floors.push(net.floorDb);
      peak = Math.max(peak, net.peak);
      const report = log.frame(levels.length * FRAME_MS);
      if (report === null || net.quality === null) continue;
      const ratio = report.score === null ? Number.NaN : noiseRatio(net.quality);
      windows.push({
        ...report,
        startMs: report.atMs - report.windowMs,
        noiseRatio: Number.isNaN(ratio) ? null : Number(ratio.toPrecision(3)),
      });
    }
  }
  return {
    seconds: samples.length / rateHz,
    levelsDb: Float32Array.from(levels),
    floorsDb: Float32Array.from(floors),
    peakDb: peak === 0 ? null : 20 * Math.log10(peak / 32768),
    hearings: [energy.end('energy'), neural.end('neural')],
    windows,
    summary: log.summary,
  };
}

class Listening {
  readonly #analyzer: Analyzer;
  readonly #detector: SpeechDetector;
  readonly #scores: number[] = [];
  readonly #speech: Stretch[] = [];

  constructor(analyzer: Analyzer, options: ListeningOptions) {
    this.#analyzer = analyzer;
    this.#detector = new SpeechDetector(options);
  }

  frame(): void {
    const change = this.#detector.frame(this.#analyzer, this.#scores.length * FRAME_MS);
    this.#scores.push(this.#analyzer.score);
    if (change === 'start') this.#speech.push({ startMs: this.#detector.onsetMs, endMs: Number.NaN });
    else if (change === 'stop') this.#finish();
  }

  end(vad: Hearing['vad']): Hearing {
    if (this.#detector.speaking) this.#finish();
    return { vad, scores: Float32Array.from(this.#scores), speech: this.#speech };
  }

  #finish(): void {
    const last = this.#speech.pop();
    if (last !== undefined) this.#speech.push({ startMs: last.startMs, endMs: this.#detector.lastVoicedMs });
  }
}
