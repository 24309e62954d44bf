// The audio path on the native interface: microphone frames to a function, samples into the native queue, without a promise on the way.
import type { AudioSource, RemoteAudioTrack } from '@livekit/rtc-node';
import { captureRequest } from './audio-wire.ts';
import type { Speaker } from './connection.ts';
import type { Native } from './native.ts';
import { giveBack, giveBackHandle } from './native-memory.ts';

const FRAME_MS = 10;
/** Native frames that wait while the JavaScript thread is held up; the oldest are dropped. The library's own default is 10. */
const WAITING_FRAMES = 50;
/** More than is ever written ahead; a clear empties it at once, so its length costs nothing. */
const QUEUE_MS = 400;

/** Opens a native audio stream on a track. */
export function listenTo(
  native: Native,
  track: RemoteAudioTrack,
  rateHz: number,
  sink: (pcm: Uint8Array) => void,
): () => void {
  const { client, bindings } = native;
  const answer = client.request({
    message: {
      case: 'newAudioStream',
      value: new bindings.NewAudioStreamRequest({
        type: bindings.AudioStreamType.AUDIO_STREAM_NATIVE,
        trackHandle: track.ffi_handle.handle,
        sampleRate: rateHz,
        numChannels: 1,
        frameSizeMs: FRAME_MS,
        queueSizeFrames: WAITING_FRAMES,
      }),
    },
  }) as { stream?: { handle?: { id?: bigint } } };
  const id = answer.stream?.handle?.id;
  if (id === undefined) throw new Error('The native library gave no audio stream');
  // Referenced by the closure below for as long as somebody can close it.
  const handle = new bindings.FfiHandle(id);
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    forget();
    giveBackHandle(handle);
  };
  const forget = client.listen(id, sink, close);
  return close;
}

export interface NativeSpeaker extends Speaker {
  readonly source: AudioSource;
  close(): void;
}

/** A place for one frame, with its request ready: neither the address nor the length ever changes. */
interface Slot {
  readonly samples: Int16Array;
  readonly request: Uint8Array;
}

/** The library copies a frame before the request returns, so that one slot for each length is enough. */
export function openSpeaker(native: Native, rateHz: number): NativeSpeaker {
  const { client, bindings } = native;
  const source = new native.sdk.AudioSource(rateHz, 1, QUEUE_MS);
  let rejected = 0;
  const capture = client.captureId(() => {
    rejected++;
  });
  const unit = (rateHz * FRAME_MS) / 1000;
  const slot = (samples: Int16Array): Slot => ({
    samples,
    request: captureRequest({
      source: source.ffiHandle.handle,
      address: client.retrievePtr(new Uint8Array(samples.buffer)),
      sampleRateHz: rateHz,
      samples: samples.length,
      id: capture.id,
    }),
  });
  const one = slot(new Int16Array(new ArrayBuffer(unit * 2)));
  const two = slot(new Int16Array(new ArrayBuffer(unit * 4)));
  let isOpen = true;

  function send({ samples, request }: Slot, from: Int16Array, at: number): void {
    for (let i = 0; i < samples.length; i++) samples[i] = from[at + i] as number;
    try {
      giveBack(bindings.livekitFfiRequest(request));
    } catch {
      rejected++;
    }
  }

  return {
    rateHz,
    source,
    write(samples) {
      if (!isOpen) return;
      let at = 0;
      for (; at + 2 * unit <= samples.length; at += 2 * unit) send(two, samples, at);
      if (at + unit <= samples.length) send(one, samples, at);
    },
    clear() {
      if (isOpen) source.clearQueue();
    },
    get rejected() {
      return rejected;
    },
    close() {
      isOpen = false;
      capture.release();
    },
  };
}
