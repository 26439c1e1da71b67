// Owns what is read once of a new process: whether its environment says that it belongs to the site, and what is shown of it.
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { findVariable, parseArguments, parsePasswd } from '../parse/proc-text.ts';
import { UNMARKED, marksOf, shownCommand, type Marked, type SiteMark } from '../site-mark.ts';
import { readLink, readText, readWhole } from './read.ts';

/** What decides whether a process is listed; read of every new process of the machine. */
export interface Marks extends Marked { readonly uid: number | undefined }

/** What is shown of a process; read of listed ones only. */
export interface Details {
  readonly name: string;
  readonly path: string | undefined;
  readonly args: readonly string[];
  readonly commandLine: string | undefined;    // masked
  readonly user: string | undefined;
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
    commandLine: shownCommand(args.join(' ')),
    user: uid === undefined ? undefined : userName(uid),
  };
}

/** A process that rewrote its environment block (nginx, php-fpm with titles) has lost its mark; it is found as a child of one that has it. */
export function readMarks(pid: number, mark: SiteMark | undefined): Marks {
  const uid = statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
  const block = readWhole(`/proc/${pid}/environ`);
  if (typeof block === 'number') return { uid, ...UNMARKED };
  return { uid, ...marksOf((name) => findVariable(block, name), mark) };
}

let names: Map<number, string> | undefined;

function userName(uid: number): string {
  names ??= parsePasswd(readText('/etc/passwd') ?? '');
  return names.get(uid) ?? String(uid);
}
