// Owns the table of processes: one cheap pass over /proc a second, details only of what is new, and the list that others see.
import { readdirSync } from 'node:fs';
import { DiagError } from '../../shared/errors.ts';
import type { ProcessInfo } from '../../shared/model.ts';
import { parseStat, type ProcStat } from '../parse/proc-stat.ts';
import { readMarks } from './details.ts';
import { infoOf, isChosen, membersOf, type Choice, type Members, type Row } from './members.ts';
import { lastPid, scratch, type ProcReader } from './read.ts';

export interface TableSettings extends Choice { readonly bootAt: number }

interface Line { readonly line: Buffer; readonly length: number; readonly stat: ProcStat }

/** Stat lines have some 200 to 330 bytes; a longer one is parsed each time. */
const LINE_BYTES = 400;
/** Userspace always sees 100 ticks a second (USER_HZ is part of the ABI on every architecture App Service has), whatever the kernel's own HZ is. */
export const MS_PER_TICK = 10;
/** Between fork and exec a process still shows its parent's name, arguments and environment: what was read then is read once more. */
const CONFIRM_AFTER_MS = 500;
/** Kernel threads and other people's processes are looked at again only every so many passes; a machine has hundreds of them. */
const OTHERS_TURNS = 16;
/** /proc is listed when a process was started since; and every so many passes anyhow, should a sandbox not tell. */
const LISTING_TURNS = 4;
/** What the list has just read serves the usage asked right after it. */
const FRESH_MS = 10;

export class ProcessTable {
  readonly #reader: ProcReader;
  readonly #settings: TableSettings;
  readonly #rows = new Map<number, Row>();
  readonly #kernel = new Set<number>();
  /** The last line of each row's process: an idle process has the same one for minutes, and comparing costs a tenth of parsing. */
  readonly #lines = new Map<number, Line>();
  #members: Members = { pids: new Set(), list: [] };
  #turn = 0;
  #lastPid: number | undefined;
  #stale = true;

  constructor(reader: ProcReader, settings: TableSettings) {
    this.#reader = reader;
    this.#settings = settings;
  }

  startedAt(stat: ProcStat): number { return this.startOf(stat.startTicks); }
  startOf(startTicks: number): number { return this.#settings.bootAt + startTicks * MS_PER_TICK; }

  /** One process now; undefined when it does not live. A zombie does not. */
  stat(pid: number): ProcStat | undefined {
    // A kept descriptor of a process that ended says so; the pid may belong to a new one by now, so it is opened once more.
    return this.#statOnce(pid) ?? this.#statOnce(pid);
  }

  #statOnce(pid: number): ProcStat | undefined {
    const length = this.#reader.read(pid, 'stat');
    const stat = length > 0 ? this.#parsed(pid, length) : undefined;
    if (stat !== undefined && stat.state !== 'Z' && stat.state !== 'X') return stat;
    this.#reader.forget(pid);
    return undefined;
  }

  #parsed(pid: number, length: number): ProcStat | undefined {
    const seen = this.#lines.get(pid);
    if (seen?.length === length && seen.line.compare(scratch, 0, length, 0, length) === 0) return seen.stat;
    const stat = parseStat(scratch, length);
    if (stat === undefined || length > LINE_BYTES || !this.#rows.has(pid)) return stat;
    const line = seen?.line ?? Buffer.allocUnsafeSlow(LINE_BYTES);
    scratch.copy(line, 0, 0, length);
    this.#lines.set(pid, { line, length, stat });
    return stat;
  }

  /** As stat(), or what the list read of it in the last 10 ms. */
  recentStat(pid: number, now: number): ProcStat | undefined {
    const row = this.#rows.get(pid);
    if (row !== undefined && now - row.readAt < FRESH_MS) return row.stat;
    return this.stat(pid);
  }

  /** The list as it is now: the same array as before when nothing changed. */
  scan(): readonly ProcessInfo[] {
    return this.#refresh(false);
  }

  #refresh(everything: boolean): readonly ProcessInfo[] {
    this.#pass(everything);
    if (this.#stale) this.#members = membersOf(this.#rows, this.#settings);
    this.#stale = false;
    return this.#members.list;
  }

