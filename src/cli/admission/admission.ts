// Whether this process takes one more call, of whatever kind: one gate, fed with what its callers suffer.
import type { Config } from '../../config/schema.ts';
import { createGate, type Gate } from '../../livekit/gate.ts';
import type { Clock } from '../../runner/clock.ts';
import type { Runtime } from '../compose.ts';
import { watchStrain } from './strain.ts';

export interface Admission {
  readonly gate: Gate;
  /** Why no call of this kind may begin now, in words for its client; null: one may. */
  refusal(transport: string): string | null;
  /** Calls that were promised a place and have not begun. */
  readonly held: number;
  /** What `/status` says. */
  report(): Readonly<Record<string, unknown>>;
  stop(): void;
}

export interface AdmissionOptions {
  readonly config: Config;
  readonly runtime: Pick<Runtime, 'calls' | 'registry'>;
  readonly clock: Clock;
  /** Bytes in the buffers that we own; undefined: not measured. */
  readonly bufferBytes?: (() => number) | undefined;
}

const MEGABYTE = 1024 * 1024;
const WORDS: Readonly<Record<string, string>> = {
  full: 'All sessions are in use',
  'late-frames': 'The audio of the present calls is late',
  'loop-lag': 'The server is busy',
  'buffer-bytes': 'The server has no room for more audio',
};

/** Calls from LiveKit are counted by the worker, from the moment at which it promised them a place. */
const COUNTED_BY_WORKER = 'livekit';

export function createAdmission({ config, runtime, clock, bufferBytes }: AdmissionOptions): Admission {
  const { capacity, livekit } = config;
  const strain = watchStrain({
    clock,
    calls: function* frameCounts() {
      for (const [id, { call }] of runtime.calls) yield [id, call.session] as const;
    },
    bufferBytes,
    looked: () => void gate.judge(),
  });
  const gate = createGate({
    limits: {
      maxSessions: capacity.maxSessions,
      lateFrameShare: capacity.lateFrameShare,
      loopLagMs: capacity.loopLagMs,
      bufferBytes: capacity.bufferMb * MEGABYTE,
      scaleUpAt: capacity.scaleUpAt,
      targetLoad: livekit.targetLoad,
    },
    measures: () => strain.measures(),
    clock,
  });
  gate.join(() => {
    let sessions = 0;
    for (const { transport } of runtime.calls.values()) if (transport !== COUNTED_BY_WORKER) sessions++;
    return { sessions, pending: 0 };
  });

  const { registry } = runtime;
  const gauge = (name: string, help: string, read: () => number | null, unit?: string) =>
    registry
      .gauge({ name: `syrinx.admission.${name}`, help, unit })
      .labels()
      .observe(read);
  gauge('open', '1 while one more call is welcome.', () => Number(gate.judge().open));
  gauge('load', 'Load as LiveKit is told it: below the target load exactly while open.', () => gate.judge().load);
  gauge('scale.up', '1 while another process is wanted.', () => Number(gate.judge().scaleUp));
  gauge('held', 'Calls that were promised a place and have not begun.', () => gate.occupancy().pending);
  gauge('late.frames', 'Share of 20 ms frames that were late, over 5 s.', () => gate.measures().lateFrameShare);
  gauge('loop.lag', 'Lag of timers that a quarter exceeds, over 2 s.', () => seconds(gate.measures().loopLagMs), 's');
  gauge('buffers', 'Bytes in audio buffers.', () => gate.measures().bufferBytes, 'By');
  const refused = registry.counter({
    name: 'syrinx.admission.refused',
    help: 'Calls that were refused, by kind and reason; those of LiveKit are counted as refused offers.',
    labels: ['transport', 'reason'],
  });

  return {
    gate,
    refusal(transport) {
      const { reason } = gate.judge();
      if (reason === null) return null;
      refused.labels({ transport, reason }).add(1);
      return WORDS[reason] ?? 'The server is busy';
    },
    get held() {
      return gate.occupancy().pending;
    },
    report() {
      const { open, reason, load, scaleUp } = gate.judge();
      const { sessions, pending } = gate.occupancy();
      const { lateFrameShare, loopLagMs, bufferBytes: bytes } = gate.measures();
      return {
        open,
        reason,
        load: rounded(load),
        scale_up: scaleUp,
        sessions,
        held: pending,
        max_sessions: capacity.maxSessions,
        late_frame_share: rounded(lateFrameShare),
        loop_lag_ms: rounded(loopLagMs),
        buffer_bytes: bytes,
      };
    },
    stop: strain.stop,
  };
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10_000) / 10_000;
}
