// The kinds of value a setting may have: each is a valibot schema that carries its description and its default.
import * as v from 'valibot';
import { Secret } from './secret.ts';

/** A whole number from `min` to `max`. */
export function integer<const D extends number | undefined>(about: string, initial: D, min: number, max: number) {
  return v.optional(v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max), v.description(about)), initial);
}

/** Any finite number from `min` to `max`. */
export function decimal<const D extends number | undefined>(about: string, initial: D, min: number, max: number) {
  return v.optional(v.pipe(v.number(), v.minValue(min), v.maxValue(max), v.description(about)), initial);
}

export function flag(about: string, initial: boolean) {
  return v.optional(v.pipe(v.boolean(), v.description(about)), initial);
}

export function choice<const T extends readonly string[], const D extends T[number] | undefined>(
  about: string,
  choices: T,
  initial: D,
) {
  return v.optional(v.pipe(v.picklist(choices), v.description(about)), initial);
}

export function text<const D extends string | undefined>(about: string, initial: D, maxLength = 10_000) {
  return v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(maxLength), v.description(about)), initial);
}

/** An absolute URL of one of `protocols`, without a name or password in it: those would be printed. */
export function address<const D extends string | undefined>(
  about: string,
  initial: D,
  protocols: readonly [string, string],
) {
  return v.optional(
    v.pipe(
      v.string(),
      v.check((value) => isAddress(value, protocols)),
      v.description(about),
      v.metadata({
        wanted: `a URL that starts with ${protocols.map((p) => `${p}//`).join(' or ')} and holds no password`,
      }),
    ),
    initial,
  );
}

export function texts(about: string, initial: string[] = []) {
  return v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.maxLength(1000), v.description(about)),
    initial,
  );
}

/** Groups of values by a name that the user chooses; what is in them is checked by whoever reads them. */
export function groups(about: string) {
  return v.optional(
    v.pipe(v.record(v.string(), v.record(v.string(), v.unknown())), v.maxEntries(1000), v.description(about)),
    {},
  );
}

/** A key or token: its value is wrapped at once and never part of a message. */
export function secret(about: string) {
  return v.optional(
    v.pipe(
      v.string(),
      v.minLength(1),
      v.description(about),
      v.metadata({ secret: true }),
      v.transform((value) => new Secret(value)),
    ),
  );
}

function isAddress(value: string, protocols: readonly string[]): boolean {
  try {
    const url = new URL(value);
    return protocols.includes(url.protocol) && url.username === '' && url.password === '';
  } catch {
    return false;
  }
}
