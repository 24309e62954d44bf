// Standard Webhooks: the receiver can check who sent a body, when, and that it is whole. https://www.standardwebhooks.com

const encoder = new TextEncoder();

/** `secrets` as `whsec_<base64>`; several while one is being replaced. */
export async function signatureHeaders(
  id: string,
  wallMs: number,
  body: string,
  secrets: readonly string[],
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(wallMs / 1000));
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp };
  if (secrets.length === 0) return headers;
  const signed = encoder.encode(`${id}.${timestamp}.${body}`);
  const signatures = await Promise.all(secrets.map(async (secret) => `v1,${await hmac(keyOf(secret), signed)}`));
  return { ...headers, 'webhook-signature': signatures.join(' ') };
}

/** Throws for a secret that is none, without repeating it. */
export function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  const base64 = secret.replace(/^whsec_/, '');
  let key: Uint8Array<ArrayBuffer>;
  try {
    key = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    throw new TypeError('The signing secret must be whsec_ and base64');
  }
  if (key.length < 24 || key.length > 64) throw new RangeError('The signing secret must have 24 to 64 bytes');
  return key;
}

async function hmac(key: Uint8Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const signature = await crypto.subtle.sign('HMAC', imported, bytes);
  return btoa(String.fromCharCode(...new Uint8Array(signature)));
}

export async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', encoder.encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
