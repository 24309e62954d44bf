// What goes over the wire: the shapes of payloads captured from the real Alertmanager, signatures, escaping, answers of receivers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Notification } from '../../../src/ops/alerts/index.ts';
import {
  createAlertmanager,
  type Deliver,
  emailChannel,
  type HttpPort,
  type MailTransport,
  pagerdutyChannel,
  slackChannel,
  smtpOptions,
  webhookChannel,
} from '../../../src/ops/notify/index.ts';
import type { MailMessage } from '../../../src/ops/notify/email.ts';
import { NOTICE, notification, resolved } from './notices.ts';
import { VirtualClock } from './virtual-clock.ts';

interface Sent {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly text: string;
}
const PUBLIC = ['93.184.216.34'];
const NOW_MS = Date.parse('2026-11-22T11:48:00Z');

function port(answer: () => Response = () => new Response('ok')) {
  const sent: Sent[] = [];
  const http: HttpPort = {
    wallNow: () => NOW_MS,
    resolve: () => Promise.resolve(PUBLIC),
    post: (url, { headers, body }) => {
      sent.push({ url, headers, text: body });
      return Promise.resolve(answer());
    },
  };
  return { http, sent, body: (i = 0) => JSON.parse(sent[i]?.text ?? 'null') };
}
const attempt = (deliver: Deliver, one: Notification = notification()) => deliver(one, new AbortController().signal);

test('CHN-02: the webhook is a superset of what Alertmanager sends', async () => {
  const { http, body, sent } = port();
  const deliver = webhookChannel(
    { url: 'https://hook.example/x', externalUrl: 'http://alertmanager.example:9093' },
    http,
  );
  assert.deepEqual(await attempt(deliver), { kind: 'delivered', status: 200 });
  await attempt(deliver, resolved());
  const golden = {
    receiver: 'all',
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        labels: { alertname: 'TurnLatencyHigh', severity: 'critical' },
        annotations: { summary: 'P95 turn latency 342ms' },
        startsAt: '2026-11-22T11:47:47.731Z',
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: 'http://prometheus.example:9090/graph?g0.expr=x',
        fingerprint: '7de688aef981ab61',
      },
    ],
    notification_reason: 'first notification',
    groupLabels: { alertname: 'TurnLatencyHigh' },
    commonLabels: { alertname: 'TurnLatencyHigh', severity: 'critical' },
    commonAnnotations: { summary: 'P95 turn latency 342ms' },
    externalURL: 'http://alertmanager.example:9093',
    version: '4',
    groupKey: '{}:{alertname="TurnLatencyHigh"}',
    truncatedAlerts: 0,
  };
  const { id, timestamp, routeLabels, alerts, ...rest } = body();
  assert.deepEqual({ ...rest, alerts: alerts.map(({ value: _, ...alert }: Record<string, unknown>) => alert) }, golden);
  assert.deepEqual([id, timestamp, routeLabels], ['0123456789abcdef-1', '2026-11-22T11:47:48.000Z', {}]);
  const over = body(1);
  assert.deepEqual(
    [over.status, over.alerts[0].status, over.alerts[0].endsAt, over.notification_reason, over.groupKey],
    ['resolved', 'resolved', '2026-11-22T11:50:00.000Z', 'all alerts resolved', golden.groupKey],
  );
  assert.equal(sent[0]?.headers['content-type'], 'application/json');
  assert.equal(sent[0]?.headers['webhook-signature'], undefined);
});

test('the signature is that of Standard Webhooks, one for each secret', async () => {
  // The example of the specification of Standard Webhooks' reference implementations.
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const other = `whsec_${btoa('another secret of 27 bytes.')}`;
  const { http, sent } = port();
  await attempt(webhookChannel({ url: 'https://hook.example/', secrets: [secret, other] }, http));
  const { headers = {}, text = '' } = sent[0] ?? {};
  const [id, timestamp] = [headers['webhook-id'], headers['webhook-timestamp']];
  assert.deepEqual([id, timestamp], ['0123456789abcdef-1', String(NOW_MS / 1000)]);
  const signatures = (headers['webhook-signature'] ?? '').split(' ');
  assert.equal(signatures.length, 2);
  for (const [i, one] of [secret, other].entries()) {
    const raw = Uint8Array.from(atob(one.slice(6)), (char) => char.charCodeAt(0));
    const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
    const signature = Uint8Array.from(atob(signatures[i]?.replace(/^v1,/, '') ?? ''), (char) => char.charCodeAt(0));
    const signed = new TextEncoder().encode(`${id}.${timestamp}.${text}`);
    assert.equal(await crypto.subtle.verify('HMAC', key, signature, signed), true);
  }
  for (const bad of ['whsec_', 'whsec_short', 'not base64!', 'whsec_%%%']) {
    assert.throws(() => webhookChannel({ url: 'https://hook.example/', secrets: [bad] }, http), /signing secret/);
  }
});

