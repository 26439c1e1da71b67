// Owns the process list where we have no door of our own: systeminformation's, asked rarely because it starts other programs.
import { userInfo } from 'node:os';
import type { ProcessInfo } from '../../shared/model.ts';
import { below, inOrder, ourOwn, roleOf, workerOf, type Seen } from '../roles.ts';
import { shownCommand } from '../site-mark.ts';

/** One listing costs some 80 ms in child programs (facts of the bench): it serves for this long. */
const LIST_EVERY_MS = 5_000;
/** A listing counts the start back from now in whole seconds, so it moves by one; a larger step is another process under the same pid. */
const SAME_START_MS = 2_000;

export type Selection = 'site' | 'all' | { readonly pids: readonly number[] };

interface Row extends Seen { readonly path: string; readonly commandLine: string; readonly user: string }

export class ProcessList {
  readonly #self: number;
  readonly #select: Selection;
  readonly #everyMs: number;
  #rows: ReadonlyMap<number, Row> = new Map();
  #list: readonly ProcessInfo[] = [];
  #readAt = -Infinity;
  #reading: Promise<void> | undefined;

  constructor(self: number, select: Selection, everyMs = LIST_EVERY_MS) {
    this.#self = self;
    this.#select = select;
    this.#everyMs = everyMs;
  }

  /** Not older than `everyMs`. */
  async recent(): Promise<readonly ProcessInfo[]> {
    if (performance.now() - this.#readAt >= this.#everyMs) await this.#read();
    return this.#list;
  }

  /** Every live process, read anew. */
  async everyone(): Promise<ReadonlyMap<number, Row>> {
    await this.#read();
    return this.#rows;
  }

  /** Start of a process as last listed: always the same number for the same process. */
  startedAt(pid: number): number | undefined { return this.#rows.get(pid)?.startedAt; }

  async #read(): Promise<void> {
    this.#reading ??= this.#ask();
    try {
      await this.#reading;
    } finally {
      this.#reading = undefined;
    }
  }

  async #ask(): Promise<void> {
    const { default: systeminformation } = await import('systeminformation');
    const { list } = await systeminformation.processes();
    this.#rows = new Map(list.filter((one) => one.state !== 'zombie' && one.pid > 0).map((one) => [one.pid, this.#steady(rowOf(one))]));
    this.#list = this.#build();
    this.#readAt = performance.now();
  }

  /** The same process keeps the start it was first seen with. */
  #steady(row: Row): Row {
    const before = this.#rows.get(row.pid)?.startedAt;
    return before !== undefined && Math.abs(before - row.startedAt) <= SAME_START_MS ? { ...row, startedAt: before } : row;
  }

  #build(): readonly ProcessInfo[] {
    const all = this.#rows;
    const ours = ourOwn(all, this.#self);
    const own = below(all, all.has(this.#self) ? [this.#self] : []);
    const chosen = this.#chosen(all);
    const members = new Map([...all].filter(([pid]) => chosen.has(pid) || own.has(pid)));
    const worker = workerOf(members, ours);
    return inOrder(members).map((row) => infoOf(row, roleOf(row, worker, own), ours.has(row.pid)));
  }

  /** Environments of other processes cannot be read here, so the site is everything of our user. */
  #chosen(all: ReadonlyMap<number, Row>): Set<number> {
    if (typeof this.#select === 'object') return below(all, this.#select.pids.filter((pid) => all.has(pid)));
    const user = all.get(this.#self)?.user ?? userInfo().username;
    return new Set([...all.values()].filter((row) => row.user === user).map((row) => row.pid));
  }
}

interface Listed { pid: number; parentPid: number; name: string; started: string; state: string; command: string; params: string; path: string; user: string }

function rowOf(one: Listed): Row {
  const args = [one.command, ...one.params.split(' ')].filter((arg) => arg !== '');
  const startedAt = Date.parse(one.started.replace(' ', 'T'));       // local time, whole seconds
  return {
    pid: one.pid, parent: one.parentPid, startedAt: Number.isNaN(startedAt) ? 0 : startedAt, name: one.name, args, scm: false, serves: false,
    path: one.path, commandLine: args.join(' '), user: one.user,
  };
}

function infoOf(row: Row, role: ProcessInfo['role'], ours: boolean): ProcessInfo {
  const shown = shownCommand(row.commandLine);
  return {
    pid: row.pid, startedAt: row.startedAt, parent: row.parent, name: row.name, role,
    ...(row.path === '' ? {} : { path: row.path }),
    ...(shown === undefined ? {} : { commandLine: shown }),
    ...(row.user === '' ? {} : { user: row.user }),
    ...(ours ? { ours } : {}),
  };
}
