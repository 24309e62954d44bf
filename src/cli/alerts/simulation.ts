// Reads the request to simulate a rule, from the command line or over HTTP, and answers it.
import { nearest } from '../../config/nearest.ts';
import {
  type AlertRule,
  AlertRuleError,
  type Catalogue,
  readAlertRule,
  readValues,
  type RuleSimulation,
  SimulationError,
  type SimulatedRule,
  simulation,
} from '../../ops/alerts/index.ts';

export interface SimulationContext {
  ruleOf(name: string): AlertRule | undefined;
  readonly metrics: Catalogue;
  readonly channels: readonly string[];
}

const MAX_EVERY_SECONDS = 86_400;
const SLICE_MS = 1;

/** `{ rule: NAME or rule, values: "20x10 200x70", every_seconds: 5, labels }`. Throws an error with `problems`. */
export function readSimulation(request: unknown, context: SimulationContext): SimulatedRule {
  const { rule: given, values, every_seconds = 5, labels } = (request ?? {}) as Record<string, unknown>;
  const rule = ruleFrom(given, context);
  if (typeof values !== 'string') throw new SimulationError('values: must be a text such as "20x10 200x70 20x10"');
  const seconds = Number(every_seconds);
  if (!(seconds > 0 && seconds <= MAX_EVERY_SECONDS)) {
    throw new SimulationError(`every_seconds: must be a number above 0, at most ${MAX_EVERY_SECONDS}`);
  }
  return {
    rule,
    values: readValues(values),
    everyMs: seconds * 1000,
    labels: labels === undefined ? undefined : textsOf(labels),
  };
}

/** Of a running program: in slices, between which `pause` lets calls have their turn. */
export async function simulateInSlices(
  simulated: SimulatedRule,
  now: () => number,
  pause: () => Promise<void>,
): Promise<RuleSimulation & { readonly rule: string }> {
  const steps = simulation(simulated);
  for (let startedMs = now(); ; ) {
    const { done, value } = steps.next();
    if (done === true) return { rule: simulated.rule.name, ...value };
    if (now() - startedMs < SLICE_MS) continue;
    await pause();
    startedMs = now();
  }
}

function ruleFrom(given: unknown, { ruleOf, metrics, channels }: SimulationContext): AlertRule {
  if (typeof given === 'string') {
    const known = ruleOf(given);
    if (known === undefined) throw new SimulationError(`rule: no rule is called "${given.slice(0, 128)}"`);
    return known;
  }
  const { rule, problems } = readAlertRule('simulated', given, { metrics, channels, nearest });
  if (rule === undefined) throw new AlertRuleError(problems);
  return rule;
}

function textsOf(labels: unknown): Record<string, string> {
  const entries = typeof labels === 'object' && labels !== null ? Object.entries(labels) : [];
  if (!entries.every(([, value]) => typeof value === 'string')) {
    throw new SimulationError('labels: must be an object of texts');
  }
  return Object.fromEntries(entries as [string, string][]);
}
