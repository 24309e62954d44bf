// A room through rtc-node: its objects and events in the words of `connection.ts`.
import type { RemoteAudioTrack, RemoteParticipant, RemoteTrackPublication, Room } from '@livekit/rtc-node';
import {
  type Connect,
  type Connection,
  type ConnectRequest,
  type LeaveReason,
  type Peer,
  type PeerKind,
  type TextMessage,
  type TextStream,
  withoutTokens,
} from './connection.ts';
import type { Native } from './native.ts';
import { listenTo, openSpeaker } from './native-audio.ts';
import type { NativeHandle } from './native-client.ts';
import { giveBackHandle, giveBackRoom } from './native-memory.ts';

const VOICE_NAME = 'agent';
const REASONS: readonly LeaveReason[] = [
  'connection lost', // unknown
  'left',
  'duplicate identity',
  'server shutdown',
  'removed',
  'room deleted',
  'connection lost', // state mismatch
  'connection lost', // join failure
  'connection lost', // migration
  'connection lost', // signal close
  'room closed',
  'rejected', // user unavailable
  'rejected',
  'rejected', // SIP trunk failure
  'connection lost', // timeout
  'connection lost', // media failure
  'left', // agent error
];
const KINDS: readonly PeerKind[] = ['standard', 'other', 'other', 'sip', 'agent', 'standard', 'other'];
const QUALITIES = ['poor', 'good', 'excellent', 'lost'] as const;

export function leaveReason(code: number | undefined): LeaveReason {
  return REASONS[code ?? 0] ?? 'connection lost';
}

function peerOf(participant: RemoteParticipant): Peer {
  return {
    identity: participant.identity,
    kind: KINDS[participant.kind] ?? 'other',
    name: participant.name ?? '',
    metadata: participant.metadata,
    // Fields that the server did not send are absent, whatever the types say.
    attributes: { ...participant.attributes },
  };
}

/** `connect` by the native library. */
export function nativeConnect(native: Native): Connect {
  return async (request) => {
    const room = new native.sdk.Room();
    const forget = follow(native, room, request);
    try {
      await room.connect(request.url, request.token, {
        autoSubscribe: true,
        dynacast: false,
        // A second attempt after 15 s would make a room anew that was deleted meanwhile. (Not in rtc-node's types.)
        ...({ joinRetries: 0 } as object),
        ...(request.sharedKey === undefined
          ? {}
          : {
              // rtc-node fills in what is not given, whatever its types say.
              encryption: {
                keyProviderOptions: { sharedKey: request.sharedKey },
                encryptionType: native.sdk.EncryptionType.GCM,
              } as never,
            }),
      });
    } catch (error) {
      forget();
      // A server that refuses a token writes it into its answer.
      throw new Error(withoutTokens(error));
    }
    try {
      return await publish(native, room, request);
    } catch (error) {
      // That we leave a room that was not joined to the end is told by the error alone.
      forget();
      await room.disconnect().catch(() => {});
      giveBackRoom(room);
      throw error;
    }
  };
}

async function publish(native: Native, room: Room, request: ConnectRequest): Promise<Connection> {
  const { sdk } = native;
  const speaker = openSpeaker(native, request.voiceRateHz);
  const track = sdk.LocalAudioTrack.createAudioTrack(VOICE_NAME, speaker.source);
  const local = room.localParticipant;
  if (local === undefined) throw new Error('The room has no local participant');
  const options = new sdk.TrackPublishOptions({ source: sdk.TrackSource.SOURCE_MICROPHONE });
  const publication = await local.publishTrack(track, options).catch(async (error: unknown) => {
    speaker.close();
    await track.close(true).catch(() => {});
    throw error;
  });
  const handle = (room as unknown as { readonly ffiHandle?: { readonly handle: bigint } }).ffiHandle?.handle;
  const statistics = handle === undefined ? null : native.client.statsOf(handle);
  let leaving: Promise<void> | null = null;

  async function leave(): Promise<void> {
    speaker.close();
    statistics?.close();
    await room.disconnect().catch(() => {});
    await track.close(true).catch(() => {});
    giveBackHandle((publication as { readonly ffiHandle?: NativeHandle }).ffiHandle);
    giveBackRoom(room);
  }

  return {
    get roomName() {
      return room.name ?? '';
    },
    roomSid: () => room.getSid(),
    get identity() {
      return local.identity;
    },
    peers: () => [...room.remoteParticipants.values()].map(peerOf),
    speaker,
    get voiceTrackId() {
      return publication.sid ?? '';
    },
    setAttributes: (attributes) => local.setAttributes({ ...attributes }),
    async sendText({ text, ...message }) {
      const writer = await local.streamText(streamOptions(message));
      await writer.write(text);
      await writer.close();
    },
    streamText: (message) => openTextStream(local.streamText(streamOptions(message))),
    sendData: ({ bytes, topic, reliable = true, to }) =>
      local.publishData(bytes, {
        reliable,
        ...(topic === undefined ? {} : { topic }),
        ...(to === undefined ? {} : { destination_identities: [...to] }),
      }),
    sendDtmf: (digit) => local.publishDtmf(dtmfCode(digit), digit),
    performRpc: ({ to, method, payload, timeoutMs }) =>
      local.performRpc({
        destinationIdentity: to,
        method,
        payload,
        ...(timeoutMs === undefined ? {} : { responseTimeout: timeoutMs }),
      }),
    onRpc: (method, handler) =>
      local.registerRpcMethod(method, async (call) => handler({ from: call.callerIdentity, payload: call.payload })),
    stats: () => statistics?.read() ?? Promise.reject(new Error('The room gives no statistics')),
    leave() {
      leaving ??= leave();
      return leaving;
    },
  };
}

