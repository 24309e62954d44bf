// The demonstration: a recorded caller talks to this very server through its own WebSocket, and what happens is printed as it happens.
import type { Host } from '../hosts/port.ts';
import { demoDialogue } from '../models/simulated/index.ts';
import { systemClock } from '../runner/clock.ts';
import type { LedgerTurn } from '../session/ledger.ts';

const PACKET_MS = 20;
/** Narrow enough for a terminal: a character for each 12.5 ms. */
const BAR_MS = 12.5;
const STAGE_SIGNS: Readonly<Record<string, string>> = {
  endpointing: '.',
  stt: 's',
  llm: 'l',
  tts: 't',
  tools: 'w',
  playout: 'p',
};

/** Resolves when the call is over; rejects when it could not be held. */
export function holdDemoCall(host: Host, serverUrl: string, token: string | undefined): Promise<void> {
  const url = new URL('/call', serverUrl.replace('http', 'ws'));
  url.searchParams.set('rate', String(demoDialogue.sampleRateHz));
  if (token !== undefined) url.searchParams.set('access_token', token);
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  let heardBytes = 0;
  let cancel: () => void = () => {};
  return new Promise((resolve, reject) => {
    socket.onerror = () => reject(new Error('Connection to the own WebSocket failed'));
    socket.onclose = () => {
      cancel();
      resolve();
    };
    socket.onmessage = ({ data }) => {
      if (typeof data !== 'string') heardBytes += (data as ArrayBuffer).byteLength;
      else if (JSON.parse(data).type === 'ready')
        cancel = sendCaller(socket, () => `${(heardBytes / 2 / demoDialogue.sampleRateHz).toFixed(1)} s`, host);
      else printNotice(host, JSON.parse(data));
    };
  });
}

function sendCaller(socket: WebSocket, heard: () => string, host: Host): () => void {
  const pcm = demoDialogue.callerPcm();
  const samples = (demoDialogue.sampleRateHz * PACKET_MS) / 1000;
  const startMs = systemClock.now();
  let sent = 0;
  let cancel: () => void = () => {};
  const next = () => {
    while (startMs + (sent / samples + 1) * PACKET_MS <= systemClock.now() && sent < pcm.length) {
      socket.send(pcm.slice(sent, sent + samples));
      sent += samples;
    }
    if (sent < pcm.length)
      cancel = systemClock.setTimer(next, startMs + (sent / samples + 1) * PACKET_MS - systemClock.now());
    else {
      host.print(`The caller hangs up. ${heard()} of the agent's voice came through the WebSocket.`);
      socket.send(JSON.stringify({ type: 'bye' }));
    }
  };
  next();
  return () => cancel();
}

function printNotice(host: Host, notice: Record<string, unknown>): void {
  switch (notice.type) {
    case 'transcript':
      return host.print(`caller  ${notice.text}`);
    case 'reply':
      return host.print(`agent   ${notice.text}`);
    case 'interrupted':
      return host.print(`agent   ${notice.heard} -- (interrupted)`);
    case 'turn':
      return host.print(drawTurn(notice.ledger as LedgerTurn));
    case 'error':
      return host.print(`error   ${notice.message}`);
  }
}

/** One turn of the ledger as a line: the response time, and a bar of where it went. */
export function drawTurn(turn: LedgerTurn): string {
  if (turn.responseMs === null) return '';
  const bar = turn.stages
    .map((s) => (STAGE_SIGNS[s.name] ?? '?').repeat(Math.round((s.endMs - s.startMs) / BAR_MS)))
    .join('');
  const parts = turn.stages.map((s) => `${s.name} ${Math.round(s.endMs - s.startMs)}`).join(', ');
  return `        turn ${turn.turn}: heard after ${Math.round(turn.responseMs)} ms |${bar}| ${parts}; own ${Math.round(turn.overheadMs ?? 0)} ms\n`;
}
