// Owns a real platform for a test: a home of its own, and a mark that makes exactly the test's victims the site.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPlatform, type PlatformSettings } from '../../src/platform/choose.ts';
import type { Platform } from '../../src/platform/platform.ts';
import { victim, type Victim, type VictimOptions } from './victim.ts';

export interface RealPlatform {
  readonly platform: Platform;
  readonly home: string;
  /** App Service's variables of this test's own site. */
  readonly env: Readonly<Record<string, string>>;
  /** A victim that belongs to this site; its inspector takes any free port. Stopped by close(). */
  victim(options?: VictimOptions): Promise<Victim>;
  /** Stops all victims and removes the home. */
  close(): Promise<void>;
}

export async function realPlatform(settings: Partial<PlatformSettings> = {}): Promise<RealPlatform> {
  const top = await mkdtemp(join(tmpdir(), 'real-platform-'));
  const home = settings.home ?? join(top, 'home');
  const env = { WEBSITE_SITE_NAME: 'shop', WEBSITE_INSTANCE_ID: randomBytes(32).toString('hex') };
  const platform = await openPlatform({ temp: join(top, 'temp'), ...settings, home, env: { PATH: process.env['PATH'], ...env, ...settings.env } });
  const victims: Victim[] = [];
  return {
    platform, home, env,
    victim: async (options = {}) => {
      const made = await victim({ ...options, env: { ...env, ...options.env }, nodeOptions: ['--inspect-port=0', ...options.nodeOptions ?? []] });
      victims.push(made);
      return made;
    },
    close: async () => {
      await Promise.all(victims.map((one) => one.stop()));
      platform.close();
      await rm(top, { recursive: true, force: true });
    },
  };
}
