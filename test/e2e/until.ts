// Waiting for another process: asks again until there is an answer, or too much time has gone.
// real time: other processes take the time that they take.

export async function until<T>(what: string, limitMs: number, look: () => Promise<T | undefined | false>): Promise<T> {
  for (const startMs = performance.now(); ; ) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() - startMs > limitMs) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((go) => setTimeout(go, 50));
  }
}
