// The native packages, not started: what is loaded but never initialized lets the process end.
import type * as Bindings from '@livekit/rtc-ffi-bindings';
import type * as Sdk from '@livekit/rtc-node';

export type NativeModules =
  | { readonly skip: false; readonly bindings: typeof Bindings; readonly sdk: typeof Sdk }
  | { readonly skip: string };

export async function nativeModules(): Promise<NativeModules> {
  try {
    return { skip: false, bindings: await import('@livekit/rtc-ffi-bindings'), sdk: await import('@livekit/rtc-node') };
  } catch (error) {
    return { skip: `the native library can not be loaded: ${String(error).split('\n')[0]}` };
  }
}
