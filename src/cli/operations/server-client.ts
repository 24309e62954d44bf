// Asks a running server of this program over HTTP, for commands that look at it or change it.
import type { CommandContext, OptionSpec } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UserError } from '../user-error.ts';

export const URL_OPTION: OptionSpec = {
  name: 'url',
  kind: 'string',
  placeholder: 'URL',
  summary: 'The server; by default the configured port of this machine',
};

export interface ServerRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** From `/` on. */
  readonly path: string;
  readonly body?: unknown;
  /** Of the answer; 4 million unless more is asked for. */
  readonly maxChars?: number | undefined;
}

const LIMIT_MS = 10_000;
const MAX_BODY_CHARS = 4_000_000;
/** What the server's refusals mean to a command line. */
const CODES: Readonly<Record<number, ExitCode>> = {
  401: EXIT.auth,
  403: EXIT.auth,
  400: EXIT.config,
  404: EXIT.config,
};

/** The answer's JSON; a `UserError` for everything that is no success. */
export async function askServer(
  context: CommandContext,
  { method, path, body, maxChars = MAX_BODY_CHARS }: ServerRequest,
): Promise<unknown> {
  const { args, config } = context;
  const base = args.string('url') ?? `http://${ownHost(config.healthServer.host)}:${config.healthServer.port}`;
  if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol)) {
    throw new UserError('Command line is not valid', {
      exitCode: EXIT.config,
      problems: ['--url: wanted a URL that starts with http:// or https://'],
    });
  }
  const token = config.server.token?.reveal();
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${base.replace(/\/+$/, '')}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    text = (await response.text()).slice(0, maxChars);
  } catch (error) {
    throw new UserError('Server gives no answer', {
      exitCode: EXIT.connection,
      problems: [`${base}: ${reason(error)}`, 'is it running, and is the address right (--url)?'],
      cause: error,
    });
  }
  const answer = parsed(text);
  if (response.ok) return answer;
  const { message, problems, rules } = (answer ?? {}) as Record<string, unknown>;
  const lines = Array.isArray(problems)
    ? problems.map(String)
    : [`${response.status}: ${String(message ?? 'refused')}`];
  if (Array.isArray(rules)) lines.push(`known: ${rules.join(', ')}`);
  throw new UserError('Server refuses the request', {
    exitCode: CODES[response.status] ?? EXIT.general,
    problems: lines,
  });
}

/** A server that listens everywhere is asked on loopback. */
function ownHost(listening: string): string {
  if (listening === '0.0.0.0') return '127.0.0.1';
  if (listening === '::' || listening === '[::]') return '[::1]';
  return listening.includes(':') && !listening.startsWith('[') ? `[${listening}]` : listening;
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return `no answer within ${LIMIT_MS} ms`;
  const cause = error.cause instanceof Error ? error.cause : error;
  return String('code' in cause ? cause.code : cause.message).slice(0, 200);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
