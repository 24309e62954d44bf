// The callers, one in each room, all in this process: a recorded phrase in a loop. Reads JSON lines like `agents.ts`.
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Speaker } from '../../src/livekit/room/connection.ts';
import { nativeConnect } from '../../src/livekit/room/native-connection.ts';
import { loadNative } from '../../src/livekit/room/native.ts';
import { callerLoop } from '../conversation.ts';

const support = await loadNative();
if (!support.rtc) throw new Error(support.reason);
const connect = nativeConnect(support.native);
const { packets } = callerLoop(8000);
/** The phrase at the line's rate; each caller begins at another place of it. */
const loop = packets.map((packet) => new Int16Array(packet.slice().buffer));
const callers: { speaker: Speaker; at: number }[] = [];
const tell = (what: object) => process.stdout.write(`@${JSON.stringify(what)}\n`);
const nothing = () => {};

async function join({ url, token }: { url: string; token: string }): Promise<void> {
  const connection = await connect({
    url,
    token,
    voiceRateHz: 16_000,
    textTopics: [],
    // What the agent says is received and not listened to: decoding it is the receiver's cost, not the agent's.
    events: new Proxy({}, { get: () => nothing }) as never,
  });
  callers.push({ speaker: connection.speaker, at: (callers.length * 37) % loop.length });
}

let sent = 0;
const startMs = performance.now();
setInterval(() => {
  for (; performance.now() - startMs >= sent * 20; sent++)
    for (const caller of callers) {
      caller.speaker.write(loop[caller.at] as Int16Array);
      caller.at = (caller.at + 1) % loop.length;
    }
}, 10);

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command = JSON.parse(line);
    if (command.do === 'join')
      join(command).then(
        () => tell({ joined: true }),
        (error) => tell({ error: String(error) }),
      );
    else process.exit(0);
  })
  .on('close', () => process.exit(0));
tell({ ready: true });
