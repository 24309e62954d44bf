// Keeps notifications from being sent where an attacker would like to reach: the machine itself, its network, its cloud's metadata.

export interface AddressPolicy {
  /** Plain http, and addresses of this machine and its network. Default false. */
  readonly allowPrivate?: boolean | undefined;
}

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** Thrown for an address that nothing may be sent to. */
export class BlockedAddressError extends Error {
  override readonly name = 'BlockedAddressError';
}

const PRIVATE_NAMES = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home\.arpa)$/;

/** Throws a `BlockedAddressError`. A name is looked up where the host can do that; what then connects looks it up again,
 *  so that a name server that changes its answer in between is not noticed. */
export async function checkAddress(url: URL, policy: AddressPolicy, resolve: Resolve | undefined): Promise<void> {
  const open = policy.allowPrivate === true;
  if (url.protocol !== 'https:' && !(open && url.protocol === 'http:')) {
    throw new BlockedAddressError(`${url.protocol}// is not allowed, only https://`);
  }
  if (url.username !== '' || url.password !== '') throw new BlockedAddressError('a password in the address');
  const name = url.hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  if (!open && PRIVATE_NAMES.test(name)) throw new BlockedAddressError(`${name} is a name of this machine or network`);
  const literal = isAddress(name);
  const addresses = literal ? [name] : ((await resolve?.(name)) ?? []);
  for (const address of addresses) {
    const kind = kindOf(address);
    if (kind === 'public' || (kind === 'private' && open)) continue;
    throw new BlockedAddressError(`${name} leads to a ${kind} address`);
  }
}

const isAddress = (name: string): boolean => name.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(name);

type Kind = 'public' | 'private' | 'link-local' | 'reserved';

/** First address, prefix length, kind. https://www.iana.org/assignments/iana-ipv4-special-registry */
const V4: readonly (readonly [string, number, Kind])[] = [
  ['0.0.0.0', 8, 'reserved'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'private'],
  ['127.0.0.0', 8, 'private'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'reserved'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'reserved'],
  ['198.51.100.0', 24, 'reserved'],
  ['203.0.113.0', 24, 'reserved'],
  ['224.0.0.0', 3, 'reserved'],
];
// Alibaba's and AWS' metadata services outside of the link-local range.
const METADATA = new Set(['100.100.100.200', 'fd00:ec2:0:0:0:0:0:254', 'fd20:ce:0:0:0:0:0:254']);

export function kindOf(address: string): Kind {
  const plain = address.split('%')[0] ?? '';
  if (!plain.includes(':')) return kindOfV4(plain);
  const words = wordsOf(plain);
  if (words === undefined) return 'reserved';
  if (METADATA.has(words.map((word) => word.toString(16)).join(':'))) return 'link-local';
  const [a = 0, b = 0] = words;
  const v4 = (high = 0, low = 0) => kindOfV4([high >> 8, high & 255, low >> 8, low & 255].join('.'));
  const zeros = (from: number, to: number) => words.slice(from, to).every((word) => word === 0);
  if (zeros(0, 7)) return words[7] === 1 ? 'private' : 'reserved';
  // IPv4 inside: mapped, compatible, translated, 6to4.
  if ((zeros(0, 5) && words[5] === 0xffff) || zeros(0, 6)) return v4(words[6], words[7]);
  if (a === 0x64 && b === 0xff9b) return v4(words[6], words[7]);
  if (a === 0x2002) return v4(b, words[2]);
  if ((a & 0xfe00) === 0xfc00) return 'private';
  if ((a & 0xffc0) === 0xfe80) return 'link-local';
  return (a & 0xe000) === 0x2000 && !(a === 0x2001 && (b === 0xdb8 || b < 0x200)) ? 'public' : 'reserved';
}

function kindOfV4(address: string): Kind {
  if (METADATA.has(address)) return 'link-local';
  const value = numberOf(address);
  if (value === undefined) return 'reserved';
  for (const [first, bits, kind] of V4) {
    const size = 2 ** (32 - bits);
    if (Math.floor(value / size) === Math.floor((numberOf(first) ?? 0) / size)) return kind;
  }
  return 'public';
}

function numberOf(address: string): number | undefined {
  const parts = address.split('.').map(Number);
  const whole = parts.length === 4 && parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255);
  return whole ? parts.reduce((value, part) => value * 256 + part, 0) : undefined;
}

/** The eight words of an IPv6 address. */
function wordsOf(address: string): number[] | undefined {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const value = dotted === null ? undefined : numberOf(dotted[2] ?? '');
  if (dotted !== null && value === undefined) return undefined;
  const text =
    value === undefined
      ? address
      : `${dotted?.[1]}${Math.floor(value / 65_536).toString(16)}:${(value % 65_536).toString(16)}`;
  const halves = text.split('::');
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length > 2 || (halves.length === 1 ? missing !== 0 : missing < 1)) return undefined;
  const words = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  return words.every((word) => /^[0-9a-fA-F]{1,4}$/.test(word))
    ? words.map((word) => Number.parseInt(word, 16))
    : undefined;
}
