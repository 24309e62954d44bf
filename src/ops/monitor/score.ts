// Health as one number, grades, trends, and how well resources are used. What is not measured is left out.

export interface Measured {
  readonly latencyMs?: number | null | undefined;
  /** 1 to 5. */
  readonly quality?: number | null | undefined;
  /** Of all cores. */
  readonly cpuPercent?: number | null | undefined;
  readonly memoryMb?: number | null | undefined;
}
/** From 90, 80, 70, 60 on, and below. */
export type Grade = 'excellent' | 'good' | 'fair' | 'poor' | 'critical';
/** The mean of the parts that are measured, each 0 to 100. */
export interface Health {
  /** Null where nothing is measured. */
  readonly score: number | null;
  readonly grade: Grade | null;
  readonly parts: Readonly<Record<string, number>>;
}

const isMeasured = (value: number | null | undefined): value is number =>
  value !== null && value !== undefined && !Number.isNaN(value);

const clamp = (value: number) => Math.min(100, Math.max(0, value));

export function healthOf({ latencyMs, quality, cpuPercent, memoryMb }: Measured): Health {
  const parts: Record<string, number> = {};
  if (isMeasured(latencyMs)) parts.latency = clamp(100 - (latencyMs - 50) * 2);
  if (isMeasured(quality)) parts.quality = clamp((quality / 4) * 100);
  if (isMeasured(cpuPercent)) parts.cpu = clamp(100 - Math.max(0, cpuPercent - 70));
  if (isMeasured(memoryMb)) parts.memory = clamp(100 - (Math.max(0, memoryMb - 500) / 500) * 100);
  const values = Object.values(parts);
  if (values.length === 0) return { score: null, grade: null, parts };
  const score = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { score, grade: gradeOf(score), parts };
}

export function gradeOf(score: number): Grade {
  if (score >= 90) return 'excellent';
  if (score >= 80) return 'good';
  if (score >= 70) return 'fair';
  return score >= 60 ? 'poor' : 'critical';
}

/** Which way a figure goes. */
export type Trend = 'stable' | 'increasing' | 'decreasing';

/** Mean of the second half against that of the first; within 5 % is stable. Null: too little to tell. */
export function trendOf(values: readonly number[]): Trend | null {
  if (values.length < 2) return null;
  const half = Math.floor(values.length / 2);
  const mean = (part: readonly number[]) => part.reduce((sum, value) => sum + value, 0) / part.length;
  const before = mean(values.slice(0, half));
  const after = mean(values.slice(half));
  const change = after - before;
  if (Math.abs(change) <= 0.05 * Math.abs(before)) return 'stable';
  return change > 0 ? 'increasing' : 'decreasing';
}

/** How well resources are used, 0..1; null: not measured. */
export interface Efficiency {
  readonly network: number | null;
  readonly cpu: number | null;
  readonly memory: number | null;
}

/** Of the network the mean of two shares: none is left at 5 % of loss, or at 50 ms of jitter. */
export function efficiencyOf(means: {
  readonly lossPercent: number | null;
  readonly jitterMs: number | null;
  readonly cpuPercent: number | null;
  readonly memoryPercent: number | null;
}): Efficiency {
  const { lossPercent, jitterMs, cpuPercent, memoryPercent } = means;
  const network =
    lossPercent === null || jitterMs === null
      ? null
      : (Math.max(0, 1 - lossPercent / 5) + Math.max(0, 1 - jitterMs / 50)) / 2;
  return { network, cpu: useOf(cpuPercent), memory: useOf(memoryPercent) };
}

/** Little use is a waste, much is a risk. */
function useOf(percent: number | null): number | null {
  if (percent === null) return null;
  if (percent < 30) return 0.7;
  if (percent < 70) return 1;
  return percent < 90 ? 0.8 : 0.5;
}
