// Owns the table of processes on Windows: one snapshot a second, details only of what is new, and the list and counters that others see.
import { DiagError } from '../../shared/errors.ts';
import type { ProcessInfo } from '../../shared/model.ts';
import type { NtProcess, NtThread } from '../parse/nt-processes.ts';
import type { Account, Usage } from '../platform.ts';
import { below, inOrder, ourOwn, roleOf, runtimeOf, workerOf, type Seen } from '../roles.ts';
import type { SiteMark } from '../site-mark.ts';
import { readDetails, type Details } from './details.ts';
import type { Snapshots } from './snapshot.ts';
import type { Win32 } from './win32.ts';

/** Which processes are listed: the site's, all of our user, or given ones with their descendants. */
export type Selection = 'site' | 'all' | { readonly pids: readonly number[] };

export interface TableSettings { readonly self: number; readonly mark: SiteMark | undefined; readonly select: Selection }

interface Row { readonly pid: number; readonly startedAt: number; readonly parent: number; readonly name: string; details: Details | undefined; readonly foundAt: number }

/** A process that is just being made has no parameters yet: what could not be read is tried again for so long. */
const RETRY_MS = 2_000;
/** Not a process: the time in which no one works. */
const IDLE = 0;

export class ProcessTable {
  readonly #win32: Win32;
  readonly #snapshots: Snapshots;
  readonly #settings: TableSettings;
  readonly #rows = new Map<number, Row>();
  #list: readonly ProcessInfo[] = [];
  #stale = true;

  constructor(win32: Win32, snapshots: Snapshots, settings: TableSettings) {
    this.#win32 = win32;
    this.#snapshots = snapshots;
    this.#settings = settings;
  }

