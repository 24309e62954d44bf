// The evaluation set's own modules, wherever it lies: `VAD_SET` names its folder.
import process from 'node:process';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface Track {
  readonly voice: string;
  readonly pcm: Int16Array;
  /** Speech as [start, end) in frames of 10 ms. */
  readonly segments: readonly (readonly [number, number])[];
}
export interface Condition {
  readonly name: string;
  readonly kind: 'speech' | 'noise';
}
/** What `create()` of a module under test gives. */
export interface Vad {
  readonly hopSamples: number;
  readonly threshold: number;
  reset(): void;
  process(pcm: Int16Array): number | Promise<number>;
}
export interface ConditionResult {
  readonly auc: number;
  readonly f1: number;
  readonly startMedianMs: number;
}
export interface Evaluation {
  readonly summary: {
    readonly meanAuc: number;
    readonly meanF1: number;
    readonly startMedianCleanMs: number;
    readonly startMedian10DbMs: number;
    readonly startP9010DbMs: number;
    readonly endMedianCleanMs: number;
    readonly endMedian10DbMs: number;
    readonly missedShareFrom10Db: number;
    readonly falseAlarmsPerMinute: number;
    readonly activeShare: number;
    readonly microsecondsPer10Ms: number;
  };
  readonly conditions: Readonly<Record<string, ConditionResult>>;
  readonly noiseOnly: Readonly<Record<string, { readonly falseAlarmsPerMinute: number }>>;
}
interface SetModules {
  loadSet(): unknown;
  listConditions(set: unknown): readonly Condition[];
  buildTracks(set: unknown, condition: Condition): readonly Track[];
  evaluateVad(vad: Vad, set: unknown): Promise<Evaluation>;
  toEvents(positive: Uint8Array, hopMs: number, onMs: number, offMs: number): readonly (readonly [number, number])[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = resolve(root, process.env['VAD_SET'] ?? '../shared/vad');
const load = async (file: string): Promise<object> => (await import(pathToFileURL(join(folder, file)).href)) as object;

export const modules = { ...(await load('mix.mjs')), ...(await load('evaluate.mjs')) } as SetModules;
export const set = modules.loadSet();

export function tracksOf(name: string): readonly Track[] {
  const condition = modules.listConditions(set).find((each) => each.name === name);
  if (condition === undefined) throw new Error(`The evaluation set has no condition ${name}`);
  return modules.buildTracks(set, condition);
}
