// `syrinx/livekit`: what a program asks of a LiveKit server besides calls. Runs in tools, in servers, anywhere with `fetch`.
export { LiveKitApiError, type LiveKitErrorKind } from './api-error.ts';
export {
  createLiveKitApi,
  type DispatchInfo,
  type LiveKitApi,
  type LiveKitApiOptions,
  type ParticipantSummary,
  type RoomInfo,
  type RoomRequest,
  type SipCallRequest,
  type SipTransferRequest,
} from './api.ts';
export { type Summoned, summonAgent, type SummonOptions } from './dispatch-watch.ts';
export { type AgentRequest, type CallerTokenOptions, callerToken, type Credentials } from './tokens.ts';
export { createWebhookGate, type WebhookGate, type WebhookGateOptions, type WebhookVerdict } from './webhooks.ts';
