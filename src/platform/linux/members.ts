// Owns which processes are listed and as what: the site's and our own, from the rows of the table.
import type { ProcessInfo } from '../../shared/model.ts';
import type { ProcStat } from '../parse/proc-stat.ts';
import { below, inOrder, ourOwn, roleOf, runtimeOf, workerOf, type Seen } from '../roles.ts';
import type { SiteMark } from '../site-mark.ts';
import { readDetails, type Details, type Marks } from './details.ts';

/** Which processes are listed: the site's, all of our user, or given ones with their descendants. */
export type Selection = 'site' | 'all' | { readonly pids: readonly number[] };

export interface Choice { readonly self: number; readonly uid: number; readonly mark: SiteMark | undefined; readonly select: Selection }

/** One live process of the machine. */
export interface Row { stat: ProcStat; startedAt: number; readAt: number; marks: Marks; details: Details | undefined; confirmed: boolean; readonly foundAt: number }

export interface Members { readonly pids: ReadonlySet<number>; readonly list: readonly ProcessInfo[] }

/** Does this process itself belong to the choice; its descendants may belong too. */
export function isChosen(pid: number, marks: Marks, { select, mark, uid }: Choice): boolean {
  if (typeof select === 'object') return select.pids.includes(pid);
  return select === 'site' && mark !== undefined ? marks.ofSite : marks.uid === uid;
}

export function membersOf(rows: ReadonlyMap<number, Row>, choice: Choice): Members {
  const kin = new Map([...rows].map(([pid, { stat }]) => [pid, stat]));
  const ours = ourOwn(kin, choice.self);
  const own = below(kin, kin.has(choice.self) ? [choice.self] : []);
  const chosen = [...rows].filter(([pid, row]) => isChosen(pid, row.marks, choice)).map(([pid]) => pid);
  const pids = new Set([...own, ...below(kin, chosen)]);
  const members = new Map([...pids].map((pid) => [pid, seenOf(rows.get(pid) as Row)]));
  const worker = workerOf(members, ours);
  return { pids, list: inOrder(members).map((seen) => infoOf(rows.get(seen.pid) as Row, roleOf(seen, worker, own), ours.has(seen.pid))) };
}

/** A process as the list would show it, also one outside of the list. */
export function infoOf(row: Row, role: ProcessInfo['role'] | undefined, ours: boolean): ProcessInfo {
  const { name, path, commandLine, user } = detailsOf(row);
  return {
    pid: row.stat.pid, startedAt: row.startedAt, parent: row.stat.parent, name, role: role ?? runtimeOf(name),
    ...(path === undefined ? {} : { path }),
    ...(commandLine === undefined ? {} : { commandLine }),
    ...(user === undefined ? {} : { user }),
    ...(ours ? { ours } : {}),
  };
}

function seenOf(row: Row): Seen {
  const { name, args } = detailsOf(row);
  return { pid: row.stat.pid, parent: row.stat.parent, startedAt: row.startedAt, name, args, scm: row.marks.scm, serves: row.marks.serves };
}

function detailsOf(row: Row): Details {
  row.details ??= readDetails(row.stat.pid, row.stat.comm, row.marks.uid);
  return row.details;
}
