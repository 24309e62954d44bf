// Spans of a call through the OpenTelemetry API: session, turns, stages. Without a tracer provider there are none, and nothing is done.
import { context, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Call } from '../../runner/call.ts';
import type { CallRecorder } from '../../runner/instruments.ts';
import type { LedgerTurn } from '../../session/ledger.ts';

/** The same recorder, which also makes the call's spans where somebody collects them. Ids are attributes here; what was said never is. */
export function traceCall(recorder: CallRecorder, call: Pick<Call, 'id' | 'ledger'>, version: string): CallRecorder {
  const tracer = trace.getTracer('syrinx', version);
  const session = tracer.startSpan('voice.session', { attributes: { 'gen_ai.conversation.id': call.id } });
  if (!session.isRecording()) return recorder;
  const { agent: name, transport } = call.ledger().session;
  session.setAttributes({ 'gen_ai.agent.name': name, 'voice.transport': transport });
  const within = (parent: Span) => trace.setSpan(context.active(), parent);

  function turnSpan({ turn, caller, agent, stages, responseMs, overheadMs }: LedgerTurn): void {
    const zeroEpochMs = Date.parse(call.ledger().session.startedAt);
    const at = (ms: number) => new Date(zeroEpochMs + ms);
    const startMs = caller?.endMs ?? agent.startMs;
    if (startMs === null) return;
    const span = tracer.startSpan(
      'voice.turn',
      {
        startTime: at(startMs),
        attributes: {
          'voice.turn.number': turn,
          'voice.turn.interrupted': agent.interruptedAtMs !== null,
          ...(responseMs === null ? {} : { 'voice.turn.response_ms': responseMs }),
          ...(overheadMs === null ? {} : { 'voice.turn.overhead_ms': overheadMs }),
        },
      },
      within(session),
    );
    for (const stage of stages) {
      const attributes = { 'voice.stage.provider': stage.provider };
      const part = { startTime: at(stage.startMs), attributes };
      tracer.startSpan(`voice.stage.${stage.name}`, part, within(span)).end(at(stage.endMs));
    }
    span.end(at(Math.max(startMs, agent.endMs ?? startMs)));
  }

  return {
    ...recorder,
    telemetry(event, nowMs) {
      recorder.telemetry(event, nowMs);
      if (event.type === 'turn') turnSpan(event.ledger);
    },
    ended(reason, durationMs) {
      recorder.ended(reason, durationMs);
      session.setAttribute('gen_ai.agent.invocation.end_reason', reason);
      if (reason === 'model failure' || reason === 'internal error') session.setStatus({ code: SpanStatusCode.ERROR });
      session.end();
    },
  };
}