function streamOptions({ topic, attributes, senderIdentity, to }: Omit<TextMessage, 'text'>) {
  return {
    topic,
    ...(attributes === undefined ? {} : { attributes: { ...attributes } }),
    ...(senderIdentity === undefined ? {} : { senderIdentity }),
    ...(to === undefined ? {} : { destinationIdentities: [...to] }),
  };
}

/** One after the other, as they were written. */
function openTextStream(opening: Promise<{ write(text: string): Promise<void>; close(): Promise<void> }>): TextStream {
  let last: Promise<unknown> = opening;
  const then = (step: () => Promise<unknown>) => {
    last = last.then(step);
    last.catch(() => {});
  };
  return {
    write: (text) => then(async () => (await opening).write(text)),
    close: () => then(async () => (await opening).close()),
  };
}

/** Codes of RFC 4733. */
export function dtmfCode(digit: string): number {
  const code = '0123456789*#ABCD'.indexOf(digit.toUpperCase());
  if (code < 0 || digit.length !== 1) throw new RangeError(`Not a DTMF digit: "${digit}"`);
  return code;
}

function follow(native: Native, room: Room, { events, textTopics }: ConnectRequest): () => void {
  const { RoomEvent, TrackKind, TrackSource } = native.sdk;
  const isMicrophone = (publication: RemoteTrackPublication) =>
    publication.kind === TrackKind.KIND_AUDIO && publication.source !== TrackSource.SOURCE_SCREENSHARE_AUDIO;
  let isOver = false;

  room.on(RoomEvent.ParticipantConnected, (participant) => events.peerJoined(peerOf(participant)));
  room.on(RoomEvent.ParticipantDisconnected, (participant) =>
    events.peerLeft(participant.identity, leaveReason(participant.disconnectReason)),
  );
  room.on(RoomEvent.TrackSubscribed, (track, publication, participant) => {
    if (!isMicrophone(publication)) return;
    events.microphoneHere({
      identity: participant.identity,
      trackId: publication.sid ?? '',
      muted: publication.muted ?? false,
      listen: (rateHz, sink) => listenTo(native, track as RemoteAudioTrack, rateHz, sink),
    });
  });
  room.on(RoomEvent.TrackUnsubscribed, (_track, publication, participant) => {
    if (isMicrophone(publication)) events.microphoneGone(participant.identity, publication.sid ?? '');
  });
  const muted = (isMuted: boolean) => (publication: { kind?: unknown }, participant: { identity: string }) => {
    if (publication.kind === TrackKind.KIND_AUDIO) events.muted(participant.identity, isMuted);
  };
  room.on(RoomEvent.TrackMuted, muted(true));
  room.on(RoomEvent.TrackUnmuted, muted(false));
  room.on(RoomEvent.LocalTrackSubscribed, () => events.voiceSubscribed());
  room.on(RoomEvent.LocalTrackRepublished, () => events.voiceRepublished());
  room.on(RoomEvent.Reconnecting, () => events.reconnecting());
  room.on(RoomEvent.Reconnected, () => events.reconnected());
  room.on(RoomEvent.Disconnected, (reason) => {
    if (isOver) return;
    isOver = true;
    events.disconnected(leaveReason(reason));
  });
  room.on(RoomEvent.Moved, () => events.moved(room.name ?? ''));
  room.on(RoomEvent.DataReceived, (bytes, participant, _kind, topic) =>
    events.data(bytes, topic ?? '', participant?.identity),
  );
  room.on(RoomEvent.DtmfReceived, (_code, digit, participant) => events.dtmf(digit, participant?.identity));
  room.on(RoomEvent.ConnectionQualityChanged, (quality, participant) =>
    events.quality(participant.identity, QUALITIES[quality] ?? 'poor'),
  );
  for (const topic of textTopics) {
    room.registerTextStreamHandler(topic, (reader, { identity }) => {
      // A sender that goes away in the middle of its text has said nothing.
      reader.readAll().then(
        (text) => events.text(topic, text, identity),
        () => {},
      );
    });
  }
  return () => {
    isOver = true;
    room.removeAllListeners();
  };
}
