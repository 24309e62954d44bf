// The control of all LiveKit figures: rtc-node with the demultiplexed client, and nothing but an echo of what is loud.
import type { Connect, Connection, Microphone } from '../../src/livekit/room/connection.ts';

const LOUD = 600;

export interface Room {
  readonly url: string;
  readonly token: string;
}

/** `frame` is called for each that comes in. */
export async function joinEcho(connect: Connect, { url, token }: Room, frame: () => void): Promise<Connection> {
  const nothing = () => {};
  let speak: (samples: Int16Array) => void = nothing;
  const connection = await connect({
    url,
    token,
    voiceRateHz: 24_000,
    textTopics: [],
    events: {
      peerJoined: nothing,
      peerLeft: nothing,
      microphoneHere: (microphone: Microphone) =>
        void microphone.listen(24_000, (pcm) => {
          frame();
          const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length >> 1);
          if (isLoud(samples)) speak(samples);
        }),
      microphoneGone: nothing,
      muted: nothing,
      voiceSubscribed: nothing,
      voiceRepublished: nothing,
      reconnecting: nothing,
      reconnected: nothing,
      disconnected: nothing,
      moved: nothing,
      text: nothing,
      data: nothing,
      dtmf: nothing,
      quality: nothing,
    },
  });
  speak = (samples) => connection.speaker.write(samples);
  return connection;
}

export function isLoud(samples: Int16Array): boolean {
  for (let i = 0; i < samples.length; i += 4) if (Math.abs(samples[i] as number) > LOUD) return true;
  return false;
}
