// WAV files: 16-bit PCM in and out.

/** A file that can't be used; the message says what it is and what to do. */
export class WavError extends Error {
  override readonly name = 'WavError';
}

/** A WAV file's sound: PCM16, one array for each channel. */
export interface Wav {
  readonly rateHz: number;
  /** Samples of each channel. */
  readonly channels: Int16Array[];
}

const PCM = 1;
const EXTENSIBLE = 0xfffe;
const FORMAT_NAMES: Readonly<Record<number, string>> = {
  2: 'ADPCM',
  3: 'floating-point',
  6: 'A-law',
  7: 'mu-law',
  85: 'MP3',
};
const CONVERT = 'Convert it to 16-bit PCM, for example with "ffmpeg -i INPUT -c:a pcm_s16le OUTPUT.wav".';

/** Reads a 16-bit PCM WAV file. Takes what recorders write: sizes of 0 or 0xFFFFFFFF (streams), sizes past the end by less than a
 *  sample, the extensible format, odd and unknown chunks. Throws `WavError`. */
export function readWav(bytes: Uint8Array): Wav {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 0) throw new WavError('The WAV file is empty: record or copy it again.');
  if (bytes.length < 12 || tag(view, 0) !== 'RIFF' || tag(view, 8) !== 'WAVE') {
    const kind =
      bytes.length >= 4
        ? ({ fLaC: 'FLAC', OggS: 'Ogg', RF64: 'RF64', RIFX: 'big-endian WAV' } as Record<string, string>)[tag(view, 0)]
        : undefined;
    throw new WavError(`The file is ${kind ? `${kind}, not WAV` : 'not a WAV file (no RIFF/WAVE header)'}. ${CONVERT}`);
  }
  let format: { channels: number; rateHz: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = tag(view, at);
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (name === 'fmt ') format = readFormat(view, start, size);
    if (name === 'data') {
      if (!format) throw new WavError(`The WAV file has no format chunk before its data. ${CONVERT}`);
      return readData(view, start, size, format);
    }
    at = start + size + (size & 1);
  }
  throw new WavError('The WAV file is truncated (no audio data in it): record or copy it again.');
}

function readFormat(view: DataView, at: number, size: number): { channels: number; rateHz: number } {
  if (size < 16 || at + 16 > view.byteLength)
    throw new WavError('The WAV file is truncated (in its format chunk): record or copy it again.');
  const outer = view.getUint16(at, true);
  const code = outer === EXTENSIBLE && size >= 26 && at + 26 <= view.byteLength ? view.getUint16(at + 24, true) : outer;
  const channels = view.getUint16(at + 2, true);
  const rateHz = view.getUint32(at + 4, true);
  const bits = view.getUint16(at + 14, true);
  if (code !== PCM)
    throw new WavError(
      `The WAV file holds ${FORMAT_NAMES[code] ?? `format ${code}`} audio, not 16-bit PCM. ${CONVERT}`,
    );
  if (bits !== 16) throw new WavError(`The WAV file holds ${bits}-bit PCM, not 16-bit PCM. ${CONVERT}`);
  if (channels === 0 || rateHz === 0)
    throw new WavError(`The WAV file names ${channels} channels at ${rateHz} Hz: its header is damaged. ${CONVERT}`);
  return { channels, rateHz };
}

function readData(view: DataView, at: number, size: number, format: { channels: number; rateHz: number }): Wav {
  const frameBytes = format.channels * 2;
  const present = view.byteLength - at;
  const streamed = size === 0 || size >= 0x7fff_f000;
  if (!streamed && size - present >= frameBytes) {
    throw new WavError(`The WAV file is truncated (${present} of ${size} bytes of audio): record or copy it again.`);
  }
  const frames = Math.floor(Math.min(present, streamed ? present : size) / frameBytes);
  if (frames === 0) throw new WavError('The WAV file holds no audio: record or copy it again.');
  const channels = Array.from({ length: format.channels }, (_, channel) => {
    const samples = new Int16Array(frames);
    for (let i = 0; i < frames; i++) samples[i] = view.getInt16(at + i * frameBytes + channel * 2, true);
    return samples;
  });
  return { rateHz: format.rateHz, channels };
}

/** The 44 bytes before `dataBytes` bytes of 16-bit PCM. For a stream of unknown length leave `dataBytes` out: the sizes are then 0xFFFFFFFF. */
export function wavHeader(rateHz: number, channels: number, dataBytes?: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(44);
  const view = new DataView(header.buffer);
  const write = (at: number, text: string) => [...text].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  write(0, 'RIFF');
  view.setUint32(4, dataBytes === undefined ? 0xffff_ffff : 36 + dataBytes, true);
  write(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  write(36, 'data');
  view.setUint32(40, dataBytes ?? 0xffff_ffff, true);
  return header;
}

/** A 16-bit PCM WAV file of channels of equal length. */
export function writeWav(rateHz: number, channels: readonly Int16Array[]): Uint8Array<ArrayBuffer> {
  const frames = channels[0]?.length ?? 0;
  if (channels.length === 0 || channels.some((samples) => samples.length !== frames)) {
    throw new RangeError('Channels must be at least one and of equal length');
  }
  const dataBytes = frames * channels.length * 2;
  const file = new Uint8Array(44 + dataBytes);
  file.set(wavHeader(rateHz, channels.length, dataBytes));
  const view = new DataView(file.buffer);
  for (const [channel, samples] of channels.entries()) {
    for (let i = 0; i < frames; i++)
      view.setInt16(44 + (i * channels.length + channel) * 2, samples[i] as number, true);
  }
  return file;
}

function tag(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}
