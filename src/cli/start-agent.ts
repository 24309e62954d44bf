// One process that serves an agent: wires it together, and takes it apart when it is told to stop.
import type { Agent } from '../agent/define-agent.ts';
import { defineAgent } from '../agent/define-agent.ts';
import type { Config } from '../config/schema.ts';
import { demoAgent } from '../models/simulated/index.ts';
import type { Files } from '../hosts/port.ts';
import { createLogger } from '../ops/logs.ts';
import { systemClock } from '../runner/clock.ts';
import { heldAudioBytes } from '../session/sample-tape.ts';
import { createAdmission } from './admission/admission.ts';
import { prepareAlerts } from './alerts/alerts.ts';
import { startHistory } from './operations/history.ts';
import { startMonitor } from './operations/monitor.ts';
import type { CommandContext } from './command.ts';
import { composeRuntime } from './compose.ts';
import { withDataDirectory } from './data-directory.ts';
import { loadNeuralVad } from './ear.ts';
import { ALERTS_GRACE_MS, lastWrites } from './ending.ts';
import { EXIT } from './exit-codes.ts';
import type { LiveKitOptions } from './livekit/livekit.ts';
import { loadAgents } from './load-agent.ts';
import { NUMBER_VARIABLE, readyLine } from './processes/processes.ts';
import { serveCalls } from './serve.ts';
import type { Stopped } from './stopped.ts';
import { startTelemetry } from './telemetry/telemetry.ts';
import { systemProblem, UserError } from './user-error.ts';

export async function startAgent(context: CommandContext, stopped: Stopped): Promise<number> {
  const { host, args, version } = context;
  const demo = args.boolean('demo') === true;
  const config = demo ? simulated(context.config) : context.config;
  const number = host.env[NUMBER_VARIABLE];
  // What is typed wins over what stands in the file.
  const typed = args.string('agent-name');
  const named = (one: Agent): Agent => (typed === undefined ? one : { ...one, name: typed });
  const log = number === undefined ? context.log : context.log.child({ process: Number(number) });
  const file = args.positionals[0];
  const [first, ...others] =
    demo && file === undefined ? ([defineAgent(demoAgent)] as const) : await loadAgents(host, file);
  const agent = named(first);
  const quiet = demo
    ? createLogger({ level: 'warn', format: 'pretty', write: (line) => host.printError(line), now: Date.now })
    : log;
  const composed = composeRuntime({ config, agent, log: quiet, neural: await loadNeuralVad(config) });
  const ledger = args.string('ledger');
  const runtime =
    ledger === undefined
      ? composed
      : await (await import('./telemetry/ledger-files.ts')).withLedgerFiles(composed, host.files, ledger, quiet);
  const folder = args.string('record');
  if (folder !== undefined) await checkRecordings(host.files, folder);
  const record = folder === undefined ? undefined : (id: string) => host.files.open(`${folder}/${id}.rec`);
  const admission = createAdmission({ config, runtime, clock: systemClock, bufferBytes: heldAudioBytes });
  const data = withDataDirectory(host, config.telemetry.dataDirectory);
  const alerts = prepareAlerts({
    host: data,
    config,
    origins: context.origins,
    registry: runtime.registry,
    agentName: runtime.agentName,
    log: quiet,
    clock: systemClock,
    processNumber: number,
  });
  const telemetry = await startTelemetry({
    host,
    config,
    registry: runtime.registry,
    agentName: runtime.agentName,
    log: quiet,
    version,
    queues: { admission: () => admission.held, notifications: () => alerts?.waiting() ?? null },
  });
  // The demonstration needs nothing from outside.
  const livekit = demo
    ? null
    : await liveKitOf({
        host,
        config,
        runtime,
        agents: [runtime.agent, ...others],
        admission,
        log,
        version,
        record,
      });
  let alertsStand = (): void => {};
  const ready = new Promise<void>((resolve) => {
    alertsStand = resolve;
  });
  const history = startHistory({
    host: data,
    config,
    registry: runtime.registry,
    log: quiet,
    clock: systemClock,
    ready,
    origin: runtime.agentName,
  });
  const monitor = startMonitor({ config, runtime, log: quiet, clock: systemClock });
  const extensions = [alerts, history, monitor].flatMap((part) => (part === null ? [] : [part.routes]));
  const service = await serveCalls({
    host,
    config,
    runtime,
    admission,
    livekit,
    log: quiet,
    version,
    record,
    extensions,
  });
  // All instruments are declared by now: rules may name them.
  await alerts?.start();
  // Where the data directory belongs to another process, the alerts have refused it by now: once, and for all.
  alertsStand();
  void runtime.warm();
  livekit?.view.start();
  if (service.server === undefined) log.warn('no port is opened: health_server.enabled is false');
  if (number !== undefined) host.print(readyLine(service.server?.url));
  else if (service.server !== undefined)
    host.print(
      `Syrinx ${version} on ${host.name} ${host.version} serves "${runtime.agentName}" at ${service.server.url}`,
    );
  if (demo && service.server !== undefined) {
    const { holdDemoCall } = await import('./demo.ts');
    host.print('A recorded caller calls through its WebSocket (/call); the models are simulated.\n');
    await Promise.race([stopped.first, holdDemoCall(host, service.server.url, config.server.token?.reveal())]);
    if (!stopped.signalled())
      host.print(`\nThe server stays up: ${service.server.url}health, /metrics, /status. Ctrl-C stops it.`);
  }
  const refused = await Promise.race([stopped.first, livekit?.view.refused ?? stopped.first]);
  const limitMs = refused === undefined ? config.capacity.drainTimeoutMs : 0;
  void stopped.second.then(() => livekit?.view.drain(0));
  await service.drain(limitMs, stopped.second, livekit?.view.drain(limitMs));
  monitor?.stop();
  await Promise.all([
    telemetry.stop(),
    lastWrites([alerts?.stop(ALERTS_GRACE_MS), history?.stop()], { clock: systemClock, log: quiet }),
  ]);
  if (refused === undefined) return EXIT.success;
  throw new UserError('LiveKit server refuses the API key or secret', {
    exitCode: EXIT.auth,
    problems: [`${config.livekit.serverUrl}: ${refused}`, 'check LIVEKIT_API_KEY and LIVEKIT_API_SECRET'],
  });
}

async function liveKitOf(options: LiveKitOptions) {
  const { createLiveKit, liveKitCredentialsOf } = await import('./livekit/livekit.ts');
  const credentials = liveKitCredentialsOf(options.config);
  const view = credentials === null ? null : await createLiveKit(options);
  if (credentials === null || view === null) return null;
  const { liveKitRoutes } = await import('./livekit/routes.ts');
  const { config, runtime, log } = options;
  const agentName = config.livekit.dispatch === 'automatic' ? undefined : runtime.agentName;
  return { view, routes: liveKitRoutes({ credentials, agentName, registry: runtime.registry, log }) };
}

async function checkRecordings(files: Files, folder: string): Promise<void> {
  if (!(await files.exists(folder))) {
    throw new UserError('Cannot record', {
      exitCode: EXIT.config,
      problems: [`--record: the folder ${folder} does not exist; make it first`],
    });
  }
  const probe = `${folder}/${crypto.randomUUID()}.rec`;
  await files.checkWritable(probe).catch(systemProblem('Cannot record', `--record: ${folder}`));
}

function simulated(config: Config): Config {
  const { models } = config;
  const stage = <S extends object>(s: S) => ({ ...s, provider: 'simulated' as const });
  return { ...config, models: { ...models, stt: stage(models.stt), llm: stage(models.llm), tts: stage(models.tts) } };
}
