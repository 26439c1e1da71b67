// Owns what is read once of a new process: whether its environment says that it belongs to the site, and what is shown of it.
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { maskCommandLine } from '../../shared/mask.ts';
import type { Env } from '../identity.ts';
import { findVariable, parseArguments, parsePasswd } from '../parse/proc-text.ts';
import { readLink, readText, readWhole } from './read.ts';

/** What decides whether a process is listed; read of every new process of the machine. */
export interface Marks {
  readonly uid: number | undefined;
  readonly ofSite: boolean;                    // its environment carries our site and instance
  readonly scm: boolean;
  readonly serves: boolean;                    // it was given a port
}

/** What is shown of a process; read of listed ones only. */
export interface Details {
  readonly name: string;
  readonly path: string | undefined;
  readonly args: readonly string[];
  readonly commandLine: string | undefined;    // masked
  readonly user: string | undefined;
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

/** `comm` is the fallback name where the executable is hidden from us. */
export function readDetails(pid: number, comm: string, uid: number | undefined): Details {
  const link = readLink(`/proc/${pid}/exe`);
  const path = typeof link === 'string' ? link.replace(/ \(deleted\)$/, '') : undefined;
  const cmdline = readWhole(`/proc/${pid}/cmdline`);
  const args = typeof cmdline === 'number' ? [] : parseArguments(cmdline);
  return {
    name: path === undefined ? comm : basename(path),
    path,
    args,
    commandLine: args.length === 0 ? undefined : maskCommandLine(args.join(' ').slice(0, KEPT_COMMAND)),
    user: uid === undefined ? undefined : userName(uid),
  };
}

/** A process that rewrote its environment block (nginx, php-fpm with titles) has lost its mark; it is found as a child of one that has it. */
export function readMarks(pid: number, mark: SiteMark | undefined): Marks {
  const uid = statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
  const block = readWhole(`/proc/${pid}/environ`);
  if (typeof block === 'number') return { uid, ofSite: false, scm: false, serves: false };
  const says = (name: string): string | undefined => findVariable(block, name);
  return {
    uid,
    ofSite: mark !== undefined && says('WEBSITE_SITE_NAME') === mark.site && says('WEBSITE_INSTANCE_ID') === mark.instance,
    scm: [says('WEBSITE_IIS_SITE_NAME'), says('APP_POOL_ID')].some((value) => value?.startsWith(SCM_MARK)),
    serves: PORT_NAMES.some((name) => (says(name) ?? '') !== ''),
  };
}

let names: Map<number, string> | undefined;

function userName(uid: number): string {
  names ??= parsePasswd(readText('/etc/passwd') ?? '');
  return names.get(uid) ?? String(uid);
}
