// What is wrong with a configuration: all of it at once.

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** One line each, as `key: reason (origin)`; they hold no secret. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}`);
    this.problems = problems;
  }
}
