// A caller in a process of its own: LiveKit's stock client, told what to do by JSON lines on stdin, telling what it sees on stdout.
// real time: a person who speaks, and who tries again every second when the line is lost.
import { closeSync, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { FfiRequest, livekitFfiRequest, LocalTrackMuteRequest } from '@livekit/rtc-ffi-bindings';
import {
  AudioFrame,
  AudioSource,
  AudioStream,
  dispose,
  LocalAudioTrack,
  type LocalTrackPublication,
  type RemoteTrack,
  Room,
  RoomEvent,
  TrackKind,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';

const RATE = 24000;
const FRAME = RATE / 100;
/** A client that has reconnected sends its voice within three seconds. */
const VOICE_TRIES = 12;
const VOICE_EVERY_MS = 250;
/** -42 dBFS and more is sound. */
const LOUD = 260;

const now = () => performance.timeOrigin + performance.now();
const tell = (event: string, facts: object = {}) =>
  process.stdout.write(`@${JSON.stringify({ event, at: now(), ...facts })}\n`);

let room: Room | null = null;
let source: AudioSource | null = null;
let publication: LocalTrackPublication | null = null;
/** Samples that are waiting to be spoken. */
let speech: Int16Array = new Int16Array(0);
let spoken = 0;

/** How far ahead of the microphone frames lie ready: a process that is kept from its work for so long does not stutter. */
let aheadMs = 0;
/** Real time, 10 ms after 10 ms, silence where nothing is to be said. */
let frames = 0;
const first = performance.now();
setInterval(() => {
  for (; performance.now() - first >= frames * 10; frames++) {
    if (source === null) continue;
    const data = new Int16Array(FRAME);
    if (spoken < speech.length) {
      if (spoken === 0) setTimeout(tell, aheadMs, 'speaking');
      data.set(speech.subarray(spoken, spoken + FRAME));
      spoken += FRAME;
      if (spoken >= speech.length) setTimeout(tell, aheadMs, 'spoken');
    }
    source.captureFrame(new AudioFrame(data, RATE, 1, FRAME)).catch(() => {});
  }
}, 5);

/** Where what is heard is written, one file of PCM16 for each track, and how many there were. */
let recordings: string | undefined;
let tracks = 0;

async function listen(track: RemoteTrack): Promise<void> {
  let loud = false;
  let quietFrames = 0;
  const path = recordings === undefined ? undefined : `${recordings}-${++tracks}.pcm`;
  const file = path === undefined ? undefined : openSync(path, 'w');
  if (path !== undefined) tell('recording', { path });
  for await (const { data } of new AudioStream(track, { sampleRate: RATE, numChannels: 1, frameSizeMs: 10 })) {
    if (file !== undefined) writeSync(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    let peak = 0;
    for (const sample of data) peak = Math.max(peak, Math.abs(sample));
    quietFrames = peak < LOUD ? quietFrames + 1 : 0;
    if (!loud && peak >= LOUD) tell('sound', { on: true });
    else if (loud && quietFrames === 3) tell('sound', { on: false });
    if (peak >= LOUD) loud = true;
    else if (quietFrames >= 3) loud = false;
  }
  if (file !== undefined) closeSync(file);
}

interface Join {
  readonly url: string;
  readonly token: string;
  readonly key?: string;
  readonly aheadMs?: number;
  /** Joins anew, for ever, when the SDK has given up, or is back without sending her voice. */
  readonly again?: boolean;
  readonly record?: string;
}

async function join(command: Join): Promise<void> {
  const { url, token, key } = command;
  recordings = command.record;
  aheadMs = command.aheadMs ?? 0;
  const here = new Room();
  room = here;
  here.on(RoomEvent.ParticipantConnected, (p) => tell('peer', { identity: p.identity }));
  here.on(RoomEvent.ParticipantDisconnected, (p) => tell('peer-left', { identity: p.identity }));
  here.on(RoomEvent.TrackSubscribed, (track) => {
    if (track.kind !== TrackKind.KIND_AUDIO) return;
    tell('track');
    void listen(track as RemoteTrack);
  });
  here.on(RoomEvent.ParticipantAttributesChanged, (attributes, p) =>
    tell('attributes', { attributes, identity: p.identity }),
  );
  here.on(RoomEvent.DataReceived, (bytes, p, _kind, topic) =>
    tell('data', { text: new TextDecoder().decode(bytes), topic, identity: p?.identity }),
  );
  here.on(RoomEvent.LocalTrackSubscribed, () => tell('voice-received'));
  here.on(RoomEvent.Reconnecting, () => tell('reconnecting'));
  here.on(RoomEvent.Reconnected, () => {
    tell('reconnected');
    if (command.again === true) void watchVoice(here, command);
  });
  here.on(RoomEvent.Disconnected, (reason) => {
    tell('disconnected', { reason });
    if (command.again === true && room === here) void joinAgain(command);
  });
  here.registerTextStreamHandler('lk.transcription', (reader, from) => {
    reader.readAll().then(
      (text) => tell('transcription', { text, from: from.identity, attributes: reader.info.attributes }),
      // The line went while words were on their way.
      () => tell('transcription-cut'),
    );
  });
  await here.connect(url, token, {
    autoSubscribe: true,
    dynacast: false,
    ...(key === undefined
      ? {}
      : { encryption: { keyProviderOptions: { sharedKey: new TextEncoder().encode(key) } } as never }),
  });
  await publish(here);
  tell('joined', { peers: [...here.remoteParticipants.keys()] });
}

async function publish(here: Room): Promise<void> {
  source = new AudioSource(RATE, 1, 100 + 2 * aheadMs);
  frames -= aheadMs / 10;
  const options = new TrackPublishOptions();
  options.source = TrackSource.SOURCE_MICROPHONE;
  publication =
    (await here.localParticipant?.publishTrack(LocalAudioTrack.createAudioTrack('microphone', source), options)) ??
    null;
}

/** rtc-node has no words for it. */
function mute(isMuted: boolean): void {
  const track = publication?.track as unknown as { readonly ffi_handle: { readonly handle: bigint } };
  const value = new LocalTrackMuteRequest({ trackHandle: track.ffi_handle.handle, mute: isMuted });
  livekitFfiRequest(new FfiRequest({ message: { case: 'localTrackMute', value } }).toBinary());
}

/** After a server's restart the SDK may say that her microphone is published, and never send a packet of it: by its own
 *  statistics, so that nothing is hidden that is not its fault. */
async function watchVoice(here: Room, command: Join): Promise<void> {
  for (let i = 0; i < VOICE_TRIES; i++) {
    await new Promise((go) => setTimeout(go, VOICE_EVERY_MS));
    if (room !== here) return;
    if ((await packetsSent(here)) === 0) continue;
    tell('sending');
    return;
  }
  tell('unsent');
  room = null;
  // That need not come to an end.
  void here.disconnect();
  await joinAgain(command);
}

async function packetsSent(here: Room): Promise<number> {
  const { publisherStats } = await here.getRtcStats().catch(() => ({ publisherStats: [] }));
  return publisherStats.reduce(
    (sum, { stats }) => sum + (stats?.case === 'outboundRtp' ? Number(stats.value.sent?.packetsSent ?? 0) : 0),
    0,
  );
}

async function joinAgain(command: Join): Promise<void> {
  source = null;
  for (;;) {
    try {
      await join(command);
      if (room !== null) void watchVoice(room, command);
      return;
    } catch {
      await new Promise((go) => setTimeout(go, 1000));
    }
  }
}

function tone(ms: number): Int16Array {
  return Int16Array.from({ length: (RATE * ms) / 1000 }, (_, i) => 9000 * Math.sin((2 * Math.PI * 440 * i) / RATE));
}

// oxlint-disable-next-line typescript/no-explicit-any -- commands are as loose as JSON is
type Command = any;
async function perform(command: Command): Promise<unknown> {
  const local = room?.localParticipant;
  switch (command.do) {
    case 'join':
      return join(command);
    case 'leave': {
      const left = room;
      source = room = null;
      await left?.disconnect();
      return tell('left');
    }
    case 'tone':
      speech = tone(command.ms);
      spoken = 0;
      return;
    case 'say':
      speech = new Int16Array(Uint8Array.from(atob(command.pcm), (c) => c.charCodeAt(0)).buffer);
      spoken = 0;
      return;
    case 'chat':
      await local?.sendText(command.text, { topic: 'lk.chat' });
      return;
    case 'data':
      return local?.publishData(new TextEncoder().encode(command.text), { reliable: true, topic: command.topic });
    case 'dtmf':
      return local?.publishDtmf(command.code, command.digit);
    case 'rpc':
      return tell('rpc', {
        answer: await local?.performRpc({
          destinationIdentity: command.to,
          method: command.method,
          payload: command.payload,
        }),
      });
    case 'unpublish':
      source = null;
      await local?.unpublishTrack(publication?.sid ?? '', true);
      return tell('unpublished');
    case 'publish':
      if (room !== null) await publish(room);
      return tell('published');
    case 'mute':
      mute(command.on);
      return tell('muted', { on: command.on });
    case 'simulate':
      return room?.simulateScenario(command.kind);
    case 'exit': {
      const left = room;
      room = null;
      await left?.disconnect();
      await dispose();
      process.exit(0);
    }
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command = JSON.parse(line) as Command;
    perform(command).catch((error) => tell('failed', { do: command.do, message: String(error) }));
  })
  .on('close', () => process.exit(0));
tell('ready');