  /** The list as it is now: the same array as before when nothing changed. */
  scan(): readonly ProcessInfo[] {
    this.#pass();
    if (this.#stale) this.#list = this.#build();
    this.#stale = false;
    return this.#list;
  }

  /** Every live process that Windows shows us, as of now. */
  everyone(): ReadonlyMap<number, { readonly parent: number; readonly startedAt: number }> {
    this.#pass();
    return this.#kin();
  }

  /** Of the asked and living ones, in one pass. */
  usage(pids: readonly number[]): Map<number, Usage> {
    const living = new Map(this.#snapshots.recent().map((one) => [one.pid, one]));
    const found = new Map<number, Usage>();
    for (const pid of pids) {
      const one = living.get(pid);
      if (one !== undefined) found.set(pid, usageOf(one));
    }
    return found;
  }

  /** One process now; undefined when it does not live. */
  now(pid: number): NtProcess | undefined { return this.#snapshots.take().find((one) => one.pid === pid); }

  /** @throws PROCESS_GONE */
  threads(pid: number): NtThread[] {
    const process = this.now(pid);
    if (process === undefined) throw new DiagError('PROCESS_GONE', { pid });
    return this.#snapshots.threads(process);
  }

  /** @throws PROCESS_GONE */
  account(pid: number): Account {
    const process = this.now(pid);
    if (process === undefined) throw new DiagError('PROCESS_GONE', { pid });
    return this.#snapshots.account(process);
  }

  /** As the list would show it, also one outside of the list. @throws PROCESS_GONE */
  one(pid: number): ProcessInfo {
    const shown = this.scan().find((info) => info.pid === pid);
    if (shown !== undefined) return shown;
    const row = this.#rows.get(pid);
    if (row === undefined) throw new DiagError('PROCESS_GONE', { pid });
    return infoOf(row, row.parent, runtimeOf(nameOf(row)), false);
  }

  #pass(): void {
    const now = performance.now();
    const processes = this.#snapshots.take();
    const living = new Set<number>();
    for (const process of processes) {
      if (process.pid === IDLE) continue;
      living.add(process.pid);
      const row = this.#rows.get(process.pid);
      if (row?.startedAt !== process.startedAt) this.#add(process, now);
      else if (row.details?.known !== true && now - row.foundAt < RETRY_MS) this.#again(row);
    }
    for (const pid of this.#rows.keys()) if (!living.has(pid)) { this.#rows.delete(pid); this.#stale = true; }
  }

  #add({ pid, startedAt, parent, name }: NtProcess, foundAt: number): void {
    this.#rows.set(pid, { pid, startedAt, parent, name, foundAt, details: this.#details(pid, startedAt, name) });
    this.#stale = true;
  }

  #again(row: Row): void {
    const details = this.#details(row.pid, row.startedAt, row.name);
    if (details?.known !== true && row.details !== undefined) return;
    row.details = details;
    this.#stale = true;
  }

  #details(pid: number, startedAt: number, name: string): Details | undefined {
    return readDetails(this.#win32, pid, startedAt, name, this.#settings.mark);
  }

  /** A pid named as parent may have gone to a younger process: then the parent has ended. */
  #kin(): Map<number, { readonly parent: number; readonly startedAt: number }> {
    return new Map([...this.#rows].map(([pid, { parent, startedAt }]) => {
      const born = this.#rows.get(parent)?.startedAt;
      return [pid, { parent: born === undefined || born > startedAt || parent === pid ? IDLE : parent, startedAt }];
    }));
  }

  #build(): readonly ProcessInfo[] {
    const kin = this.#kin();
    const { self } = this.#settings;
    const ours = ourOwn(kin, self);
    const own = below(kin, kin.has(self) ? [self] : []);
    const ourSid = this.#rows.get(self)?.details?.sid;
    const chosen = [...this.#rows.values()].filter((row) => this.#isChosen(row, ourSid)).map(({ pid }) => pid);
    const members = new Map([...own, ...below(kin, chosen)].flatMap((pid) => {
      const row = this.#rows.get(pid);
      return row === undefined ? [] : [[pid, seenOf(row, kin.get(pid)?.parent ?? IDLE)]];
    }));
    const worker = workerOf(members, ours);
    return inOrder(members).map((seen) => infoOf(this.#rows.get(seen.pid) as Row, seen.parent, roleOf(seen, worker, own), ours.has(seen.pid)));
  }

  /** One whose variables we may not read counts as the site's when it runs as our user: in the sandbox that is the site's own. */
  #isChosen({ pid, details }: Row, ourSid: string | undefined): boolean {
    const { select, mark } = this.#settings;
    if (typeof select === 'object') return select.pids.includes(pid);
    const sameUser = details?.sid !== undefined && details.sid === ourSid;
    return select === 'site' && mark !== undefined ? details?.ofSite === true || (details?.known === false && sameUser) : sameUser;
  }
}

/** Explorer and the like show what Windows calls the file; ours is the same without a path. */
function nameOf({ name, details }: Row): string { return details?.name ?? name; }

function seenOf(row: Row, parent: number): Seen {
  const { pid, startedAt, details } = row;
  return { pid, parent, startedAt, name: nameOf(row), args: details?.args ?? [], scm: details?.scm ?? false, serves: details?.serves ?? false };
}

function infoOf(row: Row, parent: number, role: ProcessInfo['role'], ours: boolean): ProcessInfo {
  const { path, commandLine, user, bits } = row.details ?? {};
  return {
    pid: row.pid, startedAt: row.startedAt, parent, name: nameOf(row), role,
    ...(path === undefined ? {} : { path }),
    ...(commandLine === undefined ? {} : { commandLine }),
    ...(user === undefined ? {} : { user }),
    ...(bits === undefined ? {} : { bits }),
    ...(ours ? { ours } : {}),
  };
}

function usageOf({ startedAt, cpuMs, workingSetBytes, privateBytes, threads, handles, ioReadBytes, ioWriteBytes }: NtProcess): Usage {
  return { startedAt, cpuMs, workingSetBytes, privateBytes, threads, handles, ioReadBytes, ioWriteBytes };
}
