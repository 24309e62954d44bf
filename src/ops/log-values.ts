// Turns any value into bounded plain JSON, whatever it throws, hides or refers to.

export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

const MAX_STRING_CHARS = 1024;
const MAX_KEY_CHARS = 128;
const MAX_STACK_CHARS = 2048;
const MAX_DEPTH = 5;
const MAX_ENTRIES = 50;
/** Values in one record; a tree within the other limits could still have millions. */
const MAX_VALUES = 500;

export interface RendererOptions {
  readonly includePii: boolean;
}

/** The function makes the fields of a record plain. It never throws. */
export function createRenderer(
  options: RendererOptions,
): (fields: Readonly<Record<string, unknown>>) => Record<string, Plain> {
  let values = 0;
  const path: unknown[] = [];

  function plain(value: unknown): Plain {
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'string') return cut(value, MAX_STRING_CHARS);
    // NaN and the infinities have no JSON form.
    if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
    if (typeof value === 'bigint') return cut(String(value), MAX_STRING_CHARS);
    if (typeof value === 'symbol') return cut(String(value), MAX_STRING_CHARS);
    if (typeof value === 'undefined') return '[undefined]';
    if (++values > MAX_VALUES || path.length >= MAX_DEPTH) return '[…]';
    if (path.includes(value)) return '[circular]';
    path.push(value);
    try {
      return typeof value === 'function' ? `[function ${cut(String(value.name), MAX_KEY_CHARS)}]` : structure(value);
    } catch {
      return '[unreadable]';
    } finally {
      path.pop();
    }
  }

  function structure(value: object): Plain {
    if (value instanceof Error) return error(value);
    if (ArrayBuffer.isView(value)) return `[${value.constructor.name} ${value.byteLength} bytes]`;
    if (value instanceof ArrayBuffer) return `[ArrayBuffer ${value.byteLength} bytes]`;
    const toJson: unknown = Reflect.get(value, 'toJSON');
    if (typeof toJson === 'function') return plain(toJson.call(value, ''));
    if (Array.isArray(value)) return list(value, value.length);
    if (value instanceof Map) return { type: 'Map', entries: list(value, value.size) };
    if (value instanceof Set) return list(value, value.size);
    if (value instanceof Promise) return '[promise]';
    return entries(value);
  }

  function list(items: Iterable<unknown>, size: number): Plain {
    const out: Plain[] = [];
    for (const item of items) {
      if (out.length === MAX_ENTRIES) {
        out.push(`[${size - MAX_ENTRIES} more]`);
        break;
      }
      out.push(plain(item));
    }
    return out;
  }

  function entries(value: object): Record<string, Plain> {
    const out: Record<string, Plain> = Object.create(null);
    let count = 0;
    for (const key of Object.keys(value)) {
      if (!options.includePii && isPii(key)) continue;
      if (++count > MAX_ENTRIES) {
        out['…'] = '[more]';
        break;
      }
      const name = cut(key, MAX_KEY_CHARS);
      try {
        const item: unknown = Reflect.get(value, key);
        if (item !== undefined) out[name] = plain(item);
      } catch {
        out[name] = '[unreadable]';
      }
    }
    return out;
  }

  function error(value: Error): Plain {
    const out: Record<string, Plain> = {
      type: cut(String(value.name), MAX_KEY_CHARS),
      message: cut(String(value.message), MAX_STRING_CHARS),
    };
    for (const key of ['code', 'kind', 'source', 'status']) {
      const item: unknown = Reflect.get(value, key);
      if (typeof item === 'string' || typeof item === 'number') out[key] = plain(item);
    }
    if (typeof value.stack === 'string') out.stack = cut(value.stack, MAX_STACK_CHARS);
    if (value.cause !== undefined) out.cause = plain(value.cause);
    return out;
  }

  return (fields) => {
    values = 0;
    path.length = 0;
    try {
      return entries(fields);
    } catch {
      return { fields: '[unreadable]' };
    }
  };
}

function cut(text: string, maxChars: number): string {
  return text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
}

/** True where `pii` is a word of the key: `pii.x`, `caller_pii`, `piiNumber`, `callerPII`; false for `piiano`. */
function isPii(key: string): boolean {
  return key
    .replace(/([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$3_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .includes('pii');
}
