// What others import of the JSON views.
export { type DashboardFacts, dashboardData, type WorkerStatus } from './dashboard-data.ts';
export { jsonMetrics, percent, type ToolUsage, toolUsage } from './json-metrics.ts';
export { Readings, rounded } from './readings.ts';
export { createWindows, WINDOW_METRICS, type Windows, type WindowView } from './window.ts';
