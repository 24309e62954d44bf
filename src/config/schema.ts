// Every setting of the program, area by area: name, type, range, default and what it is for. All else derives from here.
import * as v from 'valibot';
import { DEFAULT_SESSION_OPTIONS } from '../session/options.ts';
import { address, choice, decimal, flag, groups, integer, secret, text, texts } from './fields.ts';

const { listening, turns, reply, phrases } = DEFAULT_SESSION_OPTIONS;
const HTTP = ['http:', 'https:'] as const;
const DAY_MS = 86_400_000;

const stage = {
  provider: choice('Who serves this stage; without it `models.provider`', ['openai', 'simulated'], undefined),
  baseUrl: address('Where this stage is served; without it `models.base_url`', undefined, HTTP),
  apiKey: secret('Key for this stage; without it `models.api_key`'),
  timeoutMs: integer('Longest silence of this stage; without it `models.timeout_ms`', undefined, 100, 600_000),
};

/** One valibot schema for each area; keys are written in snake_case (or camelCase) in files. */
export const AREAS = {
  agent: v.strictObject({
    name: text('Name in ledgers, logs and metrics, and for dispatch', 'syrinx', 255),
    region: text('Where this process runs; a label for people', undefined, 255),
  }),
  models: v.strictObject({
    provider: choice(
      '`openai` is also whatever speaks its API; `simulated` needs no key',
      ['openai', 'simulated'],
      'openai',
    ),
    baseUrl: address('Where the models are served', 'https://api.openai.com/v1', HTTP),
    apiKey: secret('Key for all stages'),
    timeoutMs: integer('Longest silence of a model before it counts as failed', 10_000, 100, 600_000),
    maxConcurrentRequests: integer(
      'Requests to models at one time, over all calls; more wait. Without it there is no limit',
      undefined,
      1,
      100_000,
    ),
    stt: v.strictObject({
      ...stage,
      model: text('Model that hears', 'whisper-1', 255),
      language: text('Language of the caller (ISO 639-1); without it the model finds out', undefined, 35),
      prompt: text('Words that help the recognizer: names, terms', undefined),
    }),
    llm: v.strictObject({
      ...stage,
      model: text('Model that thinks', 'gpt-4-turbo-preview', 255),
      temperature: decimal('How freely it answers', undefined, 0, 2),
      maxTokens: integer('Longest answer in tokens', undefined, 1, 1_000_000),
    }),
    tts: v.strictObject({
      ...stage,
      model: text('Model that speaks', 'tts-1', 255),
      voice: text('Its voice', 'alloy', 255),
    }),
    realtime: v.strictObject({
      url: address('Where a Realtime API is served', undefined, ['ws:', 'wss:']),
    }),
  }),
  session: v.strictObject({
    idleTimeoutMs: integer('A call in which nobody has said anything for so long is ended', 300_000, 1000, DAY_MS),
    maxTurns: integer('A call is ended after so many turns', 100, 1, 1_000_000),
  }),
  listening: v.strictObject({
    vad: choice(
      'What hears speech: `neural` is a net, `energy` adapts to the noise and needs least, `two-threshold` is plain hysteresis',
      ['neural', 'energy', 'two-threshold'],
      'neural',
    ),
    threshold: decimal('Score from which a frame counts as voiced (not in `two-threshold`)', listening.threshold, 0, 1),
    sensitivity: decimal('How readily a sound is taken for speech; 0.5 is the VAD as it was tuned', 0.5, 0, 1),
    minSpeechMs: integer(
      'Voiced time before speech has started (not in `two-threshold`)',
      listening.minSpeechMs,
      0,
      5000,
    ),
    hangoverMs: integer('Unvoiced time after which speech has stopped', listening.hangoverMs, 20, 5000),
    preRollMs: integer('Audio kept from before the start of speech', listening.preRollMs, 0, 5000),
    maxTurnMs: integer('Longest turn of a caller; it ends there', listening.maxTurnMs, 1000, 600_000),
    startThreshold: decimal('RMS at which speech starts (`two-threshold`)', listening.startThreshold, 0, 1),
    endThreshold: decimal('RMS below which speech ends (`two-threshold`)', listening.endThreshold, 0, 1),
  }),
  turns: v.strictObject({
    endpointingMs: integer("Silence that ends the caller's turn", turns.endpointingMs, 0, 10_000),
    bargeInMs: integer("Speech over the agent's voice that interrupts it", turns.bargeInMs, 0, 10_000),
    early: choice('What may start before the turn has ended', ['off', 'transcript', 'reply'], turns.early),
    resumeFalseInterruption: flag(
      'The agent goes on when an interruption held no words',
      turns.resumeFalseInterruption,
    ),
  }),
  reply: v.strictObject({
    maxToolRounds: integer('Rounds of tools in one turn before the model must answer', reply.maxToolRounds, 0, 100),
    firstPieceChars: integer(
      'Characters after which the first piece may end at a clause',
      reply.firstPieceChars,
      1,
      10_000,
    ),
    maxPieceChars: integer('Longest piece that is spoken at once, in characters', reply.maxPieceChars, 1, 10_000),
    maxMessages: integer('Messages that the model is given besides the instructions', reply.maxMessages, 1, 100_000),
  }),
  phrases: v.strictObject({
    apology: text('Said when a model has failed for good', phrases.apology, 1000),
    wait: text('Said when a model shows no sign of life', phrases.wait, 1000),
    goodbye: text('Said before the call is given up', phrases.goodbye, 1000),
  }),
  livekit: v.strictObject({
    serverUrl: address('LiveKit server; without it no calls come from LiveKit', undefined, ['ws:', 'wss:']),
    apiKey: secret('LiveKit API key'),
    apiSecret: secret('LiveKit API secret'),
    connectionTimeoutMs: integer('Longest wait for a connection', 30_000, 100, 600_000),
    dispatch: choice(
      '`explicit`: the agent comes when it is dispatched by its name; `automatic`: to every room',
      ['explicit', 'automatic'],
      'explicit',
    ),
    jobType: choice(
      'One job for a room, for each participant who publishes, or for each who joins',
      ['room', 'publisher', 'participant'],
      'room',
    ),
    namespace: text('Namespace of the dispatch, where the server has several', undefined, 255),
    deployment: text('Deployment of the agent; without it the production one', undefined, 255),
    targetLoad: decimal("The server's `agents.target_load`: from this load on it offers nothing", 0.7, 0.01, 1),
    e2eeKey: secret('Key that all participants of a room share, for end-to-end encryption'),
  }),
  capacity: v.strictObject({
    maxSessions: integer('Calls at one time in each process; more are refused with 503', 100, 1, 10_000),
    processes: integer('Processes that share the calls, under one supervisor', 1, 1, 64),
    lateFrameShare: decimal('No further call while more of the 20 ms frames are late; 0 does not look', 0.02, 0, 1),
    loopLagMs: decimal('No further call while timers are later than this; 0 does not look', 100, 0, 60_000),
    bufferMb: decimal('No further call while audio buffers hold more than this; 0 does not look', 256, 0, 1_000_000),
    scaleUpAt: decimal('Share of `max_sessions` at which another worker is asked for', 0.75, 0, 1),
    drainTimeoutMs: integer('How long calls may go on after a signal to stop', 30_000, 0, DAY_MS),
  }),
  healthServer: v.strictObject({
    enabled: flag('Whether a port is opened at all', true),
    port: integer('Port of health, metrics, status and sockets; 0 takes a free one', 8080, 0, 65_535),
    host: text('Address to listen on; wider than loopback, all but the probes need `server.token`', '127.0.0.1', 255),
  }),
  server: v.strictObject({
    token: secret('Bearer token for everything but the health probes'),
    openMetrics: flag('`/metrics` needs no token', false),
    allowedOrigins: texts("Origins of web pages that may open a WebSocket, besides the server's own"),
    resumeGraceMs: integer('How long a WebSocket call waits for a client that lost its connection', 30_000, 0, 600_000),
  }),
  telemetry: v.strictObject({
    enabled: flag('Off: nothing is collected', true),
    metricsIntervalMs: integer('How often the process and the machine are measured', 1000, 100, 3_600_000),
    exportIntervalMs: integer('How often metrics are sent to a collector', 60_000, 1000, 3_600_000),
    linkMbps: decimal(
      'Capacity of the network link in Mbit/s; without it its use is not measured',
      undefined,
      0.001,
      1e7,
    ),
    otlp: v.strictObject({
      preset: choice(
        'Who receives metrics over OTLP: `none`, any collector (`custom`), or a service whose ways are known',
        ['none', 'custom', 'grafana-cloud', 'datadog-agent', 'datadog-intake'],
        'none',
      ),
      endpoint: address('Base URL of the receiver; `/v1/metrics` is added', undefined, HTTP),
      headers: secret('Headers of each request, as `name=value,name=value`'),
      protocol: choice(
        'How the body is written; without it what suits the preset',
        ['http/json', 'http/protobuf'],
        undefined,
      ),
      temporality: choice(
        'Totals, or what is new; without it what suits the preset',
        ['cumulative', 'delta'],
        undefined,
      ),
      histograms: choice(
        'Fixed buckets, or exponential ones (quantiles within 1 %)',
        ['explicit', 'exponential'],
        undefined,
      ),
      compression: choice('Whether bodies are packed', ['gzip', 'none'], undefined),
      timeoutMs: integer('Longest time of one delivery, retries included', 10_000, 100, 60_000),
    }),
    dataDirectory: text(
      'Folder of history and alert state, for this process alone; without it both are kept in memory',
      undefined,
      4096,
    ),
    retentionHours: integer('How long detailed history is kept', 24, 1, 8760),
    aggregatedRetentionDays: integer('How long minute-by-minute history is kept', 30, 1, 3650),
    maxSeriesPerInstrument: integer('Label combinations of one metric; more share one series', 2000, 1, 1_000_000),
  }),
  monitoring: v.strictObject({
    realTimeEnabled: flag('Off: the 4 Hz monitor does not run', true),
    alertThresholds: v.strictObject({
      latencyMs: decimal('Alert above this audio processing latency', 150, 0, 3_600_000),
      qualityScore: decimal('Alert below this audio quality (1 to 5)', 3, 1, 5),
      memoryMb: decimal('Alert above this memory of the process', 500, 1, 100_000_000),
      sessionMemoryMb: decimal('Alert above this memory per session', 10, 0, 100_000_000),
      memoryPercent: decimal('Alert above this share of the memory limit', 80, 0, 100),
      cpuPercent: decimal('Alert above this share of all cores', 70, 0, 100),
      errorRate: decimal('Alert above this share of failures (0.05 is 5 %)', 0.05, 0, 1),
    }),
  }),
  alerts: v.strictObject({
    enabled: flag('Off: no rule is watched', true),
    intervalMs: integer('How often rules are judged', 5000, 100, 3_600_000),
    shippedRules: flag("The specification's rules are watched, by `monitoring.alert_thresholds`", true),
    rules: groups('Rules by name, as docs/operations.md describes them; one of a shipped name replaces it'),
    externalUrl: address('Where people reach this server: links in notifications lead there', undefined, HTTP),
    allowPrivate: flag('Channels may use plain http, and addresses of this machine and its network', false),
    email: v.strictObject({
      to: texts('Who is written to'),
      from: text('Sender', undefined, 320),
      host: text('SMTP server', undefined, 255),
      port: integer('Its port; without it 587, with `tls` 465, with `none` 25', undefined, 1, 65_535),
      security: choice(
        '`starttls` and `tls` refuse to go on without it; `none` is plain text',
        ['starttls', 'tls', 'none'],
        'starttls',
      ),
      caFile: text("File with the certificate of the SMTP server's own authority (PEM)", undefined, 4096),
      user: text('Login', undefined, 320),
      password: secret('Password of the login'),
    }),
    webhook: v.strictObject({
      url: secret('Address that is posted to'),
      signingSecret: secret('`whsec_...` of Standard Webhooks; several, separated by blanks, while one is replaced'),
      authorization: secret('Header `Authorization` of each post'),
    }),
    slack: v.strictObject({ url: secret('Incoming webhook of Slack') }),
    pagerduty: v.strictObject({
      routingKey: secret('Integration key of the service, 32 characters'),
      source: text('What reports; without it `agent.name`', undefined, 255),
      url: address('Events API; accounts in the EU: https://events.eu.pagerduty.com/v2/enqueue', undefined, HTTP),
    }),
    alertmanager: v.strictObject({
      url: address('Alertmanager without path', undefined, HTTP),
      authorization: secret('Header `Authorization` of each post'),
    }),
  }),
  logging: v.strictObject({
    level: choice('Least important line that is written', ['debug', 'info', 'warn', 'error'], 'info'),
    format: choice('`json` for machines, `pretty` for people', ['json', 'pretty'], 'json'),
    includePii: flag('Fields with personal data are written too', false),
  }),
} as const;

type Areas = { readonly [K in keyof typeof AREAS]: v.InferOutput<(typeof AREAS)[K]> };
type Inherited = 'provider' | 'baseUrl' | 'timeoutMs';
/** A stage after what it does not say itself was taken from `models`. */
type Stage<S> = Omit<S, Inherited> &
  Pick<Required<Omit<Areas['models'], 'stt' | 'llm' | 'tts' | 'realtime'>>, Inherited>;
type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly E[]
  : T extends { reveal(): string }
    ? T
    : T extends object
      ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
      : T;

/** The whole configuration: validated, complete, frozen. */
export type Config = DeepReadonly<
  Omit<Areas, 'models'> & {
    readonly models: Omit<Areas['models'], 'stt' | 'llm' | 'tts'> & {
      readonly stt: Stage<Areas['models']['stt']>;
      readonly llm: Stage<Areas['models']['llm']>;
      readonly tts: Stage<Areas['models']['tts']>;
    };
  }
>;
