// Says what is wrong with a user's module: which file, which line, and the runtime's own words.

/** A user's module could not be loaded. `code` is `ENOENT` when the file itself is missing, else `EMODULE`. */
export class ModuleError extends Error {
  override readonly name = 'ModuleError';
  readonly code: 'ENOENT' | 'EMODULE';
  constructor(message: string, code: 'ENOENT' | 'EMODULE', cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export function missingModule(path: string): ModuleError {
  return new ModuleError(`Cannot find "${path}"`, 'ENOENT');
}

/** Runtimes report syntax errors in different shapes; the message that comes out always names a file. */
export function moduleError(path: string, error: unknown): ModuleError {
  const first = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  const words = stripColour(first instanceof Error || hasMessage(first) ? first.message : String(first)).split('\n');
  const place = placeOf(first, path);
  const text = (words[0] ?? '').trim() || 'It failed without a message';
  return new ModuleError(`Cannot load "${place ?? path}": ${text}`, 'EMODULE', error);
}

/** `file:line:column` of the mistake, where the error tells: Bun's `position`, or a path in the stack or message. */
function placeOf(error: unknown, path: string): string | null {
  const position = (error as { position?: { file?: string; line?: number; column?: number } | null } | null)?.position;
  if (position?.file) return `${position.file}:${position.line ?? 0}:${position.column ?? 0}`;
  const trace = stripColour(
    `${(error as { message?: unknown })?.message ?? ''}\n${(error as { stack?: unknown })?.stack ?? ''}`,
  );
  // Only a place in a user's file helps: the first one in the same folder or below.
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  for (const match of trace.matchAll(/(?:file:\/\/)?(\/[^\s()'"]+?):(\d+)(?::(\d+))?/g)) {
    const file = decodeURI(match[1] ?? '').replace(/\?.*$/, '');
    if (file.startsWith(folder)) return match[3] ? `${file}:${match[2]}:${match[3]}` : `${file}:${match[2]}`;
  }
  return null;
}

function hasMessage(value: unknown): value is { message: string } {
  return typeof (value as { message?: unknown } | null)?.message === 'string';
}

function stripColour(text: string): string {
  // Deno colours the place inside its messages.
  return text.replace(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
}
