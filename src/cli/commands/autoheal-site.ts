// Owns whose web.config `diag autoheal` works on: that of an agent's site, or a file that lies here and needs no agent.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { configOf } from '../../agent/config.ts';
import type { AutoHealCheck, AutoHealRules, AutoHealView, BackupView, DiffView, WouldFire } from '../../shared/auto-heal.ts';
import { DiagError } from '../../shared/errors.ts';
import { maskText } from '../../shared/mask.ts';
import { systemClock } from '../../platform/clock.ts';
import { foldersOf } from '../../platform/folders.ts';
import type { Remote } from '../options.ts';
import { remark } from '../print.ts';
import { withAgent } from '../reach.ts';
import { stop } from '../until.ts';

/** `platform`: the management API's rules instead of a web.config. */
export interface HealOptions extends Remote { readonly file?: string; readonly platform?: boolean }
interface Done { readonly changed: boolean; readonly backup?: BackupView | undefined; readonly diff: DiffView; readonly left: readonly string[]; readonly view: AutoHealView }

export interface HealConfig {
  view(): Promise<AutoHealView>;
  check(rules: AutoHealRules, leaveOut: boolean): Promise<AutoHealCheck>;
  write(rules: AutoHealRules, leaveOut: boolean): Promise<Done>;
  restore(backup: string | undefined): Promise<Done>;
  /** Undefined: nothing is recorded here that could tell. */
  trial(hours: number, logs: readonly string[] | undefined): Promise<WouldFire | undefined>;
}

export async function withConfig(options: HealOptions, work: (config: HealConfig) => Promise<void>): Promise<void> {
  if (options.file !== undefined) { await work(await fileConfig(resolve(options.file), options)); return; }
  await withAgent(options, async ({ diag }) => {
    await work({
      view: () => diag.autoHeal(),
      check: (rules, leaveOut) => diag.checkAutoHeal({ body: { rules, leaveOut } }),
      write: async (rules, leaveOut) => diag.putAutoHeal({ body: { rules, leaveOut, etag: (await diag.autoHeal()).etag } }),
      restore: async (backup) => diag.restoreAutoHeal({ body: { etag: (await diag.autoHeal()).etag, ...(backup === undefined ? {} : { backup }) } }),
      trial: (hours, logs) => {
        if (logs !== undefined) throw new DiagError('BAD_INPUT', { why: '--log goes with --file; an agent knows its own logs' });
        return diag.tryAutoHeal({ body: { hours } });
      },
    });
  });
}

/** Backups of a file lie in the home as those of an agent do: never beside the file, where a deployment would take them along. */
async function fileConfig(path: string, { home }: Remote): Promise<HealConfig> {
  const [{ ConfigFile }, { Backups, BACKUPS_FOLDER }] = await Promise.all([import('../../mitigate/auto-heal/config-file.ts'), import('../../mitigate/auto-heal/backups.ts')]);
  const { own } = foldersOf(configOf({ ...process.env, ...(home === undefined ? {} : { DIAG_HOME: home }) }).home);
  const file = new ConfigFile({ path, backups: new Backups(join(own, BACKUPS_FOLDER)), now: () => systemClock.now(), refusal: () => undefined, mask: (text) => maskText(text).text });
  const there = (): void => { if (!existsSync(path)) throw new DiagError('AUTO_HEAL_UNREADABLE', { file: path, why: 'there is no such file' }); };
  return {
    view: () => { there(); return file.view(); },
    check: (rules, leaveOut) => { there(); return file.check(rules, leaveOut); },
    write: async (rules, leaveOut) => { there(); return { ...await file.write(rules, undefined, leaveOut, 'before auto-heal was set by diag'), view: await file.view() }; },
    restore: async (backup) => ({ ...await file.restore(backup, undefined, 'before a restore by diag'), view: await file.view() }),
    trial: async (_hours, logs) => {
      if (logs === undefined) return undefined;
      const [{ pastOfLogs }, { wouldFire }] = await Promise.all([import('../../mitigate/rules/past-logs.ts'), import('../../mitigate/auto-heal/would-fire.ts')]);
      const { past, from, to, note } = await pastOfLogs(logs.map((one) => resolve(one)), stop);
      if (note !== undefined) remark(note);
      return wouldFire((await file.view()).rules, past, from, to);
    },
  };
}
