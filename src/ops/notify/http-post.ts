// One POST to a receiver: guarded, without redirects, with a bounded answer, and judged.
import type { HttpAnswer, HttpPost } from '../../hosts/port.ts';
import { type AddressPolicy, BlockedAddressError, checkAddress, type Resolve } from './address-guard.ts';
import { retryAfterMs } from './backoff.ts';
import type { Outcome } from './delivery.ts';

export interface HttpPort {
  readonly post: (url: string, post: HttpPost) => Promise<HttpAnswer>;
  /** Looks a name up, where the host can. */
  readonly resolve?: Resolve | undefined;
  /** Wall clock in ms since 1970. */
  readonly wallNow: () => number;
}

export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const MAX_ANSWER_BYTES = 65_536;
const USER_AGENT = 'Syrinx';

/** The answer's text is given to `judge` where 2xx alone does not say that it worked. */
export async function post(
  port: HttpPort,
  policy: AddressPolicy,
  request: PostRequest,
  signal: AbortSignal,
  judge: (text: string) => string | undefined = () => undefined,
): Promise<Outcome> {
  let url: URL;
  try {
    url = new URL(request.url);
  } catch {
    return { kind: 'rejected', message: 'the address is no URL' };
  }
  try {
    await checkAddress(url, policy, port.resolve);
  } catch (error) {
    if (error instanceof BlockedAddressError) return { kind: 'rejected', message: `blocked: ${error.message}` };
    throw error;
  }
  const { status, headers, body } = await port.post(url.href, {
    headers: { 'content-type': 'application/json', 'user-agent': USER_AGENT, ...request.headers },
    body: request.body,
    signal,
  });
  const text = await beginning(body);
  if (status >= 200 && status < 300) {
    const wrong = judge(text);
    return wrong === undefined ? { kind: 'delivered', status } : { kind: 'rejected', status, message: wrong };
  }
  const message = `${status} ${text.replace(/\s+/g, ' ').slice(0, 200)}`.trim();
  if (status === 0 || (status >= 300 && status < 400)) {
    return { kind: 'rejected', status, message: `${status}: redirects are not followed` };
  }
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const waitMs = retryAfterMs(headers.get('retry-after'), port.wallNow());
    return { kind: 'retry', status, message, retryAfterMs: waitMs, pause: status === 429 || waitMs !== undefined };
  }
  return { kind: 'rejected', status, message };
}

async function beginning(body: HttpAnswer['body']): Promise<string> {
  if (body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const part of body) {
    bytes += part.byteLength;
    text += decoder.decode(part.subarray(0, MAX_ANSWER_BYTES), { stream: true });
    if (bytes >= MAX_ANSWER_BYTES) break;
  }
  return text;
}
