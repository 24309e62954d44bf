// `syrinx healthcheck`: asks a running server how it is; for container images that hold no curl (DEP-01).
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { UserError } from '../user-error.ts';

const MAX_BODY_CHARS = 64_000;

export const command: Command = {
  name: 'healthcheck',
  summary: 'Ask a running server how it is: exit code 0 healthy, 1 unhealthy, 3 no answer.',
  usage: 'healthcheck [--url URL] [--timeout MS] [--format text|json]',
  options: [
    {
      name: 'url',
      kind: 'string',
      placeholder: 'URL',
      summary: 'What to ask; by default /health on the configured port of this machine',
    },
    { name: 'timeout', kind: 'number', placeholder: 'MS', summary: 'Longest wait for the answer (default 5000)' },
    { name: 'format', kind: 'string', placeholder: 'FORMAT', summary: 'text (default) or json' },
  ],
  positionals: [],
  run,
};

async function run({ host, args, config }: CommandContext): Promise<number> {
  const timeoutMs = args.number('timeout') ?? 5000;
  const format = args.string('format') ?? 'text';
  const url = args.string('url') ?? `http://${probeHost(config.healthServer.host)}:${config.healthServer.port}/health`;
  const problems = [
    ...(Number.isFinite(timeoutMs) && timeoutMs > 0 && timeoutMs <= 3_600_000
      ? []
      : ['--timeout: wanted a number from 1 to 3600000']),
    ...(format === 'text' || format === 'json' ? [] : ['--format: wanted text or json']),
    ...(isHttp(url) ? [] : ['--url: wanted a URL that starts with http:// or https://']),
  ];
  if (problems.length > 0) throw new UserError('Command line is not valid', { exitCode: EXIT.config, problems });

  const answer = await ask(url, timeoutMs);
  if (format === 'json') {
    const status = 'failure' in answer ? 'unreachable' : answer.healthy ? 'healthy' : 'unhealthy';
    const data =
      'failure' in answer
        ? { url, reason: answer.failure }
        : { url, httpStatus: answer.httpStatus, health: answer.body };
    host.print(JSON.stringify({ status, data, timestamp: new Date().toISOString() }));
  } else if ('failure' in answer) {
    throw new UserError('Server gives no answer', {
      exitCode: EXIT.connection,
      problems: [`${url}: ${answer.failure}`],
    });
  } else {
    host.print(`${answer.healthy ? 'healthy' : 'unhealthy'} (${answer.httpStatus}) ${url}`);
  }
  return 'failure' in answer ? EXIT.connection : answer.healthy ? EXIT.success : EXIT.general;
}

type Answer =
  | { readonly failure: string }
  | { readonly healthy: boolean; readonly httpStatus: number; readonly body: unknown };

async function ask(url: string, timeoutMs: number): Promise<Answer> {
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body = parse((await response.text()).slice(0, MAX_BODY_CHARS));
    const saysNo = typeof body === 'object' && body !== null && 'healthy' in body && body.healthy === false;
    return { healthy: response.status === 200 && !saysNo, httpStatus: response.status, body };
  } catch (error) {
    return { failure: reason(error, timeoutMs) };
  }
}

/** A degraded server answers 200; a body that is no JSON says nothing. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function reason(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'unknown reason';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return `no answer within ${timeoutMs} ms`;
  const cause = error.cause instanceof Error ? error.cause : error;
  return String('code' in cause ? cause.code : cause.message).slice(0, 200);
}

function isHttp(url: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(url).protocol);
  } catch {
    return false;
  }
}

/** A server that listens everywhere is asked on loopback. */
function probeHost(listening: string): string {
  if (listening === '0.0.0.0') return '127.0.0.1';
  if (listening === '::' || listening === '[::]') return '[::1]';
  return listening.includes(':') && !listening.startsWith('[') ? `[${listening}]` : listening;
}
