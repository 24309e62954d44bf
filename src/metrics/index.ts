// What `syrinx/metrics` gives: instruments, the registry, the quantile sketch, the text format, OTLP data and the snapshot.
export { CounterHandle, GaugeHandle, HistogramHandle } from './handles.ts';
export {
  createOtlpProducer,
  OTLP_POINT,
  OTLP_TEMPORALITY,
  type OtlpBatch,
  type OtlpMetric,
  type OtlpProducer,
  type OtlpProducerOptions,
} from './otlp.ts';
export { type CatalogueEntry, catalogueOf } from './catalogue.ts';
export { escapeLabel, prometheusLabel, prometheusName } from './names.ts';
export { renderForeign } from './foreign-text.ts';
export {
  appendText,
  createPrometheusPage,
  describeTarget,
  PROMETHEUS_CONTENT_TYPE,
  renderPrometheus,
} from './prometheus-text.ts';
export { createReader, type Gain, type Readings, type SeriesInfo } from './readings.ts';
export {
  createRegistry,
  type Family,
  type HistogramOptions,
  type Instrument,
  type InstrumentOptions,
  type Labels,
  LATENCY_BOUNDS_S,
  type Registry,
  type RegistryOptions,
  type Series,
} from './registry.ts';
export { SCALE, Sketch } from './sketch.ts';
export { type MetricSnapshot, takeSnapshot } from './snapshot.ts';
