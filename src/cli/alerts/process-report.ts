// Of several processes under one supervisor: one tells what it measures and which rules its user code sets; the supervisor watches for all.
import type { Config } from '../../config/schema.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { nearest } from '../../config/nearest.ts';
import type { Registry } from '../../metrics/index.ts';
import {
  AlertEngine,
  AlertRuleError,
  catalogueOf,
  type MetricFact,
  registryFacts,
  type SeriesReading,
} from '../../ops/alerts/index.ts';
import { EXIT } from '../exit-codes.ts';
import { UserError } from '../user-error.ts';
import type { Alerts } from './alerts.ts';
import { measuredHere } from './measured.ts';
import { rulesOf } from './rules.ts';

export const REPORT_PATH = '/api/alerts/readings';

/** Of the machine: each process says the same. */
export const isOfMachine = (instrument: string): boolean => /^syrinx\.(?:system|network)\./.test(instrument);

/** As the supervisor will see them: a gauge says of which process it is. */
function factsOf(registry: Registry): MetricFact[] {
  return registry.families().flatMap((family) => {
    const facts = registryFacts([family]);
    if (family.kind !== 'gauge' || isOfMachine(family.name)) return facts;
    return facts.map((fact) => ({ ...fact, labels: fact.labels && [...fact.labels, 'process'] }));
  });
}

/** What a process answers. */
export interface ProcessReadings {
  readonly agent: string;
  readonly rules: readonly (readonly [name: string, rule: unknown])[];
  readonly facts: readonly MetricFact[];
  readonly readings: readonly SeriesReading[];
}

export interface ReportOptions {
  readonly config: Config;
  readonly origins: LoadedConfig['origins'];
  readonly registry: Registry;
  readonly agentName: string;
}

/** Rules that are wrong are refused here, where their metrics are known and their user code runs. */
export function reportForAlerts({ config, origins, registry, agentName }: ReportOptions): Alerts {
  const measured = measuredHere(registry);
  const rules = new Map<string, unknown>();
  let leave = (): void => {};
  return {
    waiting: () => 0,
    routes: {
      routes: { [REPORT_PATH]: 'GET, HEAD, OPTIONS' },
      add(app) {
        app.get(REPORT_PATH, (c) => {
          const names = new Set((c.req.query('names') ?? '').split(','));
          const slices = measured.readings(names);
          let step = slices.next();
          while (step.done !== true) step = slices.next();
          const facts = factsOf(registry);
          return c.json({ agent: agentName, rules: [...rules], facts, readings: step.value } satisfies ProcessReadings);
        });
      },
    },
    // oxlint-disable-next-line typescript/require-await -- whoever starts alerts waits for them
    async start() {
      const engine = new AlertEngine({ metrics: () => catalogueOf(factsOf(registry)), nearest });
      try {
        rulesOf({ config, origins }, engine);
        leave = measured.takeUserRules((name, rule) => {
          engine.setAlertRule(name, rule);
          rules.set(name, rule);
        });
      } catch (error) {
        if (!(error instanceof AlertRuleError)) throw error;
        const { problems } = error;
        throw new UserError('Alert rules are not valid', { exitCode: EXIT.config, problems, cause: error });
      }
    },
    // oxlint-disable-next-line typescript/require-await -- as above
    async stop() {
      leave();
    },
  };
}
