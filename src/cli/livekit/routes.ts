// Tokens for callers and webhooks of LiveKit, as the routes want them. Needs no native library.
import { serverAddresses } from '../../livekit/addresses.ts';
import { callerToken } from '../../livekit/tokens.ts';
import { createWebhookGate } from '../../livekit/webhooks.ts';
import type { Registry } from '../../metrics/index.ts';
import type { Logger } from '../../ops/logs.ts';
import type { LiveKitRoutes } from '../../server/options.ts';
import type { LiveKitCredentials } from './livekit.ts';

export interface LiveKitRoutesOptions {
  readonly credentials: LiveKitCredentials;
  /** Dispatched when a token makes its room; undefined: the agent comes to every room by itself. */
  readonly agentName: string | undefined;
  readonly registry: Registry;
  readonly log: Logger;
}

const MAX_WEBHOOK_BYTES = 256 * 1024;

export function liveKitRoutes({ credentials, agentName, registry, log }: LiveKitRoutesOptions): LiveKitRoutes {
  const { apiKey, apiSecret, server } = credentials;
  const counter = (name: string, help: string, labels: readonly string[]) =>
    registry.counter({ name: `syrinx.livekit.${name}`, help, labels });
  const tokens = counter('tokens', 'Tokens that callers were given.', []).labels();
  const webhooks = counter('webhooks', 'Webhooks that were received, by answer.', ['status']);
  const gate = createWebhookGate({
    apiKey,
    apiSecret,
    now: Date.now,
    maxBodyBytes: MAX_WEBHOOK_BYTES,
    handle: ({ event, id, room, participant }) =>
      log.info('livekit event', { event, eventId: id, room: room?.sid, participant: participant?.sid }),
  });
  return {
    token: {
      now: Date.now,
      roomsUrl: serverAddresses(server).rooms,
      newName: () => crypto.randomUUID(),
      async mint({ room, identity, name, metadata, attributes }) {
        const agents = agentName === undefined ? [] : [{ agentName }];
        const token = await callerToken({ apiKey, apiSecret }, { room, identity, name, metadata, attributes, agents });
        tokens.add(1);
        return token;
      },
    },
    webhook: {
      now: Date.now,
      maxBodyBytes: MAX_WEBHOOK_BYTES,
      async receive(body, authorization) {
        const verdict = await gate.receive(body, authorization);
        webhooks.labels({ status: String(verdict.status) }).add(1);
        return verdict;
      },
    },
  };
}
