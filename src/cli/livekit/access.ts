// What commands that talk to a LiveKit server share: where it is, who we are, and what its failures mean to a user.
import { LiveKitApiError, type LiveKitErrorKind } from '../../livekit/api-error.ts';
import type { LiveKitApi } from '../../livekit/api.ts';
import type { Credentials } from '../../livekit/tokens.ts';
import type { CommandContext, OptionSpec } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UserError } from '../user-error.ts';

export const SERVER_OPTION: OptionSpec = {
  name: 'server-url',
  kind: 'string',
  placeholder: 'URL',
  summary: 'LiveKit server, ws://HOST:PORT or wss://HOST',
  setting: 'livekit.server_url',
};
export const FORMAT_OPTION: OptionSpec = {
  name: 'format',
  kind: 'string',
  placeholder: 'FORMAT',
  summary: 'text (default) or json',
};
export const ACCESS_NOTES = ['Key and secret come from LIVEKIT_API_KEY and LIVEKIT_API_SECRET, or the configuration.'];

const EXIT_CODES: Readonly<Record<LiveKitErrorKind, ExitCode>> = {
  auth: EXIT.auth,
  connection: EXIT.connection,
  'not-found': EXIT.general,
  invalid: EXIT.config,
  sip: EXIT.general,
  server: EXIT.general,
};

/** Key and secret; a `UserError` where one is missing. */
export function liveKitCredentials({ config }: CommandContext): Credentials {
  const { apiKey, apiSecret } = config.livekit;
  const problems = [
    ...(apiKey === undefined ? ['livekit.api_key: set LIVEKIT_API_KEY'] : []),
    ...(apiSecret === undefined ? ['livekit.api_secret: set LIVEKIT_API_SECRET'] : []),
  ];
  if (apiKey === undefined || apiSecret === undefined) {
    throw new UserError('No key for the LiveKit server', { exitCode: EXIT.auth, problems });
  }
  return { apiKey: apiKey.reveal(), apiSecret: apiSecret.reveal() };
}

export function liveKitServer({ config }: CommandContext): string {
  const { serverUrl } = config.livekit;
  if (serverUrl !== undefined) return serverUrl;
  throw new UserError('No LiveKit server is configured', {
    exitCode: EXIT.config,
    problems: ['livekit.server_url: set LIVEKIT_URL or give --server-url'],
  });
}

/** Runs `ask` with the server's API; its failures become `UserError`s that name the server. */
export async function askLiveKit<T>(context: CommandContext, ask: (api: LiveKitApi) => Promise<T>): Promise<T> {
  const server = liveKitServer(context);
  const timeoutMs = Math.min(context.config.livekit.connectionTimeoutMs, 10_000);
  // Loaded when it is asked for: the help must not pay for it.
  const { createLiveKitApi } = await import('../../livekit/api.ts');
  const api = createLiveKitApi({ server, ...liveKitCredentials(context), timeoutMs });
  try {
    return await ask(api);
  } catch (error) {
    if (!(error instanceof LiveKitApiError)) throw error;
    const [what, more] = {
      auth: ['LiveKit server refuses the API key or secret', []],
      connection: ['LiveKit server gives no answer', ['is it running, and is the address right?']],
      'not-found': ['LiveKit server does not know it', []],
      invalid: ['LiveKit server does not take the request', []],
      sip: ['Telephone call failed', []],
      server: ['LiveKit server failed', []],
    }[error.kind] as [string, string[]];
    const problems = [`${server}: ${error.message}`, ...more];
    throw new UserError(what, { exitCode: EXIT_CODES[error.kind], problems, cause: error });
  }
}

/** `json` where it is asked for; a `UserError` for anything but the two. */
export function formatOf({ args }: CommandContext): 'text' | 'json' {
  const format = args.string('format') ?? 'text';
  if (format !== 'text' && format !== 'json') refuseProblems(['--format: wanted text or json']);
  return format === 'json' ? 'json' : 'text';
}

export function jsonAnswer(data: unknown): string {
  return JSON.stringify({ status: 'ok', data, timestamp: new Date().toISOString() });
}

/** Columns as wide as their longest entry. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Mistakes of a command line with actions, such as `rooms delete NAME`. */
export function checkAction(
  command: string,
  actions: Readonly<Record<string, readonly string[]>>,
  positionals: readonly string[],
): string {
  const [action = '', ...rest] = positionals;
  const wanted = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (wanted === undefined) {
    throw new UserError(`Unknown action '${action}'`, {
      exitCode: EXIT.config,
      problems: [`wanted one of ${Object.keys(actions).join(', ')}`],
    });
  }
  const problems = [
    ...wanted.slice(rest.length).map((name) => `${name}: missing`),
    ...rest.slice(wanted.length).map((extra) => `'${extra}': unexpected argument`),
    ...wanted.filter((_, i) => rest[i] === '').map((name) => `${name}: must not be empty`),
  ];
  if (problems.length > 0) {
    refuseProblems([...problems, `usage: syrinx ${[command, action, ...wanted].join(' ')}`]);
  }
  return action;
}

/** Mistakes of options that only `owner` has: with another action they would do nothing, and nobody would know. */
export function strayOptions(action: string, owner: string, given: Readonly<Record<string, unknown>>): string[] {
  if (action === owner) return [];
  const names = Object.keys(given).filter((name) => given[name] !== undefined);
  return names.map((name) => `--${name}: is for '${owner}', not for '${action}'`);
}

export function refuseProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw new UserError('Command line is not valid', { exitCode: EXIT.config, problems });
}
