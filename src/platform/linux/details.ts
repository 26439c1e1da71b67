// Owns what is read once of a new process: executable, arguments, user, and whether its environment says that it belongs to the site.
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { maskCommandLine } from '../../shared/mask.ts';
import type { Env } from '../identity.ts';
import { findVariable, parseArguments, parsePasswd } from '../parse/proc-text.ts';
import { readLink, readText, readWhole } from './read.ts';

export interface Details {
  readonly name: string;
  readonly path: string | undefined;
  readonly args: readonly string[];
  readonly commandLine: string | undefined;    // masked
  readonly uid: number | undefined;
  readonly user: string | undefined;
  readonly ofSite: boolean;                    // its environment carries our site and instance
  readonly scm: boolean;
  readonly serves: boolean;
}

/** Longer command lines are cut: class paths of Java fill pages. */
const KEPT_COMMAND = 2_000;
const SCM_MARK = '~1';
/** How App Service tells a process where to listen. */
const PORT_NAMES = ['PORT', 'HTTP_PLATFORM_PORT', 'ASPNETCORE_PORT'] as const;

export interface SiteMark { readonly site: string; readonly instance: string }

/** What marks the processes of our site; undefined off App Service. */
export function siteMark(env: Env): SiteMark | undefined {
  const site = env['WEBSITE_SITE_NAME'];
  const instance = env['WEBSITE_INSTANCE_ID'];
  return site === undefined || site === '' || instance === undefined || instance === '' ? undefined : { site, instance };
}

/** Reads one process; `comm` is the fallback name where the executable is hidden from us. */
export function readDetails(pid: number, comm: string, mark: SiteMark | undefined): Details {
  const link = readLink(`/proc/${pid}/exe`);
  const path = typeof link === 'string' ? link.replace(/ \(deleted\)$/, '') : undefined;
  const cmdline = readWhole(`/proc/${pid}/cmdline`);
  const args = typeof cmdline === 'number' ? [] : parseArguments(cmdline);
  const uid = ownerOf(pid);
  return {
    name: path === undefined ? comm : basename(path),
    path,
    args,
    commandLine: args.length === 0 ? undefined : maskCommandLine(args.join(' ').slice(0, KEPT_COMMAND)),
    uid,
    user: uid === undefined ? undefined : userName(uid),
    ...marksOf(pid, mark),
  };
}

/** A process that rewrote its environment block (nginx, php-fpm with titles) has lost its mark; it is found as a child of one that has it. */
function marksOf(pid: number, mark: SiteMark | undefined): Pick<Details, 'ofSite' | 'scm' | 'serves'> {
  const block = readWhole(`/proc/${pid}/environ`);
  if (typeof block === 'number') return { ofSite: false, scm: false, serves: false };
  const says = (name: string): string | undefined => findVariable(block, name);
  return {
    ofSite: mark !== undefined && says('WEBSITE_SITE_NAME') === mark.site && says('WEBSITE_INSTANCE_ID') === mark.instance,
    scm: [says('WEBSITE_IIS_SITE_NAME'), says('APP_POOL_ID')].some((value) => value?.startsWith(SCM_MARK)),
    serves: PORT_NAMES.some((name) => (says(name) ?? '') !== ''),
  };
}

function ownerOf(pid: number): number | undefined {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
}

let names: Map<number, string> | undefined;

function userName(uid: number): string {
  names ??= parsePasswd(readText('/etc/passwd') ?? '');
  return names.get(uid) ?? String(uid);
}
