// An audio core whose ear is simple and exact: 16 kHz in, a frame is voiced when it is loud. Resamplers are the real ones.
import { type Analyzer, type AudioCore, createAudioCore, type SampleRateHz } from '../../src/audio/index.ts';

const FRAME_SAMPLES = 320;
const VOICED_RMS = 0.02;

export class FakeAnalyzer implements Analyzer {
  readonly vad = 'energy';
  readonly inputRateHz: SampleRateHz = 16_000;
  readonly delaySamples = 0;
  readonly maxPacketSamples = 1600;
  readonly frame = new Int16Array(FRAME_SAMPLES);
  score = 0;
  rms = 0;
  firstHalfDb = -100;
  secondHalfDb = -100;
  readonly floorDb = -70;
  readonly peak = 0;
  readonly quality = null;
  readonly #ring = new Int16Array(FRAME_SAMPLES * 10);
  #length = 0;
  readonly #onRelease: () => void;
  #released = false;

  constructor(onRelease: () => void = () => {}) {
    this.#onRelease = onRelease;
  }

  #check(): void {
    if (this.#released) throw new Error('The slot was released');
  }

  write(packet: Uint8Array): number {
    this.#check();
    const count = Math.min(packet.length >> 1, this.#ring.length - this.#length);
    for (let i = 0; i < count; i++)
      this.#ring[this.#length + i] = (packet[i * 2] as number) | ((packet[i * 2 + 1] as number) << 8);
    this.#length += count;
    return count;
  }

  writeSilence(samples: number): number {
    this.#check();
    const count = Math.min(samples, this.#ring.length - this.#length);
    this.#ring.fill(0, this.#length, this.#length + count);
    this.#length += count;
    return count;
  }

  next(): boolean {
    this.#check();
    if (this.#length < FRAME_SAMPLES) return false;
    for (let i = 0; i < FRAME_SAMPLES; i++) this.frame[i] = this.#ring[i] as number;
    this.#ring.copyWithin(0, FRAME_SAMPLES, this.#length);
    this.#length -= FRAME_SAMPLES;
    const first = energy(this.frame, 0, FRAME_SAMPLES / 2);
    const second = energy(this.frame, FRAME_SAMPLES / 2, FRAME_SAMPLES);
    this.rms = Math.sqrt((first + second) / 2);
    this.score = this.rms >= VOICED_RMS ? 1 : 0;
    this.firstHalfDb = level(first);
    this.secondHalfDb = level(second);
    return true;
  }

  reset(): void {
    this.#length = 0;
  }

  release(): void {
    this.#check();
    this.#released = true;
    this.#onRelease();
  }
}

function energy(frame: Int16Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += ((frame[i] as number) / 32_768) ** 2;
  return sum / (to - from);
}

/** Loud, quiet or nothing: enough to find an edge inside a frame, and no logarithm that engines round differently. */
function level(meanSquare: number): number {
  return meanSquare > 1e-3 ? -20 : meanSquare > 1e-7 ? -60 : -100;
}

export function createFakeCore(maxSlots = 64): AudioCore {
  const real = createAudioCore({ maxSlots });
  let open = 0;
  return {
    memoryBytes: real.memoryBytes,
    maxSlots,
    get slotsInUse() {
      return open + real.slotsInUse;
    },
    openAnalyzer() {
      open++;
      return new FakeAnalyzer(() => open--);
    },
    openResampler: (fromHz, toHz) => real.openResampler(fromHz, toHz),
    decodeG711: real.decodeG711,
    encodeG711: real.encodeG711,
  };
}
