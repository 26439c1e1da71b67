// Owns the table of processes: one cheap pass over /proc a second, details only of what is new, and the list that others see.
import { readdirSync } from 'node:fs';
import { DiagError } from '../../shared/errors.ts';
import type { ProcessInfo } from '../../shared/model.ts';
import { parseStat, type ProcStat } from '../parse/proc-stat.ts';
import { below, inOrder, ourOwn, roleOf, runtimeOf, workerOf, type Seen } from '../roles.ts';
import { readDetails, type Details, type SiteMark } from './details.ts';
import { scratch, type ProcReader } from './read.ts';

/** Which processes are listed: the site's, all of our user, or given ones with their descendants. */
export type Selection = 'site' | 'all' | { readonly pids: readonly number[] };

export interface TableSettings { readonly self: number; readonly uid: number; readonly bootAt: number; readonly mark: SiteMark | undefined; readonly select: Selection }

interface Row { stat: ProcStat; details: Details; confirmed: boolean; readonly foundAt: number }

/** Userspace always sees 100 ticks a second (USER_HZ is part of the ABI on every architecture App Service has), whatever the kernel's own HZ is. */
export const MS_PER_TICK = 10;
/** Between fork and exec a process still shows its parent's name, arguments and environment: what was read then is read once more. */
const CONFIRM_AFTER_MS = 500;
/** A kernel thread's pid is looked at again only every so many passes; a machine has a hundred of them. */
const KERNEL_TURNS = 16;

export class ProcessTable {
  readonly #reader: ProcReader;
  readonly #settings: TableSettings;
  readonly #rows = new Map<number, Row>();
  readonly #kernel = new Set<number>();
  #turn = 0;
  #stale = true;
  #list: readonly ProcessInfo[] = [];

  constructor(reader: ProcReader, settings: TableSettings) {
    this.#reader = reader;
    this.#settings = settings;
  }

  startedAt(stat: ProcStat): number { return this.#settings.bootAt + stat.startTicks * MS_PER_TICK; }

  /** One process now; undefined when it does not live. A zombie does not. */
  stat(pid: number): ProcStat | undefined {
    // A kept descriptor of a process that ended says so; the pid may belong to a new one by now, so it is opened once more.
    return this.#statOnce(pid) ?? this.#statOnce(pid);
  }

  #statOnce(pid: number): ProcStat | undefined {
    const length = this.#reader.read(pid, 'stat');
    const stat = length > 0 ? parseStat(scratch, length) : undefined;
    if (stat !== undefined && stat.state !== 'Z' && stat.state !== 'X') return stat;
    this.#reader.forget(pid);
    return undefined;
  }

  /** The list as it is now: the same array as before when nothing changed. */
  scan(): readonly ProcessInfo[] {
    this.#pass();
    if (this.#stale) this.#list = this.#build();
    this.#stale = false;
    return this.#list;
  }

  /** A process as the list would show it, also one outside of the list. It must be known: everyone() was asked just before. */
  one(pid: number): ProcessInfo {
    const row = this.#rows.get(pid);
    if (row === undefined) throw new DiagError('PROCESS_GONE', { pid });
    return this.#list.find((info) => info.pid === pid) ?? this.#info(this.#seen(row), runtimeOf(row.details.name), false);
  }

  /** Every live process of the machine that we can see, as of now. */
  everyone(): ReadonlyMap<number, { readonly parent: number; readonly startedAt: number }> {
    this.scan();
    return new Map([...this.#rows].map(([pid, { stat }]) => [pid, { parent: stat.parent, startedAt: this.startedAt(stat) }]));
  }

  #forget(pid: number): void {
    this.#reader.forget(pid);
    if (this.#rows.delete(pid)) this.#stale = true;
  }

  #pass(): void {
    this.#turn = (this.#turn + 1) % KERNEL_TURNS;
    const now = performance.now();
    const alive = new Set<number>();
    for (const entry of readdirSync('/proc')) {
      const pid = pidOf(entry);
      if (pid === 0 || (this.#kernel.has(pid) && pid % KERNEL_TURNS !== this.#turn)) continue;
      alive.add(pid);
      this.#look(pid, now);
    }
    for (const pid of this.#rows.keys()) if (!alive.has(pid)) this.#forget(pid);
  }

  #look(pid: number, now: number): void {
    const stat = this.stat(pid);
    if (stat?.kernelThread === true) this.#kernel.add(pid); else this.#kernel.delete(pid);
    if (stat === undefined || stat.kernelThread) {
      this.#forget(pid);
      return;
    }
    const row = this.#rows.get(pid);
    if (row === undefined || row.stat.startTicks !== stat.startTicks) {
      this.#rows.set(pid, { stat, details: readDetails(pid, stat.comm, this.#settings.mark), confirmed: false, foundAt: now });
      this.#stale = true;
    } else this.#again(row, stat, now);
  }

  #again(row: Row, stat: ProcStat, now: number): void {
    const renamed = row.stat.comm !== stat.comm;
    if (row.stat.parent !== stat.parent) this.#stale = true;
    row.stat = stat;
    if (!renamed && (row.confirmed || now - row.foundAt < CONFIRM_AFTER_MS)) return;
    row.details = readDetails(stat.pid, stat.comm, this.#settings.mark);
    row.confirmed = !renamed;
    this.#stale = true;
  }

  #build(): readonly ProcessInfo[] {
    const { self } = this.#settings;
    const all = new Map([...this.#rows].map(([pid, row]) => [pid, this.#seen(row)]));
    const ours = ourOwn(all, self);
    const own = below(all, all.has(self) ? [self] : []);
    const members = new Map(inOrder(all).filter(({ pid }) => own.has(pid)).map((seen) => [seen.pid, seen]));
    for (const pid of this.#members(all)) {
      const seen = all.get(pid);
      if (seen !== undefined) members.set(pid, seen);
    }
    const worker = workerOf(members, ours);
    return inOrder(members).map((seen) => this.#info(seen, roleOf(seen, worker, own), ours.has(seen.pid)));
  }

  #members(all: ReadonlyMap<number, Seen>): Set<number> {
    const { select, mark, uid } = this.#settings;
    if (typeof select === 'object') return below(all, select.pids.filter((pid) => all.has(pid)));
    if (select === 'site' && mark !== undefined) return below(all, this.#where((details) => details.ofSite));
    return new Set(this.#where((details) => details.uid === uid));
  }

  #where(holds: (details: Details) => boolean): number[] {
    return [...this.#rows].filter(([, row]) => holds(row.details)).map(([pid]) => pid);
  }

  #seen(row: Row): Seen {
    const { stat, details } = row;
    return { pid: stat.pid, parent: stat.parent, startedAt: this.startedAt(stat), name: details.name, args: details.args, scm: details.scm, serves: details.serves };
  }

  #info(seen: Seen, role: ProcessInfo['role'], ours: boolean): ProcessInfo {
    const { path, commandLine, user } = (this.#rows.get(seen.pid) as Row).details;
    return {
      pid: seen.pid, startedAt: seen.startedAt, parent: seen.parent, name: seen.name, role,
      ...(path === undefined ? {} : { path }),
      ...(commandLine === undefined ? {} : { commandLine }),
      ...(user === undefined ? {} : { user }),
      ...(ours ? { ours } : {}),
    };
  }
}

/** 0 for entries of /proc that are no process. */
function pidOf(entry: string): number {
  const first = entry.charCodeAt(0);
  return first >= 0x31 && first <= 0x39 ? Number(entry) : 0;
}
