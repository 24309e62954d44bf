// LiveKit's native library, loaded when the first room is wanted: the only place that imports it. One owner isolate in a process.
import type * as Bindings from '@livekit/rtc-ffi-bindings';
import type * as Sdk from '@livekit/rtc-node';
import { NativeClient } from './native-client.ts';
import { within } from './rejoin.ts';
import type { LineClock } from './voice-line.ts';

/** The pair that the client is written for; a test holds the installed one against it. */
export const RTC_VERSIONS = { node: '1.1.0', bindings: '0.12.73' } as const;

export interface Native {
  readonly sdk: typeof Sdk;
  readonly bindings: typeof Bindings;
  readonly client: NativeClient;
}

/** `rtc: false` where the addon can not be loaded: other systems, no permission, no native code at all. */
export type RtcSupport =
  | { readonly rtc: true; readonly native: Native }
  | { readonly rtc: false; readonly reason: string };

let loading: Promise<RtcSupport> | null = null;
let isDisposed = false;

/** Loads at the first call; later ones get the same. Never rejects. */
export function loadNative(onPanic?: (message: string) => void): Promise<RtcSupport> {
  if (isDisposed) return Promise.resolve({ rtc: false, reason: 'the native library was disposed: the process ends' });
  loading ??= load(onPanic);
  return loading;
}

async function load(onPanic: ((message: string) => void) | undefined): Promise<RtcSupport> {
  try {
    const bindings = await import('@livekit/rtc-ffi-bindings');
    const client = new NativeClient(bindings, RTC_VERSIONS.node, onPanic);
    // rtc-node takes a client that it finds here instead of making its own, so it must be there first.
    Reflect.set(globalThis, '_ffiClientInstance', client);
    const sdk = await import('@livekit/rtc-node');
    return { rtc: true, native: { sdk, bindings, client } };
  } catch (error) {
    return { rtc: false, reason: `LiveKit's native library can not be loaded: ${firstLine(error)}` };
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}

/** Rooms that a server does not let go would keep the process for as long as it is silent. */
const DISPOSE_MS = 3000;

/** Gives the native library back, once, when the process ends: afterwards every call into it would hang. Without it the process does
 *  not exit by itself. Resolves with false where the library was not ready in time. */
export async function disposeNative(clock: LineClock): Promise<boolean> {
  if (isDisposed) return true;
  isDisposed = true;
  const support = await loading;
  if (!support?.rtc) return true;
  const { signal } = new AbortController();
  return within(support.native.sdk.dispose(), { clock, limitMs: DISPOSE_MS, signal, discard: () => {} }).then(
    () => true,
    () => false,
  );
}