test('CHN-03: PagerDuty is triggered and resolved under one key', async () => {
  const { http, sent, body } = port(() => new Response('{"status":"success"}', { status: 202 }));
  const routingKey = 'R0123456789abcdef0123456789abcde';
  const deliver = pagerdutyChannel({ routingKey, source: 'syrinx-eu', clientUrl: 'https://ops.example' }, http);
  assert.deepEqual(await attempt(deliver), { kind: 'delivered', status: 202 });
  await attempt(deliver, resolved());
  assert.equal(sent[0]?.url, 'https://events.pagerduty.com/v2/enqueue');
  const [firing, over] = [body(0), body(1)];
  assert.deepEqual(
    [firing.event_action, over.event_action, firing.routing_key, firing.client, firing.client_url],
    ['trigger', 'resolve', routingKey, 'Syrinx', 'https://ops.example'],
  );
  assert.match(firing.dedup_key, /^[0-9a-f]{64}$/);
  assert.equal(over.dedup_key, firing.dedup_key);
  assert.deepEqual(
    [firing.payload.summary, firing.payload.source, firing.payload.severity],
    ['[FIRING:1] TurnLatencyHigh (critical): P95 turn latency 342ms', 'syrinx-eu', 'critical'],
  );
  assert.match(over.payload.summary, /^\[RESOLVED\] TurnLatencyHigh \(critical\)/);
  const details = firing.payload.custom_details;
  assert.deepEqual([details.num_firing, details.num_resolved, details.resolved], [1, 0, []]);
  assert.deepEqual(Object.keys(details.firing[0]).sort(), [
    'annotations',
    'endsAt',
    'fingerprint',
    'generatorURL',
    'labels',
    'startsAt',
    'status',
  ]);
  const other = port();
  await attempt(pagerdutyChannel({ routingKey, source: 'syrinx-us' }, other.http));
  assert.notEqual(other.body().dedup_key, firing.dedup_key);
  assert.throws(() => pagerdutyChannel({ routingKey: 'short', source: 'x' }, http), /32 characters/);
});

test('PagerDuty gets no more than 512,000 bytes and 1,024 characters', async () => {
  const { http, sent, body } = port(() => new Response('', { status: 202 }));
  const big = { ...NOTICE, annotations: { summary: '\u{1f525}'.repeat(9000) } };
  const deliver = pagerdutyChannel({ routingKey: 'a'.repeat(32), source: 's' }, http);
  await attempt(deliver, notification({ alerts: Array.from({ length: 100 }, () => big) }));
  await attempt(deliver, notification({ alerts: [big] }));
  assert.ok(new TextEncoder().encode(sent[0]?.text).length <= 512_000);
  assert.equal(body(0).payload.custom_details.num_firing, 100);
  assert.equal([...body(1).payload.summary].length, 1024);
});

