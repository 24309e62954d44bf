// What happened in the calls, value by value, written down without any of the code that is being checked.
import type { Runtime } from '../../src/cli/compose.ts';
import type { SessionTelemetry } from '../../src/session/effects.ts';

export interface RawLog {
  turns: number;
  event(event: SessionTelemetry): void;
  frames(count: number, late: boolean, latencyMs: number): void;
  /** Seconds, by the name and labels of the metric that they should be in. */
  values(): Record<string, number[]>;
}

export function createRawLog(): RawLog {
  const values: Record<string, number[]> = {};
  const note = (name: string, ms: number | null) => {
    if (ms !== null) (values[name] ??= []).push(ms / 1000);
  };
  return {
    turns: 0,
    event(event) {
      if (event.type === 'interrupted') note('interruptions', 0);
      if (event.type === 'tool' && event.phase !== 'started') note(`tools ${event.phase}`, 0);
      if (event.type === 'failure') note(`failures ${event.stage}`, 0);
      if (event.type !== 'turn') return;
      this.turns++;
      const { responseMs, overheadMs, unexplainedMs, stages } = event.ledger;
      note('syrinx_conversation_response_seconds', responseMs);
      note('syrinx_agent_overhead_seconds', overheadMs);
      note('syrinx_turn_unexplained_seconds', unexplainedMs);
      for (const { name, startMs, endMs, provider } of stages) {
        note(`syrinx_turn_stage_duration_seconds provider=${provider},stage=${name}`, endMs - startMs);
      }
    },
    frames(count, late, latencyMs) {
      for (let i = 0; i < count; i++) note('syrinx_audio_processing_seconds', latencyMs);
      if (late) note('late', latencyMs);
    },
    values: () => values,
  };
}

/** The same runtime; whatever happens in its calls is written down. */
export function logged(runtime: Runtime, raw: RawLog): Runtime {
  return {
    ...runtime,
    open(request) {
      const call = runtime.open({ ...request, onTelemetry: (event) => raw.event(event) });
      const { session, input } = call;
      const audio = input.audio;
      Object.assign(input, {
        audio(packet: Uint8Array, position: number) {
          const { framesIn, framesLate } = session;
          audio(packet, position);
          raw.frames(session.framesIn - framesIn, session.framesLate > framesLate, session.frameLatencyMs);
        },
      });
      return call;
    },
  };
}
