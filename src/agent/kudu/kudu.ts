// Owns what stands behind Kudu's API: commands, dumps, profiles and settings, with one end for all.
import type { Masker } from '../../analyze/masker.ts';
import type { Parts } from '../agent.ts';
import type { Config } from '../config.ts';
import { createCommands, type Commands } from './commands.ts';
import { createDumps, type Dumps } from './dumps.ts';
import { createProfiles, type Profiles } from './profiles.ts';
import { createDiagnosticSettings, createSettings, type Settings } from './settings.ts';

export interface Kudu {
  readonly commands: Commands;
  readonly dumps: Dumps;
  readonly profiles: Profiles;
  readonly settings: Settings;
  readonly diagnosticSettings: Settings;
  /** As of now: what the site's processes hold is learnt while they run. */
  masker(): Masker;
  /** Ends what runs and removes what is kept. */
  close(): Promise<void>;
}

export function createKudu(parts: Parts, config: Config, { mask, masker }: { mask(text: string): string; masker(): Masker }): Kudu {
  const stop = new AbortController();
  const dumps = createDumps(parts, stop.signal);
  const commands = createCommands(parts, config, mask, stop.signal);
  return {
    commands,
    dumps,
    profiles: createProfiles(parts, stop.signal),
    settings: createSettings(parts, config),
    diagnosticSettings: createDiagnosticSettings(parts),
    masker,
    async close() {
      stop.abort();
      await Promise.all([commands.idle(), dumps.close()]);
    },
  };
}