test('CHN-04: Slack gets blocks within its limits, and a text; nothing in them is markup', async () => {
  const { http, body } = port();
  const deliver = slackChannel({ url: 'https://hooks.slack.example/services/T/B/secret' }, http);
  const evil = {
    ...NOTICE,
    labels: { ...NOTICE.labels, agent: '<!channel> & <http://x|y>' },
    annotations: { summary: '<@U1>' },
  };
  assert.deepEqual(await attempt(deliver, notification({ alerts: [evil] })), { kind: 'delivered', status: 200 });
  const { text, blocks, attachments } = body();
  assert.match(text, /^\[FIRING:1\] TurnLatencyHigh \(critical &lt;!channel&gt; &amp; /);
  assert.deepEqual(
    blocks.map(({ type }: { type: string }) => type),
    ['header', 'section', 'context'],
  );
  assert.equal(blocks[0].text.type, 'plain_text');
  const markup = JSON.stringify(blocks.slice(1)).replaceAll(
    '<http://prometheus.example:9090/graph?g0.expr=x|details>',
    '',
  );
  assert.doesNotMatch(markup, /[<>]/);
  assert.equal(attachments[0].color, '#a30200');
  await attempt(
    deliver,
    notification({
      alerts: Array.from({ length: 100 }, () => ({ ...NOTICE, annotations: { summary: 'x'.repeat(5000) } })),
    }),
  );
  const many = body(1);
  assert.ok(many.blocks.length <= 50);
  for (const block of many.blocks) assert.ok((block.text?.text.length ?? 0) <= 3000);
  assert.match(JSON.stringify(many.blocks.at(-1)), /and 60 more/);
  await attempt(deliver, resolved());
  assert.equal(body(2).attachments[0].color, '#2eb886');
});

test('answers of receivers: delivered, worth another attempt, or final', async () => {
  const of = async (status: number, text = '', headers: Record<string, string> = {}) => {
    const { http } = port(() => new Response([204, 304].includes(status) ? null : text, { status, headers }));
    const { kind, ...rest } = await attempt(webhookChannel({ url: 'https://hook.example/' }, http));
    return [kind, 'retryAfterMs' in rest ? (rest.retryAfterMs ?? null) : null];
  };
  for (const status of [200, 202, 204]) assert.deepEqual(await of(status), ['delivered', null], String(status));
  for (const status of [408, 425, 429, 500, 503]) assert.deepEqual(await of(status), ['retry', null], String(status));
  for (const status of [302, 304, 400, 401, 404, 410])
    assert.deepEqual(await of(status), ['rejected', null], String(status));
  assert.deepEqual(await of(429, '', { 'retry-after': '30' }), ['retry', 30_000]);
  const { http } = port(() => new Response('invalid_token'));
  assert.equal((await attempt(slackChannel({ url: 'https://hooks.slack.example/' }, http))).kind, 'rejected');
});

test('an answer without end is read no further than it must be', async () => {
  let pulled = 0;
  const endless = () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          pulled++;
          controller.enqueue(new Uint8Array(16_384).fill(120));
        },
      }),
      { status: 500 },
    );
  const outcome = await attempt(webhookChannel({ url: 'https://hook.example/' }, port(endless).http));
  assert.equal(outcome.kind, 'retry');
  assert.ok(pulled < 12, `${pulled} pieces were read`);
  assert.ok('message' in outcome && outcome.message.length < 300);
});

test('Alertmanager is told what stands again and again, with an end in case this process dies', async () => {
  const { http, sent, body } = port();
  const manager = createAlertmanager({ url: 'https://am.example:9093/' }, http);
  await attempt(manager.deliver, resolved());
  assert.equal(sent[0]?.url, 'https://am.example:9093/api/v2/alerts');
  assert.equal(body()[0].endsAt, '2026-11-22T11:50:00.000Z');
  const clock = new VirtualClock();
  const outcomes: string[] = [];
  let standing = [NOTICE];
  const stop = manager.refresh(
    clock,
    () => standing,
    ({ kind }) => outcomes.push(kind),
  );
  await clock.advance(1000);
  assert.equal(sent.length, 2);
  await clock.advance(59_000);
  assert.equal(sent.length, 2);
  await clock.advance(2000);
  assert.equal(sent.length, 3);
  assert.deepEqual(body(1)[0], {
    labels: NOTICE.labels,
    annotations: NOTICE.annotations,
    startsAt: '2026-11-22T11:47:47.731Z',
    endsAt: new Date(NOW_MS + 240_000).toISOString(),
    generatorURL: NOTICE.generatorUrl,
  });
  standing = [];
  await clock.advance(120_000);
  assert.deepEqual([sent.length, outcomes], [3, ['delivered', 'delivered']]);
  stop();
  assert.equal(clock.pending, 0);
});

