// Owns the agent's end of the link to the preloads: finds the apps of this instance by their files, connects, keeps their last minute, and sees how they end.
import { readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { AppCrash, AppState, Announcement, MAX_FRAME_BYTES } from '../shared/app-link.ts';
import type { AppWanted } from '../shared/app-link.ts';
import type { ProcessKey } from '../shared/model.ts';
import { askApp, type Asked } from './app-ask.ts';
import { Known, parsed, type AppEnd, type LinkedApp } from './app-known.ts';

export type { AppEnd, LinkedApp } from './app-known.ts';

/** The start of a process as the preload knows it and as the system tells it (on Linux in whole seconds of boot). */
const SAME_START_MS = 3_000;
const MAX_FILE_BYTES = 65_536;
const MAX_APPS = 64;
/** Those that ended stay in sight for so long, and so many: the newest. */
const ENDED_KEPT_MS = 60_000;
const ENDED_KEPT = 16;
/** A connection that fails is tried again after this. */
const AGAIN_MS = 5_000;
/** A file whose process is gone stays this long, for an agent that has not seen the end yet. */
const STALE_MS = 10_000;
/** A process that no list here has ever shown lives elsewhere (another container) as long as it writes its files. It looks every ten seconds whether they are wanted. */
const ELSEWHERE_MS = 30_000;
/** A state that is older says nothing about an end that is noticed now. */
const STATE_FRESH_MS = 60_000;
const FILE = /^(\d{1,10})-(\d{1,16})\.(json|crash|state|want|heapsnapshot|heapprofile|report\.json|(?:\d{1,2})\.frame)(\.tmp)?$/;
/** What a watch for the heap's limit left is for the diagnoser node-heap-watch to fetch, so long after its process is gone. */
const TAKEN_KEPT_MS = 3_600_000;
const TAKEN = /^(?:heapsnapshot|heapprofile|report\.json)$/;
const NOTES_KEPT = 1_000;

export interface AppLinksOptions {
  readonly folder: string;
  now(): number;
  /** A file of a process that is gone may be removed: only the agent that leads does. */
  mayRemove(): boolean;
}

interface Found { readonly stem: string; readonly pid: number; readonly startedAt: number; readonly files: Map<string, string> }

export class AppLinks {
  readonly #options: AppLinksOptions;
  readonly #known = new Map<string, Known>();
  /** Stems whose end was told. */
  readonly #told = new Set<string>();
  /** Stems that no list has shown, and since when they are waited for. */
  readonly #awaited = new Map<string, number>();

  constructor(options: AppLinksOptions) {
    this.#options = options;
  }

  /** The apps that are known now and those that ended lately, in the order of their finding. */
  apps(): readonly LinkedApp[] {
    return [...this.#known.values()].map((known) => known.view);
  }

  /** Asks the preload of a process on a connection of its own. @throws APP_UNREACHABLE, APP_REFUSED, CANCELLED */
  ask(process: ProcessKey, wanted: AppWanted, signal: AbortSignal, onBytes: (bytes: Buffer) => Promise<void> | void = () => undefined): Promise<Asked> {
    const known = [...this.#known.values()].find((one) => one.end === undefined && one.process.pid === process.pid && one.process.startedAt === process.startedAt);
    return askApp(known?.announced, process.pid, wanted, signal, onBytes);
  }

  /** One look at the folder: connects to what is new, lets go of what has ended, and answers the ends that were not told yet. */
  async look(processes: readonly ProcessKey[]): Promise<readonly AppEnd[]> {
    const ends: AppEnd[] = [];
    const now = this.#options.now();
    const found = groupsOf(await this.#names());
    for (const group of found) await this.#one(group, processes, ends);
    for (const [stem, known] of this.#known) {
      if (known.end === undefined && !found.some((group) => group.stem === stem) && !living(known, processes)) this.#end(known, { process: known.process, at: now });
    }
    this.#forget(now);
    return ends;
  }

  close(): void {
    for (const known of this.#known.values()) known.close();
    this.#known.clear();
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#options.folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  async #one(group: Found, processes: readonly ProcessKey[], ends: AppEnd[]): Promise<void> {
    const listed = processes.find((one) => one.pid === group.pid && Math.abs(one.startedAt - group.startedAt) <= SAME_START_MS);
    const known = this.#known.get(group.stem);
    if (known !== undefined && listed !== undefined) known.listed = true;
    if (group.files.has('crash')) await this.#note(group, known, ends);
    const alive = listed ?? (known?.listed === true || known?.end !== undefined ? undefined : await this.#elsewhere(group));
    if (alive === 'perhaps') return;
    if (alive === undefined) { await this.#gone(group, known, ends); return; }
    if (group.files.has('json')) await this.#follow(group.stem, alive, listed !== undefined);
    for (const [kind, name] of group.files) if (kind.endsWith('.frame')) await this.#frame(group.stem, name);
  }

  /** Not in our list: where its files are fresh it lives where we cannot look. Until that is known its files are asked for. */
  async #elsewhere({ stem, pid, startedAt, files }: Found): Promise<ProcessKey | 'perhaps' | undefined> {
    if (!files.has('json')) return undefined;
    const now = this.#options.now();
    for (const kind of ['state', ...[...files.keys()].filter((one) => one.endsWith('.frame'))]) {
      const name = files.get(kind);
      const seen = name === undefined ? undefined : await stat(join(this.#options.folder, name)).catch(() => undefined);
      if (seen !== undefined && Math.abs(now - seen.mtimeMs) < ELSEWHERE_MS) return { pid, startedAt };
    }
    const since = this.#awaited.get(stem) ?? now;
    if (!this.#awaited.has(stem)) {
      if (this.#awaited.size >= MAX_APPS) return undefined;
      this.#awaited.set(stem, now);
      await writeFile(join(this.#options.folder, `${stem}.want`), '').catch(() => undefined);     // a folder that cannot be written: then it is not seen
    }
    return now - since < ELSEWHERE_MS ? 'perhaps' : undefined;
  }

  async #follow(stem: string, process: ProcessKey, listed: boolean): Promise<void> {
    let known = this.#known.get(stem);
    if (known === undefined) {
      if ([...this.#known.values()].filter((one) => one.end === undefined).length >= MAX_APPS) return;
      const announced = await this.#read(`${stem}.json`, Announcement);
      if (announced === undefined || announced.pid !== process.pid || !isOurs(announced.address)) return;
      known = new Known(announced, { pid: process.pid, startedAt: process.startedAt }, listed);
      this.#known.set(stem, known);
    }
    const now = this.#options.now();
    if (known.socket !== undefined || known.end !== undefined || now - known.triedAt < AGAIN_MS) return;
    known.triedAt = now;
    this.#connect(stem, known);
  }

  #connect(stem: string, known: Known): void {
    const socket = connect(known.announced.address);
    known.socket = socket;
    socket.unref();
    socket.on('connect', () => { known.state = 'connected'; });
    socket.on('data', (bytes) => { if (!known.take(bytes)) socket.destroy(); });
    socket.on('error', () => { if (known.state !== 'connected') void this.#want(stem, known); });
    socket.on('close', () => { if (known.socket === socket) { known.close(); if (known.state === 'connected') known.state = 'connecting'; } });
  }

  /** Another container: the app looks for this file, and writes its frames beside it. */
  async #want(stem: string, known: Known): Promise<void> {
    const path = join(this.#options.folder, `${stem}.want`);
    const at = this.#options.now() / 1_000;
    try {
      await utimes(path, at, at).catch(() => writeFile(path, ''));
      known.state = 'files';
    } catch {
      known.state = 'connecting';                              // a folder that cannot be written: the state says that nothing comes
    }
  }

  async #frame(stem: string, name: string): Promise<void> {
    const known = this.#known.get(stem);
    if (known === undefined || known.state !== 'files') return;
    const bytes = await readFile(join(this.#options.folder, name)).catch(() => undefined);
    await rm(join(this.#options.folder, name), { force: true });
    if (bytes !== undefined && bytes.length <= MAX_FRAME_BYTES + 4) known.take(bytes);
  }

  /** A note that is written once more, with the exit code, comes within the same moment: what was read first is enough to explain. */
  async #note({ stem, pid, startedAt }: Found, known: Known | undefined, ends: AppEnd[]): Promise<void> {
    if (!this.#told.has(stem)) {
      const crash = await this.#read(`${stem}.crash`, AppCrash);
      this.#tell(stem);
      if (crash !== undefined && crash.pid === pid) {
        const end: AppEnd = { process: known?.process ?? { pid, startedAt }, at: crash.at, crash, ...known?.last };
        if (known !== undefined) this.#end(known, end);
        ends.push(end);
      }
    }
    if (this.#options.mayRemove()) await rm(join(this.#options.folder, `${stem}.crash`), { force: true });
  }

  /** The process is gone. Where its announcement is still there, it did not come to take it away: something ended it from one moment to the next. */
  async #gone(group: Found, known: Known | undefined, ends: AppEnd[]): Promise<void> {
    const { stem, pid, startedAt, files } = group;
    const now = this.#options.now();
    const process = known?.process ?? { pid, startedAt };
    if (!this.#told.has(stem) && files.has('json')) {
      const state = files.has('state') ? await this.#read(`${stem}.state`, AppState) : undefined;
      this.#tell(stem);
      if (known !== undefined || (state !== undefined && now - state.at < STATE_FRESH_MS)) {
        const end: AppEnd = { process, at: now, ...(state?.pid === pid ? { state } : {}), ...known?.last };
        if (known !== undefined) this.#end(known, end);
        ends.push(end);
      }
    }
    if (known !== undefined && known.end === undefined) this.#end(known, { process, at: now });
    if (!this.#options.mayRemove() || now - startedAt <= STALE_MS) return;
    for (const [kind, name] of files) if (!TAKEN.test(kind) || await this.#isOld(name)) await rm(join(this.#options.folder, name), { force: true });
  }

  async #isOld(name: string): Promise<boolean> {
    const seen = await stat(join(this.#options.folder, name)).catch(() => undefined);
    return seen !== undefined && this.#options.now() - seen.mtimeMs > TAKEN_KEPT_MS;
  }

  #end(known: Known, end: AppEnd): void {
    known.end ??= end;
    known.close();
  }

  #tell(stem: string): void {
    this.#told.add(stem);
    if (this.#told.size > NOTES_KEPT) this.#told.delete(this.#told.values().next().value as string);
  }

  #forget(now: number): void {
    for (const [stem, since] of this.#awaited) if (now - since > 2 * ELSEWHERE_MS) this.#awaited.delete(stem);
    const ended = [...this.#known].filter(([, { end }]) => end !== undefined).reverse();
    ended.forEach(([stem, { end }], i) => { if (i >= ENDED_KEPT || now - (end?.at ?? now) > ENDED_KEPT_MS) this.#known.delete(stem); });
  }

  async #read<T>(name: string, schema: Parameters<typeof parsed<T>>[0]): Promise<T | undefined> {
    const text = await readFile(join(this.#options.folder, name), 'utf8').catch(() => undefined);
    return text === undefined || text.length > MAX_FILE_BYTES ? undefined : parsed(schema, text);
  }
}

function living(known: Known, processes: readonly ProcessKey[]): boolean {
  return processes.some((one) => one.pid === known.process.pid && one.startedAt === known.process.startedAt);
}

/** The files of each process, frames in the order of their slots. */
function groupsOf(names: readonly string[]): readonly Found[] {
  const groups = new Map<string, Found>();
  for (const name of [...names].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))) {
    const [, pid, startedAt, kind, temp] = FILE.exec(name) ?? [];
    if (pid === undefined || startedAt === undefined || kind === undefined) continue;
    const stem = `${pid}-${startedAt}`;
    const group = groups.get(stem) ?? { stem, pid: Number(pid), startedAt: Number(startedAt), files: new Map<string, string>() };
    group.files.set(`${kind}${temp ?? ''}`, name);
    groups.set(stem, group);
  }
  return [...groups.values()];
}

/** The file comes from the app: we connect to nothing but sockets and pipes that carry our name. */
function isOurs(address: string): boolean {
  return /^\\\\\.\\pipe\\app-service-diag-\d+-[0-9a-f]{16}$/.test(address) || /^\/(?:[^\0]*\/)?app-service-diag-apps-\d+\/app-service-diag-\d+-[0-9a-f]{16}\.sock$/.test(address);
}
