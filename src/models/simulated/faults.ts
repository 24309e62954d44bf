// Faults on purpose: which request of which route goes wrong, and how.
import * as v from 'valibot';

export const FAULT_KINDS = ['401', '429', '500', 'stall', 'half-close', 'garbage', 'slow'] as const;
export const ROUTES = ['stt', 'llm', 'tts'] as const;
export type Route = (typeof ROUTES)[number];

export const FaultSchema = v.pipe(
  v.strictObject({
    route: v.picklist(ROUTES, `must be one of ${ROUTES.join(', ')}`),
    kind: v.picklist(FAULT_KINDS, `must be one of ${FAULT_KINDS.join(', ')}`),
    /** The request of that route that it meets, from 1. */
    nth: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
    /** How many requests from the nth on; 1 by default. */
    count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
    /** Instead of `nth`: the chance of each request, 0..1, drawn from the seed. */
    probability: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
    /** Sent with 429; 1 s by default. */
    retryAfterSeconds: v.optional(v.pipe(v.number(), v.minValue(0))),
    /** What `slow` adds before the first byte; 3000 by default. */
    delayMs: v.optional(v.pipe(v.number(), v.minValue(0))),
  }),
  v.check(
    (fault) => (fault.nth === undefined) !== (fault.probability === undefined),
    "needs either 'nth' or 'probability'",
  ),
);
export type Fault = v.InferOutput<typeof FaultSchema>;

/** The fault of the `nth` request of a route, if any. Draws once for each fault with a probability, so that runs repeat. */
export function pickFault(
  faults: readonly Fault[],
  route: Route,
  nth: number,
  random: () => number,
): Fault | undefined {
  let picked: Fault | undefined;
  for (const fault of faults) {
    if (fault.route !== route) continue;
    const meets =
      fault.probability === undefined
        ? nth >= (fault.nth ?? 1) && nth < (fault.nth ?? 1) + (fault.count ?? 1)
        : random() < fault.probability;
    if (meets) picked ??= fault;
  }
  return picked;
}

/** `stt:3:429` or `llm:0.1:stall` as typed on a command line. Throws `TypeError` that says what is wanted. */
export function parseFault(text: string): Fault {
  const [route, when = '', kind] = text.split(':');
  const number = Number(when);
  const place = when.includes('.') || number === 0 ? { probability: number } : { nth: number };
  const result = v.safeParse(FaultSchema, { route, kind, ...place });
  if (when !== '' && result.success) return result.output;
  throw new TypeError(
    `Cannot read the fault '${text}': write ROUTE:NTH:KIND or ROUTE:0.PROBABILITY:KIND, e.g. llm:2:429 (routes: ${ROUTES.join(', ')}; kinds: ${FAULT_KINDS.join(', ')})`,
  );
}
