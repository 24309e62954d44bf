// The data directory of this process: one owner for all of it, however many of its parts are open (`history/`, `alerts/`).
import type { DataFolder, Host } from '../hosts/port.ts';

/** The same host; folders in `path` are opened only while this process owns `path`, which it does from the first to the last of them. */
export function withDataDirectory<H extends Pick<Host, 'openDataFolder'>>(host: H, path: string | undefined): H {
  if (path === undefined) return host;
  let owned: Promise<DataFolder> | undefined;
  let open = 0;
  const letGo = async (): Promise<void> => {
    if (--open > 0) return;
    const whole = owned;
    owned = undefined;
    await (await whole?.catch(() => undefined))?.release();
  };
  return {
    ...host,
    async openDataFolder(part: string): Promise<DataFolder> {
      if (!part.startsWith(`${path}/`)) return await host.openDataFolder(part);
      open++;
      try {
        owned ??= host.openDataFolder(path);
        await owned;
        const folder = await host.openDataFolder(part);
        return {
          ...folder,
          async release() {
            await folder.release();
            await letGo();
          },
        };
      } catch (error) {
        await letGo();
        throw error;
      }
    },
  };
}
