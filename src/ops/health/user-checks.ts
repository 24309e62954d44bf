// Health checks by name: those of the program, and those a user registers, such as a database.

/** What a check may answer. `true`, `ok` and nothing at all mean that all is well. */
export type CheckAnswer =
  | boolean
  | 'ok'
  | 'warning'
  | 'error'
  | { readonly status: 'ok' | 'warning' | 'error'; readonly message?: string | undefined }
  | undefined
  // biome-ignore lint/suspicious/noConfusingVoidType: a check that returns nothing is a function that did not throw
  | void;
/** Looks at something outside; a throw or a rejection means `error`. */
export type UserCheck = (signal: AbortSignal) => CheckAnswer | Promise<CheckAnswer>;
/** What a check means for the program. */
export interface HealthCheckOptions {
  /** True: while it fails, this process takes no calls (`/health` and `/health/ready` answer 503). Default false: degraded. */
  readonly required?: boolean | undefined;
  /** Longest wait for its answer in ms; default 2000. */
  readonly timeoutMs?: number | undefined;
}

export interface RegisteredCheck {
  readonly name: string;
  readonly check: UserCheck;
  readonly required: boolean;
  readonly timeoutMs: number;
}

const MAX_CHECKS = 50;
const DEFAULT_TIMEOUT_MS = 2000;
const MAX_TIMEOUT_MS = 60_000;

export class UserChecks {
  readonly #checks = new Map<string, RegisteredCheck>();

  /** The same name again replaces. Throws `RangeError` for what can be no check. */
  register(name: string, check: UserCheck, options: HealthCheckOptions = {}): () => void {
    const { required = false, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    if (!/^[a-z][a-z0-9_.-]{0,63}$/.test(name)) {
      throw new RangeError(
        `A health check is named by small letters, digits, "_", "." and "-": not '${String(name).slice(0, 64)}'`,
      );
    }
    if (typeof check !== 'function') throw new TypeError(`The health check '${name}' must be a function`);
    if (!(timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS))
      throw new RangeError(`"timeoutMs" must be from 1 to ${MAX_TIMEOUT_MS}`);
    if (!this.#checks.has(name) && this.#checks.size >= MAX_CHECKS)
      throw new RangeError(`At most ${MAX_CHECKS} health checks`);
    const registered = { name, check, required, timeoutMs };
    this.#checks.set(name, registered);
    return () => {
      if (this.#checks.get(name) === registered) this.#checks.delete(name);
    };
  }

  list(): readonly RegisteredCheck[] {
    return [...this.#checks.values()];
  }
}
