// What one process and a supervisor of several have in common at their port: who may come in, and how much.
import type { Config } from '../config/schema.ts';
import type { Host, RunningServer, ServeOptions } from '../hosts/port.ts';
import type { AuthOptions } from '../server/options.ts';
import { systemProblem } from './user-error.ts';

const MAX_MESSAGE_BYTES = 256 * 1024;
/** Sockets beyond the sessions: clients that come back, and those that are told to try later. */
export const SPARE_SOCKETS = 64;

/** The door of everything that is served. */
export function authOf({ server, healthServer }: Config): AuthOptions {
  return {
    token: server.token?.reveal(),
    loopback: isLoopback(healthServer.host),
    openMetrics: server.openMetrics,
    origins: server.allowedOrigins,
    hint: 'set server.token (SYRINX_SERVER_TOKEN) and send it as "Authorization: Bearer TOKEN"',
  };
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || hostname === '[::1]' || hostname.startsWith('127.');
}

/** Undefined where the configuration opens no port. Throws `UserError` when it can not be opened. */
export async function openPort(
  host: Host,
  { enabled, port, host: hostname }: Config['healthServer'],
  served: Pick<ServeOptions, 'fetch' | 'sockets'>,
): Promise<RunningServer | undefined> {
  if (!enabled) return undefined;
  return host
    .serve({ port, hostname, maxMessageBytes: MAX_MESSAGE_BYTES, ...served })
    .catch(systemProblem('Cannot open the port', `${hostname}:${port}`));
}
