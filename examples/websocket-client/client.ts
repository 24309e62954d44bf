// Calls a Syrinx server over a WebSocket: speaks a WAV file in real time, plays the answer into another, prints what is said.
//
//   bun examples/websocket-client/client.ts IN.wav [--out OUT.wav] [--url ws://127.0.0.1:8080/call] [--token T] [--tail 8]
//   (or `deno run -A`, or Node 24)
import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { readWav, writeWav } from 'syrinx/audio';
import { Speaker } from './speaker.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string' },
    url: { type: 'string', default: 'ws://127.0.0.1:8080/call' },
    token: { type: 'string' },
    /** Seconds of silence after the file, so that the agent can answer. */
    tail: { type: 'string', default: '8' },
  },
});
const [path] = positionals;
if (!path) throw new Error('Usage: client.ts IN.wav [--out OUT.wav] [--url URL] [--token TOKEN] [--tail SECONDS]');

const { rateHz, channels } = readWav(await readFile(path));
const voice = channels[0] ?? new Int16Array(0);
const FRAME_MS = 20;
const frameSamples = (rateHz * FRAME_MS) / 1000;
const frames = Math.ceil(voice.length / frameSamples) + Math.ceil((Number(values.tail) * 1000) / FRAME_MS);
const speaker = new Speaker(rateHz);

let socket: WebSocket;
let resumeToken: string | undefined;
let isDone = false;
/** Tries left to come back to a call whose connection was lost: twice a second, as long as the server waits. */
let triesLeft = 60;
let finish: (code: number) => void;
const finished = new Promise<number>((done) => {
  finish = done;
});
connect();

function connect(): void {
  const url = new URL(values.url);
  // A browser's WebSocket cannot send headers: the token goes into the address, the rest into a hello.
  if (values.token) url.searchParams.set('access_token', values.token);
  socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () =>
    send({ type: 'hello', inputRateHz: rateHz, outputRateHz: rateHz, reportsPlayed: true, resume: resumeToken });
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string') hear(JSON.parse(data));
    else speaker.play(new Int16Array(data as ArrayBuffer), performance.now());
  };
  socket.onclose = ({ code, reason }) => {
    if (isDone || code === 1000 || code >= 4000 || code === 1008) return finish(isDone || code === 1000 ? 0 : 1);
    if (!resumeToken || triesLeft-- === 0) {
      console.error(`No connection to ${values.url} (${code} ${reason})`);
      return finish(1);
    }
    // The server keeps the call for a while: come back to it. Too late, it answers 4004.
    setTimeout(connect, 500);
  };
}

function hear(message: Record<string, unknown>): void {
  switch (message.type) {
    case 'ready':
      console.log(`ready: session ${message.session}${message.resumed ? ', resumed' : ''}`);
      speaker.next(Number(message.outputPosition));
      if (!resumeToken) void speak();
      resumeToken = String(message.resume);
      triesLeft = 60;
      break;
    case 'clear':
      // First how much was heard of what is dropped, then the place where new audio begins.
      report();
      speaker.clear(performance.now());
      speaker.next(Number(message.position));
      break;
    case 'position':
      speaker.next(Number(message.position));
      break;
    case 'transcript':
      console.log(`caller: ${message.text}`);
      break;
    case 'reply':
      console.log(`agent:  ${message.text}`);
      break;
    case 'interrupted':
      console.log(`agent was interrupted after: ${message.heard}`);
      break;
    case 'error':
      console.error(`error: ${message.code}: ${message.message}`);
      break;
    case 'bye':
      console.log(`bye: ${message.reason}`);
      break;
  }
}

/** Sends a frame each time one is due; what a busy moment delayed goes out at once after it. */
async function speak(): Promise<void> {
  const start = performance.now();
  for (let frame = 0; frame < frames && !isDone; frame++) {
    const waitMs = start + frame * FRAME_MS - performance.now();
    if (waitMs > 0) await new Promise((done) => setTimeout(done, waitMs));
    const samples = new Int16Array(frameSamples);
    samples.set(voice.subarray(frame * frameSamples, (frame + 1) * frameSamples));
    if (socket.readyState === WebSocket.OPEN) socket.send(samples);
    if (frame % 5 === 0) report();
  }
  report();
  isDone = true;
  send({ type: 'bye' });
}

function report(): void {
  const position = speaker.heard(performance.now());
  if (position !== null) send({ type: 'played', position });
}

function send(message: unknown): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

const code = await finished;
if (values.out) await writeFile(values.out, writeWav(rateHz, [speaker.recording(performance.now())]));
process.exit(code);
