// Alerts over HTTP: what fires, the rules, silences, acknowledgements, tests, simulations and the delivery log.
import type { Context, Hono } from 'hono';
import type { AlertView, Matcher, RuleView, Silence } from '../../ops/alerts/index.ts';
import type { DeliveryRecord } from '../../ops/notify/index.ts';
import { failure } from '../answers.ts';
import type { RouteExtension } from '../options.ts';

export interface AlertsApi {
  alerts(): readonly AlertView[];
  rules(): readonly RuleView[];
  silences(): readonly Silence[];
  deliveries(): readonly DeliveryRecord[];
  /** Whether a restart would know all this. */
  persistent(): boolean;
  channels(): readonly string[];
  /** Returns the id; throws a `RangeError` or a `SyntaxError` for what cannot be silenced so. */
  silence(silence: Omit<Silence, 'id'>): string;
  endSilence(id: string): boolean;
  acknowledge(fingerprint: string, by: string): boolean;
  /** Sends a notification that says it is a test to each channel of the rule; undefined: no such rule. */
  test(rule: string): readonly { readonly id: string; readonly channel: string }[] | undefined;
  /** What a rule would do with some values; throws an error with `problems` for a rule that is refused. */
  simulate(request: unknown): Promise<object>;
}

export interface AlertRoutesOptions {
  /** Epoch time, ms. */
  now(): number;
  /** Undefined while the program starts. */
  api(): AlertsApi | undefined;
}

const READ = 'GET, HEAD, OPTIONS';
const CHANGE = 'POST, OPTIONS';
const ROUTES = {
  '/api/alerts': READ,
  '/api/alerts/rules': READ,
  '/api/alerts/deliveries': READ,
  '/api/alerts/silences': 'GET, HEAD, POST, OPTIONS',
  '/api/alerts/silences/:id': 'DELETE, OPTIONS',
  '/api/alerts/simulate': CHANGE,
  '/api/alerts/rules/:name/test': CHANGE,
  '/api/alerts/:fingerprint/acknowledge': CHANGE,
};
const MAX_SILENCE_MS = 366 * 86_400_000;
const MAX_TEXT_CHARS = 1000;

/** The routes, for an app that has its door before them. */
export function alertRoutes(options: AlertRoutesOptions): RouteExtension {
  return { routes: ROUTES, add: (app) => add(app, options) };
}

function add(app: Hono, options: AlertRoutesOptions): void {
  const refuse = (status: number, error: string, message: string, more: Record<string, unknown> = {}) =>
    failure(options, status, error, message, more);
  type Answer = Response | Promise<Response>;
  const withApi = (work: (api: AlertsApi, c: Context) => Answer) => (c: Context) => {
    const api = options.api();
    return api === undefined ? refuse(503, 'starting', 'Alerts are not watched yet') : work(api, c);
  };
  const withBody = (work: (api: AlertsApi, body: Record<string, unknown>, c: Context) => Answer) =>
    withApi(async (api, c) => {
      const text = await c.req.text();
      const body = text.trim() === '' ? {} : parsed(text);
      return isRecord(body) ? work(api, body, c) : refuse(400, 'invalid_body', 'Send a JSON object');
    });

  app.get(
    '/api/alerts',
    withApi((api, c) => {
      const alerts = api.alerts().map(alertBody);
      return c.json({ alerts, total: alerts.length, persistent: api.persistent(), channels: api.channels() });
    }),
  );
  app.get(
    '/api/alerts/rules',
    withApi((api, c) => c.json({ rules: api.rules().map(ruleBody) })),
  );
  app.get(
    '/api/alerts/deliveries',
    withApi((api, c) => c.json({ deliveries: api.deliveries() })),
  );
  app.get(
    '/api/alerts/silences',
    withApi((api, c) => c.json({ silences: api.silences().map(silenceBody) })),
  );
  app.post(
    '/api/alerts/silences',
    withBody((api, body, c) => {
      const silence = readSilence(body, options.now());
      if (typeof silence === 'string') return refuse(400, 'invalid_silence', silence);
      try {
        return c.json({ id: api.silence(silence) }, 201);
      } catch (error) {
        if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
        return refuse(400, 'invalid_silence', error.message);
      }
    }),
  );
  app.delete(
    '/api/alerts/silences/:id',
    withApi((api, c) => {
      const id = c.req.param('id') ?? '';
      return api.endSilence(id) ? c.json({ id }) : refuse(404, 'silence_not_found', 'No silence has this id');
    }),
  );
  app.post(
    '/api/alerts/rules/:name/test',
    withApi((api, c) => {
      const name = c.req.param('name') ?? '';
      const sent = api.test(name);
      if (sent === undefined) {
        return refuse(404, 'rule_not_found', 'No rule has this name', { rules: api.rules().map((rule) => rule.name) });
      }
      return c.json({ rule: name, notifications: sent }, 202);
    }),
  );
  app.post(
    '/api/alerts/:fingerprint/acknowledge',
    withBody((api, body, c) => {
      const by = textIn(body, 'by') ?? 'api';
      const fingerprint = c.req.param('fingerprint') ?? '';
      if (!api.acknowledge(fingerprint, by)) {
        return refuse(404, 'alert_not_found', 'No firing alert has this fingerprint');
      }
      return c.json({ fingerprint, acknowledged_by: by });
    }),
  );
  app.post(
    '/api/alerts/simulate',
    withBody(async (api, body, c) => {
      try {
        return c.json(await api.simulate(body));
      } catch (error) {
        const problems = error instanceof Error && 'problems' in error ? error.problems : undefined;
        if (problems === undefined) throw error;
        return refuse(400, 'invalid_rule', 'The rule or its values are refused', { problems });
      }
    }),
  );
}

