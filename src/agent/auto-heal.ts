// Owns auto-heal of the site's web.config in the running agent: where it may be written, the audit of a change, the trial over what is recorded.
import { join } from 'node:path';
import type { AutoHealCheck, AutoHealRules, AutoHealView, BackupView, ConvertedView, DiffView, WouldFire } from '../shared/auto-heal.ts';
import { sayError } from '../shared/errors.ts';
import type { ProcessKey } from '../shared/model.ts';
import type { Rule } from '../shared/rules.ts';
import { within } from '../platform/clock.ts';
import type { ConfigFile, Written } from '../mitigate/auto-heal/config-file.ts';
import { pastOf } from '../mitigate/rules/past.ts';
import type { Parts } from './agent.ts';
import type { Config, Env } from './config.ts';

const HOUR_MS = 3_600_000;
const TRY_LIMIT_MS = 60_000;

export interface AutoHeal {
  view(): Promise<AutoHealView>;
  check(rules: AutoHealRules, leaveOut: boolean): Promise<AutoHealCheck>;
  write(rules: AutoHealRules, etag: string, leaveOut: boolean, who: string): Promise<Written>;
  compare(backup: string): Promise<{ backup: BackupView; etag: string; diff: DiffView }>;
  restore(backup: string | undefined, etag: string, who: string): Promise<Written>;
  /** `rules` undefined: those of the file. */
  trial(rules: AutoHealRules | undefined, hours: number): Promise<WouldFire>;
  convert(given: { readonly autoHeal: AutoHealRules } | { readonly rules: readonly Rule[] }): Promise<ConvertedView>;
}

/** The parts that read XML are loaded when somebody asks: most agents never do. `asked`: a process is about to end for this change. */
export function autoHealOf(parts: Parts, config: Config, mask: (text: string) => string, asked: (target: ProcessKey) => void): AutoHeal {
  const { platform } = parts;
  const { folders, app } = platform.host;
  let opened: Promise<ConfigFile> | undefined;
  const file = (): Promise<ConfigFile> => (opened ??= openFile(join(folders.site, 'web.config'), folders.own, () => platform.clock.now(), (exists) => refusalOf(config.env, app.os, exists), mask));
  const deed = async (what: string, who: string, work: (at: ConfigFile) => Promise<Written>): Promise<Written> => {
    try {
      const written = await work(await file());
      const { added, removed } = written.diff;
      // IIS ends the worker within seconds of the change: no rule shall take that for a crash.
      if (written.changed) for (const { pid, startedAt, ours } of parts.observed.processes()) if (ours !== true) asked({ pid, startedAt });
      if (written.changed) parts.observed.publish({ id: `web-config:${written.backup?.id ?? ''}`, at: platform.clock.now(), kind: 'configuration', level: 'warning', title: `web.config changed by ${who}: ${what}`, detail: `${added} lines more, ${removed} lines less; the app restarts` });
      await parts.audit(who, what, 'web.config', written.changed ? `${added} lines more, ${removed} lines less, backup ${written.backup?.id ?? ''}` : 'nothing to change');
      return written;
    } catch (error) {
      await parts.audit(who, what, 'web.config', `failed: ${sayError(error)}`);
      throw error;
    }
  };
  return {
    view: async () => (await file()).view(),
    check: async (rules, leaveOut) => (await file()).check(rules, leaveOut),
    write: (rules, etag, leaveOut, who) => deed('set auto-heal', who, (at) => at.write(rules, etag, leaveOut, `before auto-heal was set by ${who}`)),
    compare: async (backup) => (await file()).compare(backup),
    restore: (backup, etag, who) => deed('restore web.config', who, (at) => at.restore(backup, etag, `before a restore by ${who}`)),
    trial: async (given, hours) => {
      const { wouldFire } = await import('../mitigate/auto-heal/would-fire.ts');
      const rules = given ?? (await (await file()).view()).rules;
      const to = platform.clock.now();
      return wouldFire(rules, pastOf(parts, within(TRY_LIMIT_MS)), to - hours * HOUR_MS, to);
    },
    convert: async (given) => {
      const [{ toAutoHeal, toRules }, { toBicep }] = await Promise.all([import('../mitigate/auto-heal/convert.ts'), import('../mitigate/auto-heal/bicep.ts')]);
      if ('autoHeal' in given) return { ...toRules(given.autoHeal), bicep: toBicep(given.autoHeal, app.site) };
      const made = toAutoHeal(given.rules);
      return { ...made, bicep: toBicep(made.autoHeal, app.site) };
    },
  };
}

async function openFile(path: string, own: string, now: () => number, refusal: (exists: boolean) => string | undefined, mask: (text: string) => string): Promise<ConfigFile> {
  const [{ ConfigFile: File }, { Backups, BACKUPS_FOLDER }] = await Promise.all([import('../mitigate/auto-heal/config-file.ts'), import('../mitigate/auto-heal/backups.ts')]);
  return new File({ path, backups: new Backups(join(own, BACKUPS_FOLDER)), now, refusal, mask });
}

/** Why the site's web.config cannot be changed from here. */
export function refusalOf(env: Env, os: string, exists: boolean): string | undefined {
  const set = (name: string): string => env[name]?.trim() ?? '';
  if (set('WEBSITE_RUN_FROM_PACKAGE') !== '' && set('WEBSITE_RUN_FROM_PACKAGE') !== '0') return 'the site runs from a package (WEBSITE_RUN_FROM_PACKAGE), and its wwwroot is read-only: change the file in the package';
  if (/^always$/i.test(set('WEBSITE_LOCAL_CACHE_OPTION'))) return 'the site runs from a local cache (WEBSITE_LOCAL_CACHE_OPTION): a change here would not reach the running app';
  if (/windows/i.test(os)) return undefined;
  const hosted = set('WEBSITE_SITE_NAME') !== '' && ['WEBSITE_STACK', 'WEBSITE_ROLE_INSTANCE_ID', 'DUMP_DIR'].some((name) => set(name) !== '');
  return hosted || !exists ? 'apps on Linux read no web.config: their auto-heal is set by the management API only' : undefined;
}
