// The audio core with a stopwatch: how much audio is converted from one format to another, and what that takes.
import type { Analyzer, AudioCore, Resampler, SampleRateHz } from '../audio/core.ts';
import type { G711Law } from '../audio/g711.ts';
import type { Registry } from '../metrics/index.ts';

/** Conversions of one kind between two formats. */
export interface ConversionMeter {
  /** A piece was converted: its samples and bytes, and how long that took. */
  done(samples: number, inputBytes: number, outputBytes: number, tookMs: number): void;
}

export interface Conversions {
  /** Formats are rates (`24000`), laws (`mu`, `a`) or `pcm16`, `wav`. `rateHz`: of the samples that are told. */
  meter(kind: 'resample' | 'g711' | 'wav', from: string, to: string, rateHz: number): ConversionMeter;
}

export function createConversions(registry: Registry): Conversions {
  const labels = ['kind', 'from', 'to'];
  const counter = (name: string, unit: string, help: string) =>
    registry.counter({ name: `syrinx.conversion.${name}`, unit, help, labels });
  const pieces = counter('pieces', '', 'Pieces of audio that were converted to another format.');
  const audio = counter(
    'audio',
    's',
    'Audio that was converted; divided by the time of conversions it is their efficiency.',
  );
  const time = counter('time', 's', 'Time that conversions took on their thread.');
  const input = counter('input', 'By', 'Bytes that went into conversions.');
  const output = counter('output', 'By', 'Bytes that came out of conversions.');
  const counters = [pieces, audio, time, input, output];
  const meters = new Map<string, ConversionMeter>();
  return {
    meter(kind, from, to, rateHz) {
      const key = `${kind} ${from} ${to}`;
      const known = meters.get(key);
      if (known !== undefined) return known;
      // Added up here, and read when somebody looks: a fraction that is handed to a counter may be boxed.
      const sums = new Float64Array(counters.length);
      counters.forEach((counter, i) => counter.labels({ kind, from, to }).observe(() => sums[i] as number));
      const secondsEach = 1 / rateHz;
      const meter: ConversionMeter = {
        done(samples, inputBytes, outputBytes, tookMs) {
          sums[0]! += 1;
          sums[1]! += samples * secondsEach;
          sums[2]! += tookMs / 1000;
          sums[3]! += inputBytes;
          sums[4]! += outputBytes;
        },
      };
      meters.set(key, meter);
      return meter;
    },
  };
}

export interface MeasuredCoreOptions {
  readonly conversions: Conversions;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** Telephone audio, by its definition. */
const G711_HZ = 8000;

/** The same core, measured; whoever uses it notices nothing. */
export function measureCore(core: AudioCore, { conversions, now }: MeasuredCoreOptions): AudioCore {
  const telephone = (law: G711Law) => ({
    decode: conversions.meter('g711', law, 'pcm16', G711_HZ),
    encode: conversions.meter('g711', 'pcm16', law, G711_HZ),
  });
  const laws: Partial<Record<G711Law, ReturnType<typeof telephone>>> = {};
  const resampling = (fromHz: SampleRateHz, toHz: SampleRateHz) =>
    conversions.meter('resample', String(fromHz), String(toHz), fromHz);
  return {
    ...core,
    get slotsInUse(): number {
      return core.slotsInUse;
    },
    openAnalyzer(inputRateHz) {
      const analyzer = core.openAnalyzer(inputRateHz);
      // What comes at the rate of the analysis is only copied.
      return inputRateHz === ANALYSIS_HZ
        ? analyzer
        : timedAnalyzer(analyzer, resampling(inputRateHz, ANALYSIS_HZ), now);
    },
    openResampler(fromHz, toHz) {
      const resampler = core.openResampler(fromHz, toHz);
      return fromHz === toHz ? resampler : new TimedResampler(resampler, resampling(fromHz, toHz), now);
    },
    decodeG711(law, bytes, output) {
      const startMs = now();
      const samples = core.decodeG711(law, bytes, output);
      (laws[law] ??= telephone(law)).decode.done(samples, samples, samples * 2, now() - startMs);
      return samples;
    },
    encodeG711(law, samples, output) {
      const startMs = now();
      const bytes = core.encodeG711(law, samples, output);
      (laws[law] ??= telephone(law)).encode.done(bytes, bytes * 2, bytes, now() - startMs);
      return bytes;
    },
  };
}

const ANALYSIS_HZ = 16_000;

/** Its `write` resamples; the figures are read in the frame path, so they stay the plain fields that they are. */
function timedAnalyzer(analyzer: Analyzer, meter: ConversionMeter, now: () => number): Analyzer {
  const write = analyzer.write.bind(analyzer);
  const { inputRateHz } = analyzer;
  return Object.assign(analyzer, {
    write(packet: Uint8Array): number {
      const startMs = now();
      const samples = write(packet);
      meter.done(samples, samples * 2, Math.round((samples * 2 * ANALYSIS_HZ) / inputRateHz), now() - startMs);
      return samples;
    },
  });
}

class TimedResampler implements Resampler {
  readonly fromHz: SampleRateHz;
  readonly toHz: SampleRateHz;
  readonly delaySamples: number;
  readonly #resampler: Resampler;
  readonly #meter: ConversionMeter;
  readonly #now: () => number;

  constructor(resampler: Resampler, meter: ConversionMeter, now: () => number) {
    this.fromHz = resampler.fromHz;
    this.toHz = resampler.toHz;
    this.delaySamples = resampler.delaySamples;
    this.#resampler = resampler;
    this.#meter = meter;
    this.#now = now;
  }

  maxOutput(inputSamples: number): number {
    return this.#resampler.maxOutput(inputSamples);
  }

  process(input: Int16Array, output: Int16Array): number {
    const startMs = this.#now();
    const produced = this.#resampler.process(input, output);
    this.#meter.done(input.length, input.length * 2, produced * 2, this.#now() - startMs);
    return produced;
  }

  flush(output: Int16Array): number {
    const startMs = this.#now();
    const produced = this.#resampler.flush(output);
    this.#meter.done(0, 0, produced * 2, this.#now() - startMs);
    return produced;
  }

  reset(): void {
    this.#resampler.reset();
  }

  release(): void {
    this.#resampler.release();
  }
}
