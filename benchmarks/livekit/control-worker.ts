// The control as a worker: takes every job, joins as soon as it has the assignment, and echoes. `control-worker.ts NAME`.
import { JobType, ParticipantPermission, ServerMessage, WorkerMessage } from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import WebSocket from 'ws';
import { nativeConnect } from '../../src/livekit/room/native-connection.ts';
import { loadNative } from '../../src/livekit/room/native.ts';
import { joinEcho } from './echo.ts';

const [agentName = 'control'] = process.argv.slice(2);
const url = process.env.LIVEKIT_URL ?? '';
const support = await loadNative();
if (!support.rtc) throw new Error(support.reason);
const connect = nativeConnect(support.native);
const token = new AccessToken(process.env.LIVEKIT_API_KEY, process.env.LIVEKIT_API_SECRET, { ttl: 600 });
token.addGrant({ agent: true });

type Message = NonNullable<ConstructorParameters<typeof WorkerMessage>[0]>['message'];
const socket = new WebSocket(`${url}/agent`, { headers: { Authorization: `Bearer ${await token.toJwt()}` } });
const send = (message: Message) => socket.send(new WorkerMessage({ message }).toBinary());
socket.on('open', () => {
  const allowedPermissions = new ParticipantPermission({
    ...{ canSubscribe: true, canPublish: true, canPublishData: true, canUpdateMetadata: true, agent: true },
  });
  send({
    case: 'register',
    value: { type: JobType.JT_ROOM, agentName, version: '1', allowedPermissions } as never,
  });
});
socket.on('message', (bytes: Buffer) => {
  const { message } = ServerMessage.fromBinary(bytes);
  if (message.case === 'availability') {
    const jobId = message.value.job?.id ?? '';
    send({
      case: 'availability',
      value: { jobId, available: true, participantIdentity: `agent-${jobId}` } as never,
    });
  } else if (message.case === 'assignment')
    joinEcho(connect, { url, token: message.value.token }, () => {}).catch((error) => console.error(String(error)));
});
socket.on('close', () => process.exit(0));
process.once('SIGTERM', () => process.exit(0));
