// Owns the choice of the platform: the only place that asks which system this is.
import { systemClock, type Clock } from './clock.ts';
import { ensureFolders, foldersOf } from './folders.ts';
import type { Env } from './identity.ts';
import type { Platform } from './platform.ts';
import { withRestartPipe } from './restart-pipe.ts';

export interface PlatformSettings {
  /** The home as on App Service, or any folder; the layout is made where it is missing. */
  readonly home: string;
  readonly env: Env;
  /** Where the local temp folder is made; default: the system's. */
  readonly temp?: string;
  readonly clock?: Clock;
  /** Which processes are listed. 'site' (default): those of our site and instance by their environment; where we have none (off App Service), all of our user. */
  readonly processes?: 'site' | 'all' | { readonly pids: readonly number[] };
  /** Takes the fall-back although there is a door of our own; `listEveryMs`: how old its process list may be. */
  readonly portable?: { readonly listEveryMs?: number };
}

/** Opens the door to this machine. Close it at the end. @throws HOME_UNUSABLE */
export async function openPlatform(settings: PlatformSettings): Promise<Platform> {
  return withRestartPipe(await openDoor(settings), settings.env);
}

async function openDoor(settings: PlatformSettings): Promise<Platform> {
  const folders = foldersOf(settings.home, settings.temp);
  await ensureFolders(folders);
  const given = { env: settings.env, folders, clock: settings.clock ?? systemClock, processes: settings.processes ?? 'site' } as const;
  if (process.platform === 'linux' && settings.portable === undefined) {
    const { hasProc, openLinux } = await import('./linux/index.ts');
    if (hasProc()) return openLinux(given);
  }
  const { openPortable } = await import('./portable/index.ts');
  if (process.platform !== 'win32' || settings.portable !== undefined) return await openPortable({ ...given, ...settings.portable });
  const [{ openWindows }, { openBlind, osName }] = await Promise.all([import('./windows/index.ts'), import('./windows/blind.ts')]);
  try {
    return await openWindows(given);
  } catch (error) {
    return openBlind(await openPortable({ ...given, osName: osName() }), error);
  }
}