test('to Alertmanager an end goes behind the refresh that is under way, and no refresh behind the end tells what stood before', async () => {
  const { http, sent, body } = port();
  let answer = (): void => {};
  const slow: HttpPort = {
    ...http,
    async post(url, request) {
      const response = await http.post(url, request);
      await new Promise<void>((done) => {
        answer = done;
      });
      return response;
    },
  };
  const manager = createAlertmanager({ url: 'https://am.example:9093/' }, slow);
  const clock = new VirtualClock();
  let standing = [NOTICE];
  const stop = manager.refresh(clock, () => standing);
  await clock.advance(1000);
  assert.equal(sent.length, 1);
  standing = [];
  const end = attempt(manager.deliver, resolved());
  await clock.advance(1);
  assert.equal(sent.length, 1, 'both are under way');
  answer();
  await clock.advance(1);
  assert.equal(body(1)[0].endsAt, '2026-11-22T11:50:00.000Z');
  await clock.advance(120_000);
  answer();
  assert.deepEqual(await end, { kind: 'delivered', status: 200 });
  await clock.advance(120_000);
  assert.equal(sent.length, 2);
  stop();
});

test('a request to Alertmanager that never ends is given up, and the next one goes', async () => {
  const { http, sent } = port();
  const deaf: HttpPort = {
    ...http,
    async post(url, request) {
      const response = await http.post(url, request);
      return sent.length > 1 ? response : new Promise<Response>(() => {});
    },
  };
  const manager = createAlertmanager({ url: 'https://am.example:9093/' }, deaf);
  const clock = new VirtualClock();
  const stop = manager.refresh(clock, () => [NOTICE]);
  await clock.advance(1000);
  const end = attempt(manager.deliver, resolved());
  await clock.advance(14_999);
  assert.equal(sent.length, 1);
  await clock.advance(1);
  assert.deepEqual(await end, { kind: 'delivered', status: 200 });
  await clock.advance(60_000);
  assert.equal(sent.length, 3, 'and what stands is sent again');
  stop();
});

test('CHN-01: mails of a group make one thread, and nothing in them is a header or HTML', async () => {
  const mails: MailMessage[] = [];
  const transport: MailTransport = { sendMail: (mail) => Promise.resolve(mails.push(mail)) };
  const deliver = emailChannel({ from: 'Syrinx <alerts@voice.example>', to: ['oncall@voice.example'] }, transport);
  assert.deepEqual(await attempt(deliver), { kind: 'delivered', status: 250 });
  await attempt(deliver, resolved());
  const [first, second] = mails;
  assert.equal(first?.subject, '[FIRING:1] TurnLatencyHigh (critical)');
  assert.equal(second?.subject, '[RESOLVED] TurnLatencyHigh (critical)');
  assert.equal(first?.references, second?.references);
  assert.match(first?.messageId ?? '', /^<syrinx-0123456789abcdef-1@voice\.example>$/);
  assert.notEqual(first?.messageId, second?.messageId);
  assert.equal(first?.headers['Auto-Submitted'], 'auto-generated');
  assert.match(first?.text ?? '', /P95 turn latency 342ms[^]*firing since 2026-11-22T11:47:47\.731Z/);
  const evil = '<img src=x onerror=alert(1)>\r\nBcc: all@voice.example';
  await attempt(
    deliver,
    notification({
      groupLabels: { alertname: evil },
      alerts: [{ ...NOTICE, labels: { alertname: evil }, annotations: { summary: evil } }],
    }),
  );
  assert.doesNotMatch(mails[2]?.subject ?? '', /[\r\n]/);
  assert.doesNotMatch(mails[2]?.html ?? '', /<img/);
  assert.doesNotMatch(mails[2]?.text ?? '', /^Bcc:/m);
});

test('mail servers: what is worth another attempt', async () => {
  const of = async (error: object) => {
    const transport: MailTransport = { sendMail: () => Promise.reject(Object.assign(new Error('x'), error)) };
    return (await attempt(emailChannel({ from: 'a@b.example', to: ['c@d.example'] }, transport))).kind;
  };
  assert.equal(await of({ code: 'ECONNECTION' }), 'retry');
  assert.equal(await of({ responseCode: 451 }), 'retry');
  assert.equal(await of({ responseCode: 535, code: 'EAUTH' }), 'retry');
  assert.equal(await of({ responseCode: 550, code: 'EENVELOPE' }), 'rejected');
  const { requireTLS, secure, port: number } = smtpOptions({ host: 'mail.example' });
  assert.deepEqual([requireTLS, secure, number], [true, false, 587]);
  assert.deepEqual(smtpOptions({ host: 'h', security: 'tls', user: 'u', password: 'p' }).auth, {
    user: 'u',
    pass: 'p',
  });
});
