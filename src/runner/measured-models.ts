// Models with a stopwatch: each request's outcome, time to its first chunk and to its end, and the wait for a permit to make it.
import type { HistogramHandle, Registry } from '../metrics/index.ts';
import { type GenerateEvent, type LlmModel, ModelError, type SttModel, type TtsModel } from '../models/port.ts';
import type { CallModels, Guarded } from './call.ts';
import type { Permits } from './permits.ts';

export interface MeasureOptions {
  readonly registry: Registry;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Names of the models that are served, by stage: labels. */
  readonly names?: Readonly<Partial<Record<keyof CallModels, string>>> | undefined;
  /** Bounds the requests that run at one time, over all calls. */
  readonly permits: Permits;
}

/** One request that is under way. */
interface Running {
  firstChunk(): void;
  ended(error?: unknown): void;
}

/** The same models, measured; whoever uses them notices nothing. */
export function measureModels(models: CallModels, options: MeasureOptions): CallModels {
  const { registry, now, permits } = options;
  const labels = ['provider', 'stage', 'model'] as const;
  const requests = registry.counter({
    name: 'syrinx.api.requests',
    help: 'Requests to providers of models, by outcome; aborted ones were not wanted any more.',
    labels: [...labels, 'outcome'],
  });
  const errors = registry.counter({
    name: 'syrinx.model.errors',
    help: 'Requests to models that failed, by kind of failure.',
    labels: [...labels, 'kind'],
  });
  const seconds = (name: string, help: string) =>
    registry.histogram({ name: `syrinx.model.${name}`, help, unit: 's', labels });
  const duration = seconds(
    'duration',
    'From a request to the end of its answer; failed and aborted requests are not in it.',
  );
  const first = seconds('first.chunk', 'From a request to the first part of its answer.');
  const permitWait = seconds('permit.wait', 'Wait of a request for the permit to be made.');
  const active = registry.gauge({
    name: 'syrinx.model.requests.active',
    help: 'Requests to models that run.',
    labels: ['stage'],
  });

  function meter(stage: keyof CallModels, model: { readonly name: string }) {
    const provider = model.name.split('.')[0] ?? model.name;
    const own = { provider, stage, model: options.names?.[stage] ?? '' };
    const counted = (outcome: string) => requests.labels({ ...own, outcome });
    const outcomes = { ok: counted('ok'), failed: counted('failed'), aborted: counted('aborted') };
    const [took, toFirst, waited]: HistogramHandle[] = [
      duration.labels(own),
      first.labels(own),
      permitWait.labels(own),
    ];
    const running = active.labels({ stage });
    running.add(0);

    return async (signal: AbortSignal): Promise<Running> => {
      const askedMs = now();
      const release = await permits.take(signal);
      const startMs = now();
      waited?.record((startMs - askedMs) / 1000);
      running.add(1);
      let over = false;
      let begun = false;
      return {
        firstChunk() {
          if (begun) return;
          begun = true;
          toFirst?.record((now() - startMs) / 1000);
        },
        ended(error) {
          if (over) return;
          over = true;
          release();
          running.add(-1);
          if (error === undefined) {
            outcomes.ok.add(1);
            took?.record((now() - startMs) / 1000);
          } else if (signal.aborted || (error instanceof ModelError && error.kind === 'aborted')) {
            outcomes.aborted.add(1);
          } else {
            outcomes.failed.add(1);
            errors.labels({ ...own, kind: error instanceof ModelError ? error.kind : 'internal' }).add(1);
          }
        },
      };
    };
  }

  const stt = (model: SttModel): SttModel => {
    const begin = meter('stt', model);
    return {
      ...rest(model),
      async transcribe(request, signal) {
        const running = await begin(signal);
        try {
          const answer = await model.transcribe(request, signal);
          running.firstChunk();
          running.ended();
          return answer;
        } catch (error) {
          running.ended(error);
          throw error;
        }
      },
    };
  };
  const llm = (model: LlmModel): LlmModel => {
    const begin = meter('llm', model);
    return {
      ...rest(model),
      generate: (request, signal) =>
        watched<GenerateEvent>(
          () => model.generate(request, signal),
          () => begin(signal),
          (event) => event.type === 'text' || event.type === 'tool-call',
        ),
    };
  };
  const tts = (model: TtsModel): TtsModel => {
    const begin = meter('tts', model);
    return {
      ...rest(model),
      sampleRateHz: model.sampleRateHz,
      synthesize: (request, signal) =>
        watched<Uint8Array>(
          () => model.synthesize(request, signal),
          () => begin(signal),
          () => true,
        ),
    };
  };
  const each = <M>(guarded: readonly Guarded<M>[], wrap: (model: M) => M) =>
    guarded.map(({ model, breaker }) => ({ model: wrap(model), breaker }));
  return { stt: each(models.stt, stt), llm: each(models.llm, llm), tts: each(models.tts, tts) };
}

function rest(model: SttModel | LlmModel | TtsModel) {
  return {
    name: model.name,
    ...(model.warm === undefined
      ? {}
      : { warm: (signal: AbortSignal) => model.warm?.(signal) ?? Promise.resolve(false) }),
  };
}

const NOT_WANTED = new ModelError('aborted', 'runner', 'Nobody reads the answer any more');

/** A stream whose reader may stop early: that is an abort, not a failure. */
async function* watched<T>(
  open: () => AsyncIterable<T>,
  begin: () => Promise<Running>,
  isChunk: (event: T) => boolean,
): AsyncGenerator<T> {
  const running = await begin();
  let outcome: unknown = NOT_WANTED;
  try {
    for await (const event of open()) {
      if (isChunk(event)) running.firstChunk();
      yield event;
    }
    outcome = undefined;
  } catch (error) {
    outcome = error;
    throw error;
  } finally {
    running.ended(outcome);
  }
}
