// Reads the Prometheus text format as strictly as a scraper does.
import assert from 'node:assert/strict';

/** The samples of a Prometheus text, by name and labels; throws for lines that are none. */
export function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.trimEnd().split('\n')) {
    if (/^# (?:HELP|TYPE) [a-z_:][a-z0-9_:]* \S/i.test(line)) continue;
    const [, name, value] = /^([a-z_:][a-z0-9_:]*(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)+\})?) (\S+)$/i.exec(line) ?? [];
    assert.ok(name !== undefined && (value === '+Inf' || !Number.isNaN(Number(value))), `no metric: ${line}`);
    samples.set(name, Number(value));
  }
  return samples;
}
