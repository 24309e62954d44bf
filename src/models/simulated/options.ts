// How a simulated server behaves: schema, defaults, and one line about each flag for a command line.
import * as v from 'valibot';
import { FAULT_KINDS, FaultSchema } from './faults.ts';
import { LatencySchema, PROFILE_NAMES, type ProfileName } from './latency.ts';
import { describeIssues, ScriptSchema } from './script.ts';

export const SimulatedOptionsSchema = v.strictObject({
  profile: v.optional(v.picklist(PROFILE_NAMES, `must be one of ${PROFILE_NAMES.join(', ')}`), 'fast'),
  /** Goes before the profile's numbers. */
  latency: v.optional(LatencySchema, {}),
  faults: v.optional(v.pipe(v.array(FaultSchema), v.maxLength(1000)), []),
  seed: v.optional(v.pipe(v.number(), v.integer()), 1),
  /** Default: the demonstration. */
  script: v.optional(ScriptSchema),
});
export type SimulatedOptions = v.InferInput<typeof SimulatedOptionsSchema>;
export type ResolvedSimulatedOptions = v.InferOutput<typeof SimulatedOptionsSchema>;

/** Fills in defaults. Throws `TypeError` that names each wrong place and what is wanted. */
export function parseSimulatedOptions(value: unknown): ResolvedSimulatedOptions {
  const result = v.safeParse(SimulatedOptionsSchema, value);
  if (result.success) return result.output;
  throw new TypeError(`Cannot use the options of the simulated models:\n${describeIssues(result.issues)}`);
}

/** Flags of `syrinx simulate`, in the order in which help shows them. */
export const SIMULATE_FLAGS: readonly {
  readonly flag: string;
  readonly value: string;
  readonly fallback: string;
  readonly help: string;
}[] = [
  { flag: 'port', value: 'PORT', fallback: '8089', help: 'Port to listen on; 0 takes a free one' },
  {
    flag: 'script',
    value: 'FILE',
    fallback: '',
    help: 'JSON with turns, recordings, key words and fallback; the built-in demonstration otherwise',
  },
  {
    flag: 'profile',
    value: PROFILE_NAMES.join('|'),
    fallback: 'fast' satisfies ProfileName,
    help: 'How long the models take',
  },
  {
    flag: 'fault',
    value: 'ROUTE:NTH:KIND',
    fallback: '',
    help: `A fault on purpose, repeatable; ROUTE stt, llm or tts; NTH a number or a chance such as 0.1; KIND ${FAULT_KINDS.join(', ')}`,
  },
  { flag: 'seed', value: 'NUMBER', fallback: '1', help: 'Seed of latencies and of faults by chance' },
];
