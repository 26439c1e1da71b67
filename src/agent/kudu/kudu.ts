// Owns what stands behind Kudu's API: commands, dumps, profiles and settings, with one end for all.
import { DiagError, sayError } from '../../shared/errors.ts';
import type { ProcessInfo } from '../../shared/model.ts';
import { within } from '../../platform/clock.ts';
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
  /** Ends a process of the site with its children, at once as Kudu does. @throws as Platform.end */
  end(target: ProcessInfo, who: string): Promise<void>;
  /** Ends what runs and removes what is kept. */
  close(): Promise<void>;
}

/** Kudu kills without asking; what can be asked gets this long. */
const GRACE_MS = 2_000;
const END_LIMIT_MS = 30_000;

export function createKudu(parts: Parts, config: Config, { mask, masker }: { mask(text: string): string; masker(): Masker }): Kudu {
  const stop = new AbortController();
  const dumps = createDumps(parts, stop.signal);
  return {
    commands: createCommands(parts, config, mask, stop.signal),
    dumps,
    profiles: createProfiles(parts, stop.signal),
    settings: createSettings(parts, config),
    diagnosticSettings: createDiagnosticSettings(parts),
    masker,
    end: (target, who) => end(parts, target, who),
    async close() {
      stop.abort();
      await dumps.close();
    },
  };
}

async function end({ platform, observed, audit }: Parts, target: ProcessInfo, who: string): Promise<void> {
  const { pid, startedAt, name } = target;
  const what = `process ${pid} (${name}) started ${new Date(startedAt).toISOString()}`;
  const at = platform.clock.now();
  try {
    if (target.ours === true) throw new DiagError('PROCESS_OURS', { pid });
    await platform.end({ pid, startedAt }, GRACE_MS, within(END_LIMIT_MS));
    observed.publish({ id: `restart:${pid}:${startedAt}`, at, kind: 'restart', level: 'warning', title: `Process ${pid} ended by ${who}`, pid });
    await audit(who, 'end process', what, 'ended');
  } catch (error) {
    await audit(who, 'end process', what, `failed: ${sayError(error)}`);
    throw error;
  }
}
