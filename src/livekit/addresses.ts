// The three addresses of one LiveKit server, made from the one that is configured, whatever its scheme and base path.

export interface ServerAddresses {
  /** Signalling of rooms: `wss://host/base`. */
  readonly rooms: string;
  /** Socket of agent workers: `wss://host/base/agent`. */
  readonly worker: string;
  /** HTTP API: `https://host/base`. */
  readonly api: string;
}

const SECURE = new Map([
  ['ws:', false],
  ['http:', false],
  ['wss:', true],
  ['https:', true],
]);

/** Throws `RangeError` with a reason for people when `server` is no address of a server. */
export function serverAddresses(server: string): ServerAddresses {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  const secure = url === undefined ? undefined : SECURE.get(url.protocol);
  if (url === undefined || secure === undefined) {
    throw new RangeError('A LiveKit server is written ws://HOST:PORT or wss://HOST');
  }
  const base = url.pathname.replace(/\/+$/, '');
  const made = (scheme: string, path: string, search: string) => {
    const one = new URL(`${scheme}${secure ? 's' : ''}://${url.host}`);
    one.pathname = base + path;
    one.search = search;
    // An address without a path is written without a slash: clients append to it.
    return path === '' && base === '' && search === '' ? one.origin : one.href;
  };
  return { rooms: made('ws', '', ''), worker: made('ws', '/agent', url.search), api: made('http', '', '') };
}
