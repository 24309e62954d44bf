// All instruments of a process: declared once, bounded in series, read as one snapshot.
import { CounterHandle, GaugeHandle, HistogramHandle } from './handles.ts';
import { escapeLabel, type Kind, prometheusLabel, prometheusName } from './names.ts';

export interface RegistryOptions {
  /** Label combinations of one instrument; what comes later shares one series. Default 2000 (OpenTelemetry's own limit). */
  readonly maxSeriesPerInstrument?: number | undefined;
}

export interface InstrumentOptions {
  /** OpenTelemetry style, with dots and without the unit: `voice.turn.duration`. */
  readonly name: string;
  readonly help: string;
  /** A base unit (`s`, `By`, `1`) or an annotation (`{session}`). Default none. */
  readonly unit?: string | undefined;
  /** Names of its labels. Never ids, never what somebody said. */
  readonly labels?: readonly string[] | undefined;
}
export interface HistogramOptions extends InstrumentOptions {
  /** Rising upper bounds of the buckets in the text format. Default `LATENCY_BOUNDS_S`. */
  readonly bounds?: readonly number[] | undefined;
}
export type Labels = Readonly<Record<string, string>>;

export interface Instrument<Handle> {
  readonly name: string;
  readonly kind: Kind;
  readonly unit: string;
  readonly help: string;
  /** The handle of one combination of label values; keep it, do not ask again for each record. */
  labels(values?: Labels): Handle;
}

export interface Series<Handle> {
  readonly labels: Labels;
  /** As the text format writes them, without braces: `a="x",b="y"`. */
  readonly text: string;
  readonly handle: Handle;
}
type AnyHandle = CounterHandle | GaugeHandle | HistogramHandle;
/** An instrument with all it has recorded, for renderers. */
export interface Family<Handle extends AnyHandle = AnyHandle> {
  readonly name: string;
  readonly kind: Kind;
  readonly unit: string;
  readonly help: string;
  readonly prometheusName: string;
  readonly labelNames: readonly string[];
  readonly bounds: readonly number[];
  readonly series: readonly Series<Handle>[];
}

export interface Registry {
  counter(options: InstrumentOptions): Instrument<CounterHandle>;
  gauge(options: InstrumentOptions): Instrument<GaugeHandle>;
  histogram(options: HistogramOptions): Instrument<HistogramHandle>;
  /** All there are, in the order of their declaration. Live: the list, and each family's series, grow at their ends. */
  families(): readonly Family[];
}

/** 5 ms to 10 s, dense between 80 ms and 2 s, with every limit of the specification on a border. */
export const LATENCY_BOUNDS_S: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.65, 0.8, 1, 1.2, 1.5, 2, 2.5, 3.5, 5, 10,
];
const MAX_LABEL_CHARS = 128;
/** How OpenTelemetry marks the series that all further ones share. */
const OVERFLOW = 'otel.metric.overflow';

export function createRegistry(options: RegistryOptions = {}): Registry {
  const maxSeries = options.maxSeriesPerInstrument ?? 2000;
  if (!(Number.isInteger(maxSeries) && maxSeries >= 1)) {
    throw new RangeError(`maxSeriesPerInstrument must be a whole number from 1: ${maxSeries}`);
  }
  const byName = new Map<string, OneInstrument<AnyHandle>>();
  const families: Family[] = [];
  const taken = new Set<string>();

  function declare<H extends AnyHandle>(
    kind: Kind,
    given: HistogramOptions,
    create: (refuse: () => void) => H,
    limit = maxSeries,
  ) {
    const known = byName.get(given.name);
    if (known !== undefined) {
      if (known.matches(kind, given)) return known as OneInstrument<H>;
      throw new RangeError(`Metric '${given.name}' is already declared in another way`);
    }
    const refuse = (): void => rejected().labels({ instrument: given.name }).add();
    const onDrop = (): void => dropped().labels({ instrument: given.name }).add();
    const made = new OneInstrument<H>(kind, given, limit, () => create(refuse), onDrop);
    for (const name of made.textNames()) {
      if (taken.has(name)) throw new RangeError(`Metric '${given.name}' would be exported as '${name}', which exists`);
    }
    for (const name of made.textNames()) taken.add(name);
    byName.set(given.name, made);
    families.push(made.family);
    return made;
  }

  const counter = (given: InstrumentOptions) => declare('counter', given, (refuse) => new CounterHandle(refuse));
  // Declared with the first drop: most processes never need them. One series per instrument, so no limit of their own.
  const own = (name: string, help: string) =>
    declare(
      'counter',
      { name, help, labels: ['instrument'] },
      (refuse) => new CounterHandle(refuse),
      Number.POSITIVE_INFINITY,
    );
  const dropped = () => own('telemetry.series.dropped', 'Requests for a series beyond the limit of an instrument.');
  const rejected = () =>
    own('telemetry.values.rejected', 'Values that were no finite number, or negative where that has no meaning.');

  return {
    counter,
    gauge: (given) => declare('gauge', given, (refuse) => new GaugeHandle(refuse)),
    histogram: (given) => declare('histogram', given, (refuse) => new HistogramHandle(refuse)),
    families: () => families,
  };
}