export function alertBody(alert: AlertView) {
  const { startsAtMs, value, acknowledgedBy, ...rest } = alert;
  return {
    ...rest,
    // JSON knows no other numbers.
    value: Number.isFinite(value) ? value : String(value),
    starts_at: new Date(startsAtMs).toISOString(),
    acknowledged_by: acknowledgedBy,
  };
}

export function ruleBody({ forMs, ...rule }: RuleView) {
  return { ...rule, duration_seconds: forMs / 1000 };
}

function silenceBody({ startsAtMs, endsAtMs, createdBy, matchers, ...silence }: Silence) {
  return {
    ...silence,
    matchers: matchers.map(({ name, op, value }) => `${name}${op}${JSON.stringify(value)}`),
    starts_at: new Date(startsAtMs).toISOString(),
    ends_at: new Date(endsAtMs).toISOString(),
    created_by: createdBy,
  };
}

/** A text says what is wrong. */
function readSilence(body: Record<string, unknown>, nowMs: number): Omit<Silence, 'id'> | string {
  const { matchers } = body;
  const texts = Array.isArray(matchers) ? matchers : [];
  if (texts.length === 0 || texts.length > 20) return 'Give 1 to 20 "matchers" such as "alertname=high_latency"';
  const read: Matcher[] = [];
  for (const text of texts) {
    const matcher = typeof text === 'string' ? readMatcher(text) : undefined;
    if (matcher === undefined) return 'A matcher is LABEL=VALUE, LABEL!=VALUE, LABEL=~EXPRESSION or LABEL!~EXPRESSION';
    read.push(matcher);
  }
  const startsAtMs = body['starts_at'] === undefined ? nowMs : Date.parse(String(body['starts_at']));
  const seconds = body['duration_seconds'];
  const endsAtMs =
    body['ends_at'] === undefined
      ? startsAtMs + Number(seconds ?? Number.NaN) * 1000
      : Date.parse(String(body['ends_at']));
  if (!Number.isFinite(startsAtMs) || !Number.isFinite(endsAtMs)) {
    return 'Give "duration_seconds" or "ends_at" (and "starts_at", if not now)';
  }
  if (endsAtMs <= nowMs || endsAtMs - startsAtMs > MAX_SILENCE_MS) return 'A silence ends in the future, within a year';
  const comment = textIn(body, 'comment') ?? '';
  return { matchers: read, startsAtMs, endsAtMs, createdBy: textIn(body, 'created_by') ?? 'api', comment };
}

/** `name=value`, with or without quotes around the value. */
export function readMatcher(text: string): Matcher | undefined {
  const [, name, op, given = ''] = /^\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*(.*?)\s*$/s.exec(text) ?? [];
  if (name === undefined || op === undefined || text.length > MAX_TEXT_CHARS) return undefined;
  const quoted = /^"(?:[^"\\]|\\.)*"$/s.test(given) ? parsed(given) : given;
  return typeof quoted === 'string' ? { name, op: op as Matcher['op'], value: quoted } : undefined;
}

function textIn(body: Record<string, unknown>, key: string): string | undefined {
  const value = body[key];
  return typeof value === 'string' && value.trim() !== '' ? value.slice(0, MAX_TEXT_CHARS) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