  /** A process as the list would show it, also one outside of the list. It must be known: everyone() was asked just before. */
  one(pid: number): ProcessInfo {
    const row = this.#rows.get(pid);
    if (row === undefined) throw new DiagError('PROCESS_GONE', { pid });
    return this.#members.list.find((info) => info.pid === pid) ?? infoOf(row, undefined, false);
  }

  /** Every live process of the machine that we can see, as of now. */
  everyone(): ReadonlyMap<number, { readonly parent: number; readonly startedAt: number }> {
    this.#refresh(true);
    return new Map([...this.#rows].map(([pid, { stat, startedAt }]) => [pid, { parent: stat.parent, startedAt }]));
  }

  #forget(pid: number): void {
    this.#reader.forget(pid);
    this.#lines.delete(pid);
    if (this.#rows.delete(pid) && this.#members.pids.has(pid)) this.#stale = true;
  }

  #pass(everything: boolean): void {
    this.#turn = (this.#turn + 1) % OTHERS_TURNS;
    const now = performance.now();
    const last = lastPid();
    const started = last === undefined || last !== this.#lastPid || this.#turn % LISTING_TURNS === 0;
    this.#lastPid = last;
    if (everything || started) this.#listing(now, everything);
    else for (const pid of this.#rows.keys()) if (this.#due(pid)) this.#look(pid, now);
  }

  #listing(now: number, everything: boolean): void {
    const alive = new Set<number>();
    for (const entry of readdirSync('/proc')) {
      const pid = pidOf(entry);
      if (pid === 0) continue;
      alive.add(pid);
      if (everything || this.#due(pid)) this.#look(pid, now);
    }
    for (const pid of this.#rows.keys()) if (!alive.has(pid)) this.#forget(pid);
    for (const pid of this.#kernel) if (!alive.has(pid)) this.#kernel.delete(pid);
  }

  /** Ours and the site's every time, what is new until it is confirmed, others in turn. */
  #due(pid: number): boolean {
    if (this.#members.pids.has(pid) || pid % OTHERS_TURNS === this.#turn) return true;
    const row = this.#rows.get(pid);
    return row === undefined ? !this.#kernel.has(pid) : !row.confirmed;
  }

  #look(pid: number, now: number): void {
    const stat = this.stat(pid);
    if (stat?.kernelThread === true) this.#kernel.add(pid); else this.#kernel.delete(pid);
    if (stat === undefined || stat.kernelThread) {
      this.#forget(pid);
      return;
    }
    const row = this.#rows.get(pid);
    if (row !== undefined && row.stat.startTicks === stat.startTicks) this.#again(row, stat, now);
    else this.#add({ stat, startedAt: this.startedAt(stat), readAt: now, marks: readMarks(pid, this.#settings.mark), details: undefined, confirmed: false, foundAt: now });
  }

  #add(row: Row): void {
    this.#rows.set(row.stat.pid, row);
    this.#touch(row);
  }

  #again(row: Row, stat: ProcStat, now: number): void {
    const before = row.stat;
    row.stat = stat;
    row.readAt = now;
    const renamed = before.comm !== stat.comm;
    if (before.parent !== stat.parent) this.#touch(row);
    if (!renamed && (row.confirmed || now - row.foundAt < CONFIRM_AFTER_MS)) return;
    row.marks = readMarks(stat.pid, this.#settings.mark);
    row.details = undefined;
    row.confirmed = !renamed;
    this.#touch(row);
  }

  /** The list is made anew only when one of its own changes, comes or goes; the machine's other processes come and go by the hundred. */
  #touch({ stat, marks }: Row): void {
    const { pids } = this.#members;
    if (pids.has(stat.pid) || pids.has(stat.parent) || isChosen(stat.pid, marks, this.#settings)) this.#stale = true;
  }
}

/** 0 for entries of /proc that are no process. */
function pidOf(entry: string): number {
  const first = entry.charCodeAt(0);
  return first >= 0x31 && first <= 0x39 ? Number(entry) : 0;
}
