// Brings calls from LiveKit: the worker, the native rooms, and the session behind each job.
import type { Config } from '../config/schema.ts';
import { openSocket } from '../livekit/socket.ts';
import { createTokenSource } from '../livekit/tokens.ts';
import { createWorker, type Worker } from '../livekit/worker.ts';
import { nativeConnect } from '../livekit/room/native-connection.ts';
import { disposeNative, loadNative } from '../livekit/room/native.ts';
import { createRoomJobHandler } from '../livekit/room/room-job.ts';
import type { Logger } from '../ops/logs.ts';
import { systemClock } from '../runner/clock.ts';
import type { Runtime } from './compose.ts';
import { EXIT } from './exit-codes.ts';
import { UserError } from './user-error.ts';

export interface LiveKitService {
  readonly worker: Worker;
  drain(limitMs: number): Promise<void>;
}

export interface LiveKitOptions {
  readonly config: Config;
  readonly runtime: Runtime;
  readonly log: Logger;
  readonly version: string;
}

/** Null where no LiveKit server is configured, or its native library can not be loaded (said in the log: all else runs). */
export async function startLiveKit({ config, runtime, log, version }: LiveKitOptions): Promise<LiveKitService | null> {
  const { serverUrl, apiKey, apiSecret } = config.livekit;
  if (serverUrl === undefined) return null;
  if (apiKey === undefined || apiSecret === undefined) {
    throw new UserError('LiveKit needs a key and a secret', {
      exitCode: EXIT.auth,
      problems: ['livekit.api_key, livekit.api_secret: set LIVEKIT_API_KEY and LIVEKIT_API_SECRET'],
    });
  }
  const support = await loadNative((message) => log.error('native library panicked', { reason: message }));
  if (!support.rtc) {
    log.error('calls from LiveKit are off', { rtc: false, reason: support.reason });
    return null;
  }
  const worker = createWorker({
    server: serverUrl,
    tokens: createTokenSource({ apiKey: apiKey.reveal(), apiSecret: apiSecret.reveal() }),
    agents: [{ name: runtime.agentName }],
    runJob: createRoomJobHandler({
      connect: nativeConnect(support.native),
      clock: systemClock,
      random: Math.random,
      openCall(transport, job) {
        const { inputRateHz, outputRateHz } = transport;
        const call = runtime.open({ transport: 'livekit', inputRateHz, outputRateHz });
        log.info('job became a call', { jobId: job.id, sessionId: call.id });
        call.attach(transport);
        return call;
      },
    }),
    admission: { maxSessions: config.capacity.maxSessions },
    registry: runtime.registry,
    log,
    clock: systemClock,
    random: Math.random,
    epochMs: Date.now,
    openSocket,
    version,
  });
  worker.start();
  return {
    worker,
    async drain(limitMs) {
      await worker.drain(limitMs);
      await disposeNative();
    },
  };
}
