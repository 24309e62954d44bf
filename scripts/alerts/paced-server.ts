// A server of calls whose alerts live faster than its calls: five minutes of a rule pass in half a minute, the audio keeps its pace.
// `bun scripts/alerts/paced-server.ts CONFIG PACE`; prints its address.
import { defineAgent, setAlertRule } from '../../src/index.ts';
import { prepareAlerts } from '../../src/cli/alerts/alerts.ts';
import { composeRuntime } from '../../src/cli/compose.ts';
import { serveCalls } from '../../src/cli/serve.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createBunHost } from '../../src/hosts/bun.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { HIGH_LATENCY } from './specification-rules.ts';

const [file = '', pace = '1'] = process.argv.slice(2);
const speed = Number(pace);
const host = createBunHost();
const text = new TextDecoder().decode(await host.files.read(file));
const { config, origins } = loadConfig({ file: { path: file, text }, environment: host.env });
const log = createLogger({ level: 'info', format: 'json', write: (line) => host.printError(line), now: Date.now });
setAlertRule(...HIGH_LATENCY);
const agent = defineAgent({ instructions: 'Answer briefly.' });
const runtime = composeRuntime({ config, agent, log });
const alerts = prepareAlerts({
  host,
  config,
  origins,
  registry: runtime.registry,
  agentName: runtime.agentName,
  log,
  clock: {
    now: () => systemClock.now() * speed,
    setTimer: (run, delayMs) => systemClock.setTimer(run, delayMs / speed),
  },
});
const extensions = alerts === null ? [] : [alerts.routes];
const service = await serveCalls({ host, config, runtime, log, version: '0', record: undefined, extensions });
await alerts?.start();
host.print(`serves at ${service.server?.url}`);
