// What the specification wants tracked of sessions (TRK), read out of the registry after whole calls on virtual time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineAgent } from '../../src/agent/define-agent.ts';
import { createSessionWatch } from '../../src/cli/telemetry/session-watch.ts';
import { createRegistry, takeSnapshot } from '../../src/metrics/index.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { ProcessTelemetry } from '../../src/ops/telemetry/index.ts';
import { Readings } from '../../src/ops/views/index.ts';
import { createCallInstruments } from '../../src/runner/instruments.ts';
import { calls, writes } from '../simulation/models.ts';
import { type Scenario, simulate } from '../simulation/simulated-call.ts';

const log = createLogger({ level: 'error', format: 'json', write: () => {}, now: () => 0 });

/** Holds calls with the instruments of the program around them. */
async function held(...scenarios: readonly Scenario[]): Promise<Readings> {
  const registry = createRegistry();
  const instruments = createCallInstruments(registry, ['weather']);
  const watch = createSessionWatch({
    telemetry: new ProcessTelemetry(),
    registry,
    agent: defineAgent({ instructions: 'Help.' }),
    agentName: 'helper',
    log,
    epochNowMs: () => 0,
  });
  for (const scenario of scenarios) {
    const recorder = instruments.started('virtual');
    await simulate({
      ...scenario,
      observe: (id, base) =>
        watch.observe(id, 'virtual', log, {
          ...base,
          telemetry(event, nowMs) {
            base.telemetry?.(event, nowMs);
            recorder.telemetry(event, nowMs);
          },
          frames: recorder.frames,
          ended: (reason) => recorder.ended(reason, scenario.endMs),
        }),
      opened: (call) => watch.opened(call, 'virtual', log),
    });
  }
  return new Readings(takeSnapshot(registry));
}

const asks = { atMs: 500, ms: 600, text: 'what is the weather' };
const plain: Scenario = { caller: [asks], endMs: 8000, llm: () => writes('It is sunny.') };
const long = 'It is sunny in Rome, and it will stay so for the whole week, they say, with little wind.';
const interrupted: Scenario = {
  caller: [asks, { atMs: 3500, ms: 800, text: 'stop that' }],
  endMs: 12_000,
  llm: () => writes(long),
};
const withTool: Scenario = {
  ...plain,
  llm: (_, n) => (n === 0 ? calls({ id: 'a', name: 'weather', arguments: '{}' }) : writes('It is sunny.')),
  tools: [{ name: 'weather', description: 'weather', run: () => 'sunny' }],
};
const failing: Scenario = { caller: [asks], endMs: 20_000, llm: () => [{ fail: new Error('nobody is there') }] };

test('TRK-01, TRK-02: lengths and ends of sessions, turns and their timing', async () => {
  const read = await held(plain, interrupted);
  assert.equal(read.value('syrinx.sessions.started'), 2);
  assert.equal(read.value('syrinx.sessions.ended', { outcome: 'completed' }), 2);
  assert.equal(read.value('syrinx.sessions.active'), 0);
  assert.deepEqual(read.total('syrinx.session.duration'), { count: 2, sum: 20 });
  const turns = read.value('syrinx.turns.completed') ?? 0;
  assert.equal(turns, 3);
  assert.equal(read.value('syrinx.turns.ended', { outcome: 'answered' }), 2);
  assert.equal(read.total('syrinx.conversation.response')?.count, 3);
});

test('TRK-03: engagement: turns of each session, interruptions, speech of the agent and onsets of the caller', async () => {
  const read = await held(plain, interrupted);
  assert.deepEqual(read.total('syrinx.session.turns'), { count: 2, sum: 3 });
  assert.equal(read.value('syrinx.interruptions'), 1);
  assert.equal(read.value('syrinx.turns.ended', { outcome: 'interrupted' }), 1);
  assert.equal(read.value('syrinx.vad.activations'), 3);
  assert.equal(read.total('syrinx.turn.speech.duration')?.count, 3);
});

test('TRK-04: failures by stage and kind; a tool and its time', async () => {
  const read = await held(failing, withTool);
  assert.ok((read.value('syrinx.failures', { stage: 'llm', kind: 'internal' }) ?? 0) >= 1);
  assert.equal(read.value('syrinx.tools.executed', { outcome: 'ok' }), 1);
  assert.equal(read.total('syrinx.tool.duration', { tool: 'weather' })?.count, 1);
});

test('LAT-03, LAT-10: frames from the time at which they were due to their decision, turns from ear to ear', async () => {
  const read = await held(plain);
  const frames = read.value('syrinx.audio.frames') ?? 0;
  assert.ok(frames > 350);
  assert.equal(read.total('syrinx.audio.processing')?.count, frames);
  // On virtual time nothing takes time: only the measuring itself is held here.
  assert.ok((read.mean('syrinx.audio.processing') ?? 1) < 0.02);
  assert.ok((read.mean('syrinx.conversation.response') ?? 0) > 0.5);
  assert.ok((read.total('syrinx.turn.stage.duration', { stage: 'endpointing' })?.sum ?? 0) >= 0.5);
});
