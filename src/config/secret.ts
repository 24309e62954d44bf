// A value that must not be seen: every way of printing it gives `***`; only `reveal` gives the text.

const MASK = '***';

/** Holds a key or a token. Printing, logging, `JSON.stringify` and inspection show `***`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The text itself, for the one place that sends it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  get [Symbol.toStringTag](): string {
    return 'Secret';
  }

  // What console.log asks for on Node and Bun, and on Deno.
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK;
  }

  [Symbol.for('Deno.customInspect')](): string {
    return MASK;
  }
}