class OneInstrument<H extends AnyHandle> implements Instrument<H> {
  readonly name: string;
  readonly kind: Kind;
  readonly unit: string;
  readonly help: string;
  readonly #prometheusName: string;
  readonly #bounds: readonly number[];
  readonly #labelNames: readonly string[];
  /** Made once: whoever reads all series each second makes no garbage by it. */
  readonly family: Family<H>;
  readonly #list: Series<H>[] = [];
  readonly #maxSeries: number;
  readonly #create: () => H;
  readonly #onDrop: () => void;
  readonly #series = new Map<string, Series<H>>();
  #overflow: Series<H> | undefined;

  constructor(kind: Kind, given: HistogramOptions, maxSeries: number, create: () => H, onDrop: () => void) {
    this.kind = kind;
    this.name = given.name;
    this.unit = given.unit ?? '';
    this.help = given.help;
    this.#labelNames = given.labels ?? [];
    this.#bounds = kind === 'histogram' ? (given.bounds ?? LATENCY_BOUNDS_S) : [];
    this.#maxSeries = maxSeries;
    this.#create = create;
    this.#onDrop = onDrop;
    if (!/^[a-zA-Z][a-zA-Z0-9_.]*$/.test(this.name)) throw new RangeError(`Metric name is not valid: '${this.name}'`);
    if (this.help === '') throw new RangeError(`Metric '${this.name}' needs a help text`);
    this.#prometheusName = prometheusName(this.name, this.unit, kind);
    const exported = this.#labelNames.map(prometheusLabel);
    const wrong = exported.some(
      (label) => label === '' || label.startsWith('__') || (kind === 'histogram' && label === 'le'),
    );
    if (wrong || new Set(exported).size < exported.length) {
      throw new RangeError(`Metric '${this.name}' has label names that are reserved, empty or alike`);
    }
    if (this.#bounds.some((bound, i) => !Number.isFinite(bound) || bound <= (this.#bounds[i - 1] ?? 0))) {
      throw new RangeError(`Metric '${this.name}' needs bounds that are positive and rise`);
    }
    const { name, unit, help } = this;
    const known = { name, kind, unit, help, prometheusName: this.#prometheusName };
    this.family = { ...known, labelNames: this.#labelNames, bounds: this.#bounds, series: this.#list };
    // A count of what has not happened yet is 0, and known; so it is there from the start.
    if (this.#labelNames.length === 0) this.labels();
  }

  labels(values: Labels = {}): H {
    for (const name of Object.keys(values)) {
      if (!this.#labelNames.includes(name)) throw new RangeError(`Metric '${this.name}' has no label '${name}'`);
    }
    const ordered = this.#labelNames.map((name) => String(values[name] ?? '').slice(0, MAX_LABEL_CHARS));
    // No label value can hold the separator's escape, since JSON escapes it.
    const key = JSON.stringify(ordered);
    const known = this.#series.get(key);
    if (known !== undefined) return known.handle;
    if (this.#series.size >= this.#maxSeries) {
      this.#onDrop();
      this.#overflow ??= this.#make([[OVERFLOW, 'true']]);
      return this.#overflow.handle;
    }
    const made = this.#make(this.#labelNames.map((name, i) => [name, ordered[i] ?? '']));
    this.#series.set(key, made);
    return made.handle;
  }

  #make(labels: readonly (readonly [string, string])[]): Series<H> {
    const text = labels.map(([name, value]) => `${prometheusLabel(name)}="${escapeLabel(value)}"`).join(',');
    const made = { labels: Object.freeze(Object.fromEntries(labels)), text, handle: this.#create() };
    this.#list.push(made);
    return made;
  }

  matches(kind: Kind, given: HistogramOptions): boolean {
    const same = (a: readonly unknown[], b: readonly unknown[]) => JSON.stringify(a) === JSON.stringify(b);
    return (
      kind === this.kind &&
      (given.unit ?? '') === this.unit &&
      same(given.labels ?? [], this.#labelNames) &&
      (kind !== 'histogram' || same(given.bounds ?? LATENCY_BOUNDS_S, this.#bounds))
    );
  }

  textNames(): string[] {
    const name = this.#prometheusName;
    return this.kind === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
  }
}
