// Structured logs: one line per record, in OpenTelemetry's field names, that any value can be given to without harm.
import { createRenderer, type Plain } from './log-values.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
/** What varies in a record. Keys with a `pii` segment (`caller.pii.number`, `piiText`) are dropped unless asked for. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes records. The message is a constant; ids, numbers and errors are fields. Never throws. Not for once-a-frame use. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** False where a record of this level would be dropped, for fields that cost something to make. */
  enabled(level: LogLevel): boolean;
  /** A logger that adds `fields` (`sessionId`, `turn`, `correlationId`, ...) to each record. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `json`: one object a line; `pretty`: for a terminal. */
  readonly format: 'json' | 'pretty';
  /** Takes one line without its end. */
  readonly write: (line: string) => void;
  /** Wall clock in ms since 1970. */
  readonly now: () => number;
  readonly fields?: LogFields | undefined;
  /** Keeps the keys with a `pii` segment. Default false. */
  readonly includePii?: boolean | undefined;
  /** Longest line in characters; fields that do not fit are left out. Default 8192. */
  readonly maxLineChars?: number | undefined;
}

// https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
const SEVERITY = { debug: 5, info: 9, warn: 13, error: 17 } as const;
const MAX_MESSAGE_CHARS = 256;
/** Room for the end of a line that had to be cut. */
const TAIL_CHARS = 32;

export function createLogger(options: LoggerOptions): Logger {
  const render = createRenderer({ includePii: options.includePii ?? false });
  const maxLineChars = Math.max(512, options.maxLineChars ?? 8192);
  const line = options.format === 'json' ? jsonLine : prettyLine;

  function make(bound: Readonly<Record<string, Plain>>): Logger {
    const record = (level: LogLevel, message: string, fields: LogFields | undefined): void => {
      if (SEVERITY[level] < SEVERITY[options.level]) return;
      try {
        const attributes = fields === undefined ? bound : { ...bound, ...render(fields) };
        options.write(line(timestamp(options.now()), level, plainMessage(message), attributes, maxLineChars));
      } catch {
        // A closed pipe must not end a call.
      }
    };
    return {
      debug: (message, fields) => record('debug', message, fields),
      info: (message, fields) => record('info', message, fields),
      warn: (message, fields) => record('warn', message, fields),
      error: (message, fields) => record('error', message, fields),
      enabled: (level) => SEVERITY[level] >= SEVERITY[options.level],
      child: (fields) => make({ ...bound, ...render(fields) }),
    };
  }
  return make(render(options.fields ?? {}));
}

function timestamp(nowMs: number): string {
  return Number.isFinite(nowMs) && Math.abs(nowMs) <= 8.64e15 ? new Date(nowMs).toISOString() : 'unknown';
}

function plainMessage(message: unknown): string {
  const text = typeof message === 'string' ? message : `[${typeof message}]`;
  return text.length > MAX_MESSAGE_CHARS ? `${text.slice(0, MAX_MESSAGE_CHARS)}…` : text;
}

type Line = (
  time: string,
  level: LogLevel,
  message: string,
  attributes: Readonly<Record<string, Plain>>,
  maxChars: number,
) => string;

const jsonLine: Line = (time, level, message, attributes, maxChars) => {
  const severity = `"SeverityText":"${level.toUpperCase()}","SeverityNumber":${SEVERITY[level]}`;
  const head = `{"Timestamp":"${time}",${severity},"Body":${JSON.stringify(message)},"Attributes":{`;
  const parts: string[] = [];
  const fits = collect(attributes, maxChars - head.length, (key, value) => {
    const part = `${JSON.stringify(key)}:${JSON.stringify(value)}`;
    parts.push(part);
    return part.length + 1;
  });
  if (!fits) {
    parts.pop();
    parts.push('"truncated":true');
  }
  return `${head}${parts.join(',')}}}`;
};

const prettyLine: Line = (time, level, message, attributes, maxChars) => {
  const head = `${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${printable(message)}`;
  const parts: string[] = [];
  const fits = collect(attributes, maxChars - head.length, (key, value) => {
    const shown = typeof value === 'string' && /^[\w.:/+-]+$/.test(value) ? value : printable(JSON.stringify(value));
    parts.push(` ${printable(key)}=${shown}`);
    return key.length + shown.length + 2;
  });
  if (!fits) {
    parts.pop();
    parts.push(' truncated=true');
  }
  return `${head}${parts.join('')}`;
};

/** Hands out attributes while they fit; false when the last one handed out did not. */
function collect(
  attributes: Readonly<Record<string, Plain>>,
  room: number,
  take: (key: string, value: Plain) => number,
): boolean {
  let left = room - TAIL_CHARS;
  for (const [key, value] of Object.entries(attributes)) {
    left -= take(key, value);
    if (left < 0) return false;
  }
  return true;
}

/** No control or invisible characters: a value cannot forge a line, move the cursor or turn the text around. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
