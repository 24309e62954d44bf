// What the WebSocket transport counts, as metrics: connections, calls, and everything that was dropped.
import type { CounterHandle, Registry } from '../../metrics/index.ts';
import type { WebSocketCounts } from '../../transports/websocket/limits.ts';

/** Declares the metrics, which follow the transport's counts. */
export function countSockets(registry: Registry, counts: Readonly<WebSocketCounts>): void {
  const counter = (name: string, help: string) => registry.counter({ name, help }).labels();
  const messages = registry.counter({
    name: 'syrinx.websocket.messages.dropped',
    help: 'Messages and frames of clients that were dropped, and news that clients missed, by reason.',
    labels: ['reason'],
  });
  const audio = registry.counter({
    name: 'syrinx.websocket.audio.dropped',
    help: 'Samples dropped: input in floods of callers, output for slow or absent clients.',
    unit: '{sample}',
    labels: ['direction'],
  });
  const followed: readonly (readonly [keyof WebSocketCounts, CounterHandle])[] = [
    ['connections', counter('syrinx.websocket.connections', 'WebSocket connections that were opened.')],
    ['calls', counter('syrinx.websocket.calls', 'Calls that began over a WebSocket.')],
    ['resumed', counter('syrinx.websocket.resumed', 'Calls whose client came back after its connection was lost.')],
    ['lost', counter('syrinx.websocket.lost', 'Calls whose client did not come back in time.')],
    ['malformedMessages', messages.labels({ reason: 'malformed' })],
    ['unknownMessages', messages.labels({ reason: 'unknown' })],
    ['shedMessages', messages.labels({ reason: 'too many' })],
    ['oddFrames', messages.labels({ reason: 'odd frame' })],
    ['oversizedFrames', messages.labels({ reason: 'too large' })],
    ['missedNotices', messages.labels({ reason: 'client away' })],
    ['shedInputSamples', audio.labels({ direction: 'input' })],
    ['shedOutputSamples', audio.labels({ direction: 'output' })],
  ];
  for (const [name, handle] of followed) handle.observe(() => counts[name]);
}
