// The parts that all answers of the server are made of.
import type { ServerOptions } from './options.ts';

export type Clock = Pick<ServerOptions, 'now' | 'startedAtMs'>;

export function isoTime(clock: Pick<ServerOptions, 'now'>): string {
  return new Date(clock.now()).toISOString();
}

/** Whole seconds since the start. */
export function uptimeSeconds(clock: Clock): number {
  return Math.max(0, Math.floor((clock.now() - clock.startedAtMs) / 1000));
}

/** The contract's `Error` object. */
export function failure(
  clock: Pick<ServerOptions, 'now'>,
  status: number,
  error: string,
  message: string,
  more: Readonly<Record<string, unknown>> = {},
): Response {
  return Response.json({ error, message, ...more, timestamp: isoTime(clock) }, { status });
}
