// `syrinx start --processes N`: the supervisor's own run, from the first process to the last.
import { createRegistry, type Registry, renderPrometheus } from '../../metrics/index.ts';
import { systemClock } from '../../runner/clock.ts';
import { createSocketHooks } from '../../server/sockets.ts';
import type { CommandContext } from '../command.ts';
import { ALERTS_GRACE_MS, lastWrites } from '../ending.ts';
import { EXIT } from '../exit-codes.ts';
import { watchAlertsOfAll } from './alerts.ts';
import { createProcessRoutes } from './routes.ts';
import { createProcessSockets, processOfToken } from './sockets.ts';
import { watchProcesses } from './watch.ts';
import { createSupervisor, NUMBER_VARIABLE, type Supervisor } from './processes.ts';
import { authOf, openPort, SPARE_SOCKETS } from '../door.ts';
import type { Stopped } from '../stopped.ts';
import { UserError } from '../user-error.ts';

/** What a process may need beyond its calls: words of farewell, and the way out. */
const GOODBYE_MS = 15_000;

export async function supervise(context: CommandContext, stopped: Stopped): Promise<number> {
  const { host, config, origins, log, version } = context;
  const { processes: count, maxSessions, drainTimeoutMs, scaleUpAt } = config.capacity;
  /** Opens the doors of the processes to nobody but us. */
  const token = crypto.randomUUID() + crypto.randomUUID();
  const directory = config.telemetry.dataDirectory;
  const supervisor = createSupervisor({
    count,
    // Each on a port of its own that only this machine can reach; what is asked of the one port comes through us.
    start: (number) =>
      host.startAgain(['--processes', '1', '--port', '0', '--host', '127.0.0.1'], {
        [NUMBER_VARIABLE]: String(number),
        SYRINX_SERVER_TOKEN: token,
        // A data directory belongs to one process.
        ...(directory === undefined ? {} : { SYRINX_TELEMETRY_DATA_DIRECTORY: `${directory}/process-${number}` }),
      }),
    clock: systemClock,
    random: Math.random,
    log,
    print: (line) => host.print(line),
  });
  const watch = watchProcesses({ supervisor, token, clock: systemClock, fetch });
  const auth = authOf(config);
  const startedAtMs = Date.now();
  const registry = createRegistry();
  const ownMetrics = countProcesses(supervisor, registry);
  const alerts = watchAlertsOfAll({ host, config, origins, watch, registry, log, clock: systemClock });
  const routes = createProcessRoutes({
    watch,
    auth,
    version,
    startedAtMs,
    now: Date.now,
    isDraining: stopped.signalled,
    scaleUpAt,
    ownMetrics,
    alerts: alerts?.routes,
    status: () => ({
      worker_id: `supervisor-${host.pid}`,
      configuration: { processes: count, max_concurrent_jobs: count * maxSessions, region: config.agent.region },
      runtime_info: { runtime: host.name, runtime_version: host.version, platform: host.platform, pid: host.pid },
    }),
  });
  const sockets = createSocketHooks({
    auth,
    now: Date.now,
    maxSockets: count * (maxSessions + SPARE_SOCKETS),
    admit(url) {
      const resume = url.searchParams.get('resume');
      if (resume !== null && processOfToken(resume) !== null) return null;
      if (stopped.signalled()) return 'The server is stopping';
      return watch.reports().some((report) => report.ready) ? null : 'All sessions are in use';
    },
    accept: createProcessSockets({ pick: watch.pick, urlOf: watch.urlOf, token, clock: systemClock }),
    onError: (error) => log.error('socket failed', { error }),
  });
  const server = await openPort(host, config.healthServer, {
    fetch: (request) => routes.fetch(request),
    sockets: sockets.hooks,
  });
  supervisor.start();
  await alerts?.start();
  host.print(
    `Syrinx ${version} on ${host.name} ${host.version}, ${count} processes${server === undefined ? '' : ` at ${server.url}`}`,
  );

  const ends: Promise<number | null>[] = [stopped.first.then(() => null), supervisor.failed];
  const end = await Promise.race(alerts === null ? ends : [...ends, alerts.failed]).then(
    (code) => ({ code }),
    (error: unknown) => ({ code: EXIT.general, error }),
  );
  void stopped.second.then(() => supervisor.hurry());
  await supervisor.drain(end.code === null ? drainTimeoutMs + GOODBYE_MS : GOODBYE_MS);
  await lastWrites([alerts?.stop(ALERTS_GRACE_MS)], { clock: systemClock, log });
  watch.stop();
  await server?.stop();
  if ('error' in end) throw end.error;
  const { code } = end;
  if (code === null) return EXIT.success;
  // It has said why itself; its code is ours.
  throw new UserError('A process could not start', {
    exitCode: Object.values(EXIT).find((known) => known === code) ?? EXIT.general,
    problems: ['its own message stands above'],
  });
}

function countProcesses(supervisor: Supervisor, registry: Registry): () => string {
  const up = registry.gauge({ name: 'syrinx.process.up', help: '1 while a process serves.', labels: ['process'] });
  const restarts = registry.gauge({
    name: 'syrinx.process.restarts',
    help: 'How often a process was started again since the supervisor began.',
    labels: ['process'],
  });
  return () => {
    for (const { number, state, restarts: again } of supervisor.views()) {
      up.labels({ process: String(number) }).set(Number(state === 'running'));
      restarts.labels({ process: String(number) }).set(again);
    }
    return renderPrometheus(registry);
  };
}
