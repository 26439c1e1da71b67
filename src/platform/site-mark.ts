// Owns what tells a process of our site from all others, the same on every system: the marks that App Service puts into its variables.
import { maskCommandLine } from '../shared/mask.ts';
import type { Env } from './identity.ts';

/** Longer command lines are cut: class paths of Java fill pages. */
const KEPT_COMMAND = 2_000;
const SCM_MARK = '~1';
/** How App Service tells a process where to listen. */
const PORT_NAMES = ['PORT', 'HTTP_PLATFORM_PORT', 'ASPNETCORE_PORT'] as const;

export interface SiteMark { readonly site: string; readonly instance: string }

/** What the variables of a process say of it. */
export interface Marked {
  readonly ofSite: boolean;                    // they carry our site and instance
  readonly scm: boolean;
  readonly serves: boolean;                    // it was given a port
}

export const UNMARKED: Marked = { ofSite: false, scm: false, serves: false };

/** What marks the processes of our site; undefined off App Service. */
export function siteMark(env: Env): SiteMark | undefined {
  const site = env['WEBSITE_SITE_NAME'];
  const instance = env['WEBSITE_INSTANCE_ID'];
  return site === undefined || site === '' || instance === undefined || instance === '' ? undefined : { site, instance };
}

/** `says`: the value of a variable of that process. */
export function marksOf(says: (name: string) => string | undefined, mark: SiteMark | undefined): Marked {
  return {
    ofSite: mark !== undefined && says('WEBSITE_SITE_NAME') === mark.site && says('WEBSITE_INSTANCE_ID') === mark.instance,
    scm: [says('WEBSITE_IIS_SITE_NAME'), says('APP_POOL_ID')].some((value) => value?.startsWith(SCM_MARK)),
    serves: PORT_NAMES.some((name) => (says(name) ?? '') !== ''),
  };
}

/** As it is shown: masked, and not endless; undefined where there is none. */
export function shownCommand(line: string): string | undefined {
  return line === '' ? undefined : maskCommandLine(line.slice(0, KEPT_COMMAND));
}
