// What others import of the health checks.
export {
  type Availability,
  type CheckView,
  HEALTH_INTERVAL_MS,
  type HealthMonitor,
  type HealthMonitorOptions,
  type HealthView,
  startHealthMonitor,
} from './health-monitor.ts';
export type { CheckAnswer, HealthCheckOptions, RegisteredCheck, UserCheck } from './user-checks.ts';
