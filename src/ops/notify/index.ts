// What others import of the channels.
export { type AddressPolicy, BlockedAddressError, checkAddress, type Resolve } from './address-guard.ts';
export { type Alertmanager, type AlertmanagerOptions, createAlertmanager } from './alertmanager.ts';
export { type ChannelOptions, ChannelQueue } from './channel-queue.ts';
export type { Clock, Deliver, DeliveryRecord, Ending, Outcome } from './delivery.ts';
export { Dispatcher, type DispatcherOptions } from './dispatcher.ts';
export { type EmailOptions, emailChannel, type MailTransport, type SmtpOptions, smtpOptions } from './email.ts';
export type { HttpPort } from './http-post.ts';
export { createNotifyInstruments, type NotifyInstruments } from './instruments.ts';
export { type PagerdutyOptions, pagerdutyChannel } from './pagerduty.ts';
export { SLACK_INTERVAL_MS, type SlackOptions, slackChannel } from './slack.ts';
export { type WebhookOptions, webhookChannel } from './webhook.ts';
