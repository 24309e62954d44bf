// What others import of the real-time monitor.
export { COMPONENTS, columnOf, FIGURES, SYSTEM_FIGURES, systemColumnOf, WIDTH } from './figures.ts';
export { createMonitorInstruments, type MonitorInstruments } from './instruments.ts';
export { type DeskEvent, MonitorDesk, type MonitorDeskOptions, type SessionRows } from './monitor-desk.ts';
export { type Nearest, readThresholds } from './options.ts';
export { provideMonitorDesk } from './realtime-monitor.ts';
export { systemReader } from './system-reader.ts';
export { alertView, detailsView, healthView, iso, overview, reportView, snapshotView } from './views.ts';
