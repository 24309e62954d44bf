// The net is loaded where the configuration asks for it, with room for every session; without it calls say that they hear by energy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineAgent } from '../../src/agent/define-agent.ts';
import { composeRuntime } from '../../src/cli/compose.ts';
import { loadNeuralVad } from '../../src/cli/ear.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/ops/logs.ts';

const agent = defineAgent({ instructions: 'Answer briefly.' });
const log = createLogger({ level: 'error', format: 'json', write: () => {}, now: () => 0 });

function configured(vad?: string) {
  const flag = (key: string, value: unknown) => ({ name: key, key, value });
  return loadConfig({
    flags: [
      flag('models.provider', 'simulated'),
      flag('capacity.max_sessions', 7),
      ...(vad === undefined ? [] : [flag('listening.vad', vad)]),
    ],
  }).config;
}

/** What the recording of a call says that it heard with. */
function heardWith(config: ReturnType<typeof configured>, neural: Awaited<ReturnType<typeof loadNeuralVad>>): string {
  const runtime = composeRuntime({ config, agent, log, neural });
  let text = '';
  const recording = {
    write: (bytes: Uint8Array) => {
      text += new TextDecoder().decode(bytes);
    },
    close: () => {},
  };
  const call = runtime.open({ transport: 'test', inputRateHz: 16_000, outputRateHz: 16_000, recording });
  call.close('over');
  return /"vad":"([^"]+)"/.exec(text)?.[1] ?? 'nothing';
}

test('neural is the default, has a slot for every session, and gives it back with the call', async () => {
  const config = configured();
  const neural = await loadNeuralVad(config);
  assert.equal(neural?.maxSlots, 7);
  assert.equal(heardWith(config, neural), 'neural');
  assert.equal(neural?.slotsInUse, 0);
});

test('nothing is loaded for the other VADs, and without the net a call hears by energy and says so', async () => {
  for (const vad of ['energy', 'two-threshold']) {
    assert.equal(await loadNeuralVad(configured(vad)), undefined);
    assert.equal(heardWith(configured(vad), undefined), vad);
  }
  assert.equal(heardWith(configured(), undefined), 'energy');
});
