// Channel "email": one mail for each notification, those of a group in one thread. The transport is nodemailer's, given from outside.
import { hashText } from '../alerts/labels.ts';
import type { Notice, Notification } from '../alerts/notification.ts';
import type { Deliver, Outcome } from './delivery.ts';
import { cut, escapeHtml, linkOf, oneLine, summaryOf, time, title } from './wording.ts';

/** The part of nodemailer's message that is used. */
export interface MailMessage {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  readonly inReplyTo: string;
  readonly references: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly disableFileAccess: true;
  readonly disableUrlAccess: true;
}
/** What `nodemailer.createTransport(smtpOptions(...))` gives. */
export interface MailTransport {
  sendMail(message: MailMessage): Promise<unknown>;
}

export interface EmailOptions {
  readonly from: string;
  readonly to: readonly string[];
}

export interface SmtpOptions {
  readonly host: string;
  /** Default 587 with STARTTLS, 465 with TLS from the start. */
  readonly port?: number | undefined;
  /** `starttls` refuses to go on without it. Default `starttls`. */
  readonly security?: 'starttls' | 'tls' | 'none' | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Certificate of the server's own authority, PEM; without it the public ones are trusted. */
  readonly ca?: string | undefined;
}

/** Options for nodemailer's `createTransport`: certificates are checked, and no step waits longer than an attempt may. */
export function smtpOptions({ host, port, security = 'starttls', user, password, ca }: SmtpOptions) {
  const tls = security === 'tls';
  return {
    host,
    port: port ?? (tls ? 465 : security === 'starttls' ? 587 : 25),
    secure: tls,
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    ...(ca === undefined ? {} : { tls: { ca } }),
    connectionTimeout: 8000,
    greetingTimeout: 8000,
    socketTimeout: 8000,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

export function mailMessage(notification: Notification, { from, to }: EmailOptions): MailMessage {
  const domain = /@([\w.-]+)/.exec(from)?.[1] ?? 'syrinx.invalid';
  const heading = title(notification);
  const { alerts, truncatedAlerts, id, groupKey, channel } = notification;
  const thread = `<syrinx-${hashText(`${channel}\n${groupKey}`)}@${domain}>`;
  const more = truncatedAlerts === 0 ? '' : `and ${truncatedAlerts} more`;
  return {
    from,
    to,
    subject: cut(oneLine(heading), 200),
    text: [heading, '', ...alerts.map(textOf), more].join('\n'),
    html: `<h2>${escapeHtml(heading)}</h2>${alerts.map(htmlOf).join('')}<p>${more}</p>`,
    messageId: `<syrinx-${id}@${domain}>`,
    inReplyTo: thread,
    references: thread,
    // https://www.rfc-editor.org/rfc/rfc3834#section-5: no out-of-office replies.
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

const stateOf = ({ status, startsAtMs, endsAtMs }: Notice): string =>
  status === 'resolved' ? `resolved ${time(endsAtMs)}` : `firing since ${time(startsAtMs)}`;

function textOf(alert: Notice): string {
  const { labels, annotations, generatorUrl } = alert;
  const lines = Object.entries({ ...labels, ...annotations }).map(([name, value]) => `  ${name}: ${oneLine(value)}`);
  return [oneLine(summaryOf(alert)), `  ${stateOf(alert)}`, ...lines, generatorUrl, ''].join('\n');
}

function htmlOf(alert: Notice): string {
  const { labels, annotations, generatorUrl } = alert;
  const rows = Object.entries({ ...labels, ...annotations }).map(
    ([name, value]) => `<tr><th align="left">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  const link = linkOf(generatorUrl);
  const details = link === undefined ? '' : `<p><a href="${escapeHtml(link)}">details</a></p>`;
  return `<h3>${escapeHtml(summaryOf(alert))}</h3><p>${stateOf(alert)}</p><table>${rows.join('')}</table>${details}`;
}

export function emailChannel(options: EmailOptions, transport: MailTransport): Deliver {
  if (options.to.length === 0) throw new TypeError('Email needs somebody to send to');
  return async (notification) => {
    try {
      await transport.sendMail(mailMessage(notification, options));
      return { kind: 'delivered', status: 250 };
    } catch (error) {
      return failure(error);
    }
  };
}

/** A refused login is worth waiting for: somebody may correct it. A refused message or receiver is not. */
function failure(error: unknown): Outcome {
  const {
    responseCode,
    code,
    message = String(error),
  } = (error ?? {}) as Partial<Record<'responseCode' | 'code' | 'message', unknown>>;
  const status = typeof responseCode === 'number' ? responseCode : undefined;
  const text = oneLine(String(message));
  const final = status !== undefined && status >= 500 && code !== 'EAUTH' && status !== 530 && status !== 535;
  return final ? { kind: 'rejected', status, message: text } : { kind: 'retry', status, message: text };
}
