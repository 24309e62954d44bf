// One answer for everybody who asks at the same time: the supervisor also passes the audio on, and must not be kept busy by scrapers.

/** An answer is as good for so long: eight times a second, as each process makes its page. */
const FRESH_MS = 125;

/** `make` runs once at a time, and its value is handed out until it is `FRESH_MS` old. A failure is nobody else's. */
export function shareAnswers<T>(make: () => Promise<T>, nowMs: () => number): () => Promise<T> {
  let running: Promise<T> | null = null;
  let last: { readonly value: T; readonly atMs: number } | null = null;
  return () => {
    // A wall clock may go back: then what is there is old.
    if (last !== null && Math.abs(nowMs() - last.atMs) < FRESH_MS) return Promise.resolve(last.value);
    running ??= make()
      .then((value) => {
        last = { value, atMs: nowMs() };
        return value;
      })
      .finally(() => {
        running = null;
      });
    return running;
  };
}
