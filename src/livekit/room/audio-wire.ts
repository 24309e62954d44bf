// The two messages of the audio path on LiveKit's native interface, read and written by hand: they come 100 times a second and call.
import { WireReader } from './wire-reader.ts';

/** First byte of an event that carries audio (`FfiEvent.audio_stream_event`, field 4). */
export const AUDIO_EVENT_TAG = (4 << 3) | 2;
/** First byte of the answer to a capture (`FfiEvent.capture_audio_frame`, field 13). */
export const CAPTURED_EVENT_TAG = (13 << 3) | 2;
/** First two bytes of a batch of log records (`FfiEvent.logs`, field 18). */
export const LOGS_EVENT_TAGS = [((18 << 3) & 0x7f) | 2 | 0x80, (18 << 3) >> 7] as const;

/** What an audio event says. Handles and addresses stay below 2^53. One object is filled again and again. */
export interface AudioEvent {
  stream: number;
  kind: 'frame' | 'end' | 'unknown';
  frameHandle: number;
  address: number;
  channels: number;
  samples: number;
}

export function emptyAudioEvent(): AudioEvent {
  return { stream: 0, kind: 'unknown', frameHandle: 0, address: 0, channels: 0, samples: 0 };
}

const reader = new WireReader();

/** Reads an event whose first byte is `AUDIO_EVENT_TAG`. */
export function readAudioEvent(bytes: Uint8Array, into: AudioEvent): AudioEvent {
  into.stream = into.frameHandle = into.address = into.channels = into.samples = 0;
  into.kind = 'unknown';
  const end = reader.open(bytes, 1);
  while (reader.at < end && reader.at < bytes.length) {
    const tag = reader.varint();
    if (tag === ((1 << 3) | 0)) into.stream = reader.varint();
    else if (tag === ((2 << 3) | 2)) {
      into.kind = 'frame';
      const stop = reader.end();
      while (reader.at < stop && reader.at < bytes.length) {
        if (reader.varint() === ((1 << 3) | 2)) ownedFrame(into);
        else reader.at = stop;
      }
    } else if (tag === ((3 << 3) | 2)) {
      into.kind = 'end';
      reader.at = reader.end();
    } else reader.skip(tag & 7);
  }
  return into;
}

function ownedFrame(into: AudioEvent): void {
  const end = reader.end();
  while (reader.at < end && reader.at < reader.bytes.length) {
    const tag = reader.varint();
    const stop = reader.end();
    while (reader.at < stop && reader.at < reader.bytes.length) {
      const field = reader.varint();
      if ((field & 7) !== 0) reader.skip(field & 7);
      else if (tag === ((1 << 3) | 2)) {
        const value = reader.varint();
        if (field >> 3 === 1) into.frameHandle = value;
      } else {
        const value = reader.varint();
        if (field >> 3 === 1) into.address = value;
        else if (field >> 3 === 2) into.channels = value;
        else if (field >> 3 === 4) into.samples = value;
      }
    }
  }
}

/** Reads an event whose first byte is `CAPTURED_EVENT_TAG`: whose capture it was, and whether it failed. */
export function readCaptured(bytes: Uint8Array, into: { id: number; failed: boolean }): void {
  into.id = 0;
  into.failed = false;
  const end = reader.open(bytes, 1);
  while (reader.at < end && reader.at < bytes.length) {
    const tag = reader.varint();
    if (tag === ((1 << 3) | 0)) into.id = reader.varint();
    else {
      into.failed = true;
      reader.skip(tag & 7);
    }
  }
}

export interface CaptureRequest {
  readonly source: bigint;
  /** Where the samples are. */
  readonly address: bigint;
  readonly sampleRateHz: number;
  readonly samples: number;
  /** Comes back in the answer. */
  readonly id: bigint;
}

/** Writes `FfiRequest { capture_audio_frame }` (field 27) for mono PCM16. */
export function captureRequest({ source, address, sampleRateHz, samples, id }: CaptureRequest): Uint8Array {
  const buffer = [
    ...field(1, address),
    ...field(2, 1n),
    ...field(3, BigInt(sampleRateHz)),
    ...field(4, BigInt(samples)),
  ];
  const capture = [...field(1, source), ...nested(2, buffer), ...field(3, id)];
  return Uint8Array.from(nested(27, capture));
}

function bytesOf(value: bigint): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return out;
}

/** For the requests that are written by hand: a number, and a message in a message. */
export function field(number: number, value: bigint): number[] {
  return [...bytesOf(BigInt(number << 3)), ...bytesOf(value)];
}

export function nested(number: number, content: readonly number[]): number[] {
  return [...bytesOf(BigInt((number << 3) | 2)), ...bytesOf(BigInt(content.length)), ...content];
}
