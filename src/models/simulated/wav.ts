// WAV files in and out, as the simulated endpoints take and give them.

export interface Wav {
  readonly sampleRateHz: number;
  /** All channels mixed to one, -1..1. */
  readonly samples: Float32Array;
}

/** Reads PCM16 of 1 to 8 channels at 8 to 48 kHz. Throws `Error` that says what is wrong with the file. */
export function readWav(bytes: Uint8Array): Wav {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE') throw new Error('it does not begin like a WAV file');
  let format: { channels: number; rate: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = tag(at);
    // A header written before the length was known says 0xffffffff: the data goes on to the end.
    const size = Math.min(view.getUint32(at + 4, true), bytes.length - at - 8);
    if (id === 'fmt ' && size >= 16) {
      const code = view.getUint16(at + 8, true);
      const channels = view.getUint16(at + 10, true);
      const rate = view.getUint32(at + 12, true);
      const bits = view.getUint16(at + 22, true);
      if ((code !== 1 && code !== 0xfffe) || bits !== 16)
        throw new Error(`it holds format ${code} with ${bits} bits, not PCM16`);
      if (channels < 1 || channels > 8) throw new Error(`it has ${channels} channels`);
      if (rate < 8000 || rate > 48_000) throw new Error(`its rate is ${rate} Hz, not 8000 to 48000`);
      format = { channels, rate };
    }
    if (id === 'data') {
      if (!format) throw new Error("its 'data' comes before its 'fmt '");
      const { channels, rate } = format;
      const frames = Math.floor(size / (2 * channels));
      const samples = new Float32Array(frames);
      for (let i = 0, p = at + 8; i < frames; i++) {
        let sum = 0;
        for (let c = 0; c < channels; c++, p += 2) sum += view.getInt16(p, true);
        samples[i] = sum / (channels * 32768);
      }
      return { sampleRateHz: rate, samples };
    }
    at += 8 + size + (size & 1);
  }
  throw new Error("it has no 'data'");
}

/** The head of a mono PCM16 WAV of unknown length, as a stream begins. */
export function streamingWavHeader(sampleRateHz: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(44));
  const ascii = (at: number, text: string): void => {
    for (let i = 0; i < text.length; i++) view.setUint8(at + i, text.charCodeAt(i));
  };
  ascii(0, 'RIFF');
  view.setUint32(4, 0xffffffff, true);
  ascii(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  ascii(36, 'data');
  view.setUint32(40, 0xffffffff, true);
  return new Uint8Array(view.buffer);
}
