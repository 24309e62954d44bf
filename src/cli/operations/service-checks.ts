// What the program looks at every 5 s: the servers of its models. Whoever answers is there; nothing is bought by looking.
import type { Config } from '../../config/schema.ts';
import type { RegisteredCheck } from '../../ops/health/index.ts';
import { Readings } from '../../ops/views/index.ts';
import { takeSnapshot, type Registry } from '../../metrics/index.ts';

const TIMEOUT_MS = 2000;
const STAGES = ['stt', 'llm', 'tts'] as const;

export interface ServiceCheckOptions {
  readonly config: Config;
  readonly registry: Registry;
  /** Whether requests go to this stage's model, by its breaker. */
  resting(stage: (typeof STAGES)[number]): boolean;
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** One check for each server that models are asked of, the first one named `openai`. Simulated models are this process. */
export function serviceChecks({
  config,
  registry,
  resting,
  fetch = globalThis.fetch,
}: ServiceCheckOptions): RegisteredCheck[] {
  const byUrl = new Map<string, { name: string; key: string; stages: (typeof STAGES)[number][] }>();
  for (const stage of STAGES) {
    const { provider, baseUrl, apiKey } = config.models[stage];
    if (provider === 'simulated') continue;
    const known = byUrl.get(baseUrl);
    if (known !== undefined) known.stages.push(stage);
    else {
      const key = (apiKey ?? config.models.apiKey)?.reveal() ?? '';
      byUrl.set(baseUrl, { name: byUrl.size === 0 ? 'openai' : `openai.${stage}`, key, stages: [stage] });
    }
  }
  const requests = new Set(['syrinx.api.requests']);
  const answered = () =>
    new Readings(takeSnapshot(registry, requests)).value('syrinx.api.requests', { outcome: 'ok' }) ?? 0;
  return [...byUrl].map(([baseUrl, { name, key, stages }]) => {
    let lastAnswered = answered();
    return {
      name,
      required: true,
      timeoutMs: TIMEOUT_MS,
      async check(signal) {
        const rests = stages.filter(resting);
        if (rests.length > 0) return { status: 'warning', message: `resting after failures: ${rests.join(', ')}` };
        // Where one server serves all, an answer to a call is better proof than a question of ours.
        const now = answered();
        const isProven = byUrl.size === 1 && now > lastAnswered;
        lastAnswered = now;
        return isProven ? 'ok' : ask(fetch, baseUrl, key, signal);
      },
    };
  });
}

/** Any answer but a refusal of the key or a failure of the server will do: not every server lists its models. */
async function ask(fetch: typeof globalThis.fetch, baseUrl: string, key: string, signal: AbortSignal) {
  let response: Response;
  try {
    const headers: Record<string, string> = key === '' ? {} : { authorization: `Bearer ${key}` };
    response = await fetch(`${baseUrl.replace(/\/$/, '')}/models`, { headers, signal, redirect: 'manual' });
  } catch {
    return { status: 'error', message: 'no connection' } as const;
  }
  await response.body?.cancel();
  if (response.status === 401 || response.status === 403) {
    return { status: 'error', message: `the key is refused (${response.status})` } as const;
  }
  return response.status >= 500
    ? ({ status: 'error', message: `answers ${response.status}` } as const)
    : ('ok' as const);
}
