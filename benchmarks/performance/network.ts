// Bytes on the wire of a call over a WebSocket, as its client counts them.
import { callerLoop } from '../conversation.ts';
import { startServer } from '../websocket/server-process.ts';
import type { Remark } from './report.ts';

const CALL_MS = 8000;

/** Caller and agent together, kbit/s, in one conversation with a reply of 3.5 s each 8 s. */
export async function measureNetwork(): Promise<Remark[]> {
  const server = await startServer({ host: 'bun', mode: 'agent' });
  try {
    const { sent, received, seconds } = await holdCall(server.port);
    const kbits = (bytes: number) => Math.round((bytes * 8) / 1000 / seconds);
    const both = kbits(sent + received);
    const raw = `measured raw over a WebSocket at 16 kHz: ${both} kbit/s (caller ${kbits(sent)}, agent ${kbits(received)}, of which it speaks about half the time)`;
    return [
      { id: 'THR-06', text: raw },
      { id: 'RES-10', text: `measured raw: ${kbits(sent)} kbit/s one way` },
      { id: 'RES-13', text: `measured raw: ${((both * 100) / 1000).toFixed(1)} Mbit/s for 100 such sessions` },
    ];
  } finally {
    await server.stop();
  }
}

/** Bytes of payload and of the frame heads that each message has (client 8, server 4, short ones less). */
function holdCall(port: number): Promise<{ sent: number; received: number; seconds: number }> {
  const { packets } = callerLoop(CALL_MS);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/call?rate=16000`);
  socket.binaryType = 'arraybuffer';
  return new Promise((resolve, reject) => {
    let sent = 0;
    let received = 0;
    let startMs = 0;
    socket.onerror = () => reject(new Error('Connection to the benchmark server failed'));
    socket.onmessage = ({ data }) => {
      received += (typeof data === 'string' ? data.length : (data as ArrayBuffer).byteLength) + 4;
      if (startMs === 0) {
        startMs = performance.now();
        next();
      }
    };
    let at = 0;
    const next = () => {
      for (; at * 20 <= performance.now() - startMs && at < packets.length; at++) {
        const packet = packets[at] as Uint8Array<ArrayBuffer>;
        socket.send(packet);
        sent += packet.length + 8;
      }
      if (at < packets.length) setTimeout(next, 10);
      else {
        resolve({ sent, received, seconds: (performance.now() - startMs) / 1000 });
        socket.send(JSON.stringify({ type: 'bye' }));
      }
    };
  });
}
