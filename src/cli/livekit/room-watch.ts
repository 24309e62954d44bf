// Follows the lines of calls in rooms: metrics, the specification's connection events, log lines, and what agents are told of their room.
import type { AssignedJob } from '../../livekit/job.ts';
import type { Peer } from '../../livekit/room/connection.ts';
import type { ConnectionSample } from '../../livekit/room/connection-quality.ts';
import { openRoom } from '../../livekit/room/open-rooms.ts';
import { createRoomInstruments } from '../../livekit/room/room-instruments.ts';
import type { RoomEvent, RoomObserver } from '../../livekit/room/room-observer.ts';
import type { RoomTransport } from '../../livekit/room/room-transport.ts';
import type { Registry } from '../../metrics/index.ts';
import type { Logger } from '../../ops/logs.ts';
import { processTelemetry } from '../../ops/telemetry/index.ts';
import type { Call } from '../../runner/call.ts';

export interface RoomWatch {
  observer(job: AssignedJob): RoomObserver;
  /** Has a call made of the job; its hooks find their room already. */
  open(job: AssignedJob, transport: RoomTransport, make: (sessionId: string) => Call): Call;
}

export interface RoomWatchOptions {
  readonly registry: Registry;
  readonly region: string | undefined;
  readonly log: Logger;
  /** Told of each second of the line of a call. */
  readonly onSample?: ((sessionId: string | undefined, sample: ConnectionSample) => void) | undefined;
}

export function watchRooms({ registry, region, log, onSample }: RoomWatchOptions): RoomWatch {
  const instruments = createRoomInstruments(registry, region);
  /** By the job's id, from the join to the end of the line. */
  const calls = new Map<string, Call>();
  const { events } = processTelemetry;

  function about(call: Call | undefined) {
    return { transport: 'livekit', region, session_id: call?.id };
  }

  function tellQuality(sample: ConnectionSample, call: Call | undefined): void {
    if (!events.wants('connection.quality')) return;
    const bits = sample.bitrateInBps === null ? null : sample.bitrateInBps + (sample.bitrateOutBps ?? 0);
    events.execute(
      'connection.quality',
      {
        ...(sample.rttMs === null ? {} : { latency_ms: sample.rttMs }),
        ...(sample.lossIn === null ? {} : { packet_loss_percent: sample.lossIn * 100 }),
        ...(bits === null ? {} : { bandwidth_kbps: bits / 1000 }),
      },
      about(call),
    );
  }

  return {
    observer(job) {
      return {
        event(event) {
          const call = calls.get(job.id);
          instruments.event(event);
          if (event.type === 'established' && events.wants('connection.established'))
            events.execute('connection.established', { setup_time_ms: event.setupMs }, about(call));
          write(log, event, { jobId: job.id, sessionId: call?.id });
          if (call !== undefined) tellAgent(event, call);
          if (event.type === 'ended') calls.delete(job.id);
        },
        sample(sample) {
          instruments.sample(sample);
          const call = calls.get(job.id);
          tellQuality(sample, call);
          onSample?.(call?.id, sample);
        },
      };
    },
    open(job, transport, make) {
      const id = crypto.randomUUID();
      const close = openRoom(id, transport.room);
      let call: Call;
      try {
        call = make(id);
      } catch (error) {
        close();
        throw error;
      }
      void call.done.then(close);
      calls.set(job.id, call);
      log.info('job became a call', { jobId: job.id, sessionId: id });
      call.handle.tell('room_id_updated', { room_id: transport.room.roomName });
      const { caller } = transport.room;
      if (caller !== null) call.handle.tell('participant_updated', participant(caller));
      return call;
    },
  };
}

function tellAgent(event: RoomEvent, call: Call): void {
  if (event.type === 'moved') call.handle.tell('room_id_updated', { room_id: event.room });
  else if (event.type === 'caller-linked') call.handle.tell('participant_updated', participant(event.peer));
  else if (event.type === 'caller-lost') call.handle.tell('participant_removed', { participant_id: event.identity });
}

function participant({ identity, kind, name, metadata, attributes }: Peer) {
  return { participant_id: identity, data: { kind, name, metadata, attributes } };
}

/** Who calls is nobody's business in a log. */
function write(log: Logger, event: RoomEvent, ids: Readonly<Record<string, unknown>>): void {
  switch (event.type) {
    case 'established':
      return log.info('room joined', { ...ids, setupMs: Math.round(event.setupMs) });
    case 'join-failed':
      return log.error('room can not be joined', ids);
    case 'reconnecting':
      return log.warn('line to the room is lost', ids);
    case 'lost':
      return log.warn('line to the room is given up by the SDK', { ...ids, reason: event.reason });
    case 'recovered':
      return log.info('line to the room stands again', { ...ids, outageMs: Math.round(event.outageMs), by: event.by });
    case 'stalled':
      return log.warn('nothing comes over the line to the room', ids);
    case 'rejoin-failed':
      // The first, and then ever fewer.
      if (Number.isInteger(Math.log2(event.attempt)))
        log.warn('joining again failed', { ...ids, attempt: event.attempt, reason: event.message });
      return;
    case 'caller-lost':
      return log.info('caller is gone', { ...ids, reason: event.reason });
    case 'repeated':
      return log.info('voice that was missed is said again', { ...ids, voiceMs: Math.round(event.voiceMs) });
    case 'moved':
      return log.info('moved to another room', ids);
    case 'caller-linked':
      if (event.again) log.info('caller is back', ids);
      return;
    case 'server-quality':
      if (event.quality === 'lost' || event.quality === 'poor')
        log.warn('server calls the line bad', { ...ids, of: event.of, quality: event.quality });
      return;
    case 'ended':
      return log.info('room left', { ...ids, reason: event.reason });
  }
}
