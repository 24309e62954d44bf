// Verdicts of a proof, and how its parts are asked.
import type { Stored } from './compare.ts';

let passed = 0;
let failed = 0;
let unjudged = 0;
/** One line, and a count for the end. */
export function check(ok: boolean, name: string, figure: string): void {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name.padEnd(46)} ${figure}`);
}

export async function api<T>(base: string, path: string): Promise<T> {
  return (await (await fetch(`${base}/${path}`)).json()) as T;
}

export async function query(base: string, promql: string, more = ''): Promise<Stored[]> {
  const answer = await api<{ status: string; error?: string; data?: { result: Stored[] } }>(
    base,
    `api/v1/query?query=${encodeURIComponent(promql)}${more}`,
  );
  if (answer.data === undefined) throw new Error(`${promql}: ${answer.error}`);
  return answer.data.result;
}

/** The machine does not let this be told. */
export function notJudged(name: string, figure: string): void {
  unjudged++;
  console.log(`---  ${name.padEnd(46)} ${figure}`);
}

/** The last lines; true when nothing failed. */
export function summary(): boolean {
  if (unjudged > 0) console.log(`${unjudged} not judged: run it on a machine that is free`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}
