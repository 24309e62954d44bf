// Who is told in the proof: an SMTP server with STARTTLS and login, an HTTP sink that answers as PagerDuty, Slack and a webhook, and the real Alertmanager.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { freePort } from '../free-port.ts';
import { root, run } from '../steps.ts';

/** What one receiver was given. */
export interface Arrival {
  /** `pagerduty`, `slack`, `webhook`, `email`, or `alertmanager` for what Alertmanager then told. */
  readonly receiver: string;
  /** Wall clock, ms. */
  readonly atMs: number;
  /** Which process it was for. */
  readonly path: string;
  readonly status: 'firing' | 'resolved';
  /** Name of the alert. */
  readonly alert: string;
  readonly body: Record<string, unknown>;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Receivers {
  readonly arrivals: readonly Arrival[];
  readonly httpUrl: string;
  readonly smtpPort: number;
  readonly caFile: string;
  readonly alertmanagerUrl: string;
  readonly login: { readonly user: string; readonly password: string };
  stop(): Promise<void>;
}

const LOGIN = { user: 'alerts', password: 'correct-horse' };

export async function startReceivers(folder: string, alertmanager: string): Promise<Receivers> {
  const arrivals: Arrival[] = [];
  const http = await startSink((arrival) => arrivals.push(arrival));
  const { caFile, keyFile } = await certificate(folder);
  const smtp = await startSmtp(caFile, keyFile, (arrival) => arrivals.push(arrival));
  const am = await startAlertmanager(folder, alertmanager, `${http.url}/am`);
  return {
    arrivals,
    httpUrl: http.url,
    smtpPort: smtp.port,
    caFile,
    alertmanagerUrl: am.url,
    login: LOGIN,
    async stop() {
      am.stop();
      await Promise.all([http.stop(), smtp.stop()]);
    },
  };
}

async function startSink(onArrival: (arrival: Arrival) => void) {
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      const path = request.url ?? '';
      const body = JSON.parse(text) as Record<string, unknown>;
      const { status, alert } = known(path, body);
      const receiver = path.split('/').at(-1) === 'am' ? 'alertmanager' : (path.split('/').at(-1) ?? '');
      onArrival({ receiver, path, atMs: Date.now(), status, alert, body, headers: request.headers });
      response.writeHead(path.endsWith('/pagerduty') ? 202 : 200);
      response.end(path.endsWith('/slack') ? 'ok' : '{}');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => new Promise<void>((done) => server.close(() => done())),
  };
}

/** Status and alert as each kind of body says them. */
function known(path: string, body: Record<string, unknown>): Pick<Arrival, 'status' | 'alert'> {
  if (path.endsWith('/pagerduty')) {
    const { group } = (body['payload'] ?? {}) as { group?: string };
    return {
      status: body['event_action'] === 'trigger' ? 'firing' : 'resolved',
      alert: /alertname="([^"]+)"/.exec(group ?? '')?.[1] ?? '',
    };
  }
  if (path.endsWith('/slack')) return ofTitle(String(body['text']));
  const [first] = body['alerts'] as { labels: Record<string, string> }[];
  return { status: body['status'] as Arrival['status'], alert: first?.labels['alertname'] ?? '' };
}

const ofTitle = (title: string): Pick<Arrival, 'status' | 'alert'> => ({
  status: title.includes('[RESOLVED]') ? 'resolved' : 'firing',
  alert: /\] (\w+)/.exec(title)?.[1] ?? '',
});

async function startSmtp(certFile: string, keyFile: string, onArrival: (arrival: Arrival) => void) {
  const server = new SMTPServer({
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    onAuth({ username, password }, session, done) {
      const right = username === LOGIN.user && password === LOGIN.password && session.secure;
      if (right) done(null, { user: username });
      else done(new Error('wrong login'));
    },
    onData(stream, session, done) {
      let text = '';
      stream.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      stream.on('end', () => {
        const head = text.slice(0, text.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ');
        const headers = Object.fromEntries(
          head
            .split('\r\n')
            .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
        );
        const to = session.envelope.rcptTo[0]?.address ?? '';
        const path = `/${to.split('@')[0]}/email`;
        const title = ofTitle(headers['subject'] ?? '');
        onArrival({
          receiver: 'email',
          path,
          atMs: Date.now(),
          ...title,
          body: { text, secure: session.secure },
          headers,
        });
        done();
      });
    },
  });
  server.on('error', () => {});
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.server.address() as AddressInfo).port,
    stop: () => new Promise<void>((done) => server.close(() => done())),
  };
}

/** A certificate of its own authority for localhost. */
async function certificate(folder: string): Promise<{ caFile: string; keyFile: string }> {
  const [caFile, keyFile] = [join(folder, 'smtp.pem'), join(folder, 'smtp.key')];
  const made = await run([
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...[
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
      '-keyout',
      keyFile,
      '-out',
      caFile,
    ],
  ]);
  if (made.code !== 0) throw new Error(`openssl makes no certificate: ${made.output}`);
  return { caFile, keyFile };
}

async function startAlertmanager(folder: string, program: string, receiver: string) {
  const port = await freePort();
  const file = join(folder, 'alertmanager.yaml');
  writeFileSync(
    file,
    [
      'route:',
      '  receiver: sink',
      '  group_by: [alertname]',
      '  group_wait: 0s',
      '  group_interval: 1s',
      '  repeat_interval: 1h',
      'receivers:',
      '  - name: sink',
      '    webhook_configs:',
      `      - url: ${receiver}`,
      '        send_resolved: true',
    ].join('\n'),
  );
  const flags = [`--config.file=${file}`, `--storage.path=${join(folder, 'am')}`, '--cluster.listen-address='];
  const child: ChildProcess = spawn(program, [...flags, `--web.listen-address=127.0.0.1:${port}`], {
    cwd: root,
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  for (let i = 0; ; i++) {
    const ready = await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) break;
    if (i > 100) throw new Error('Alertmanager does not start');
    await new Promise((done) => setTimeout(done, 100));
  }
  return { url, stop: () => child.kill('SIGKILL') };
}
