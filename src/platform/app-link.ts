// Owns the agent's end of the link to the preloads: finds the apps of this instance by their files, connects, and keeps their last minute.
import { readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { AppCrash, Announcement, AppFrame, MAX_FRAME_BYTES, type AppTick } from '../shared/app-link.ts';
import type { ProcessKey } from '../shared/model.ts';

/** The start of a process as the preload knows it and as the system tells it (on Linux in whole seconds of boot). */
const SAME_START_MS = 3_000;
const MAX_FILE_BYTES = 65_536;
const MAX_APPS = 64;
/** A minute of ticks, and no more than this of them in memory. */
const TICKS_KEPT = 60;
const KEPT_BYTES = 4 * 2 ** 20;
/** A connection that fails is tried again after this. */
const AGAIN_MS = 5_000;
/** A file whose process is gone stays this long, for an agent that has not seen the end yet. */
const STALE_MS = 10_000;
const FILE = /^(\d{1,10})-(\d{1,16})\.(json|crash|(?:\d{1,2})\.frame)$/;

export interface LinkedApp {
  /** As the platform lists the process: its start time too. */
  readonly process: ProcessKey;
  readonly node: string;
  readonly preload: string;
  readonly state: 'connected' | 'files' | 'connecting';
  readonly ticks: readonly AppTick[];                          // oldest first
  readonly missed: number;                                     // ticks that were sent and did not come
}

export interface AppLinksOptions {
  readonly folder: string;
  now(): number;
  /** A file of a process that is gone may be removed: only the agent that leads does. */
  mayRemove(): boolean;
}

class Known {
  readonly ticks: { readonly tick: AppTick; readonly bytes: number }[] = [];
  socket: Socket | undefined;
  state: LinkedApp['state'] = 'connecting';
  missed = 0;
  triedAt = -Infinity;
  #bytes = 0;
  #seq = -1;
  #rest: Buffer = Buffer.alloc(0);
  readonly announced: Announcement;
  readonly process: ProcessKey;

  constructor(announced: Announcement, process: ProcessKey) {
    this.announced = announced;
    this.process = process;
  }

  /** Bytes as they come; false when they are no frames of ours. */
  take(bytes: Buffer): boolean {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 4) {
      const size = this.#rest.readUInt32LE(0);
      if (size > MAX_FRAME_BYTES) return false;
      if (this.#rest.length < 4 + size) return true;
      const frame = parsed(AppFrame, this.#rest.subarray(4, 4 + size).toString('utf8'));
      this.#rest = this.#rest.subarray(4 + size);
      if (frame === undefined) return false;
      if (frame.type === 'tick') this.add(frame, size);
    }
    return true;
  }

  add(tick: AppTick, bytes: number): void {
    if (tick.seq <= this.#seq) return;
    if (this.#seq >= 0) this.missed += tick.seq - this.#seq - 1;
    this.#seq = tick.seq;
    this.ticks.push({ tick, bytes });
    this.#bytes += bytes;
    while (this.ticks.length > TICKS_KEPT || this.#bytes > KEPT_BYTES) this.#bytes -= this.ticks.shift()?.bytes ?? 0;
  }

  close(): void {
    this.socket?.destroy();
    this.socket = undefined;
    this.#rest = Buffer.alloc(0);
  }
}

export class AppLinks {
  readonly #options: AppLinksOptions;
  readonly #known = new Map<string, Known>();
  readonly #notes = new Set<string>();

  constructor(options: AppLinksOptions) {
    this.#options = options;
  }

  /** The apps that are known now, in the order of their finding. */
  apps(): readonly LinkedApp[] {
    return [...this.#known.values()].map(({ process, announced, state, ticks, missed }) => ({ process, node: announced.node, preload: announced.preload, state, ticks: ticks.map(({ tick }) => tick), missed }));
  }

  /** One look at the folder: connects to what is new, lets go of what has ended, and answers the notes of the dead that were not known yet. */
  async look(processes: readonly ProcessKey[]): Promise<readonly AppCrash[]> {
    const names = await readdir(this.#options.folder).catch((error: NodeJS.ErrnoException) => { if (error.code === 'ENOENT') return []; throw error; });
    const crashes: AppCrash[] = [];
    // Frames in the order of their slots.
    for (const name of names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))) {
      const [, pid, startedAt, kind] = FILE.exec(name) ?? [];
      if (pid === undefined || startedAt === undefined) continue;
      const process = processes.find((one) => one.pid === Number(pid) && Math.abs(one.startedAt - Number(startedAt)) <= SAME_START_MS);
      const stem = `${pid}-${startedAt}`;
      if (kind === 'crash') await this.#note(name, crashes);
      else if (process === undefined) await this.#stale(name, Number(startedAt));
      else if (kind === 'json') await this.#found(stem, process);
      else await this.#file(stem, name);
    }
    for (const [stem, known] of this.#known) {
      if (processes.some((one) => one.pid === known.process.pid && one.startedAt === known.process.startedAt)) continue;
      known.close();
      this.#known.delete(stem);
    }
    return crashes;
  }

  close(): void {
    for (const known of this.#known.values()) known.close();
    this.#known.clear();
  }

  async #found(stem: string, process: ProcessKey): Promise<void> {
    let known = this.#known.get(stem);
    if (known === undefined) {
      if (this.#known.size >= MAX_APPS) return;
      const announced = await this.#read(`${stem}.json`, Announcement);
      if (announced === undefined || announced.pid !== process.pid || !isOurs(announced.address)) return;
      known = new Known(announced, { pid: process.pid, startedAt: process.startedAt });
      this.#known.set(stem, known);
    }
    const now = this.#options.now();
    if (known.socket !== undefined || now - known.triedAt < AGAIN_MS) return;
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

  async #file(stem: string, name: string): Promise<void> {
    const known = this.#known.get(stem);
    if (known === undefined || known.state !== 'files') return;
    const bytes = await readFile(join(this.#options.folder, name)).catch(() => undefined);
    await rm(join(this.#options.folder, name), { force: true });
    if (bytes !== undefined && bytes.length <= MAX_FRAME_BYTES + 4) known.take(bytes);
  }

  async #note(name: string, crashes: AppCrash[]): Promise<void> {
    if (this.#notes.has(name)) return;
    const crash = await this.#read(name, AppCrash);
    // A note that is written once more, with the exit code, comes within the same moment: what was read first is enough to explain.
    this.#notes.add(name);
    if (this.#notes.size > 1_000) this.#notes.delete(this.#notes.values().next().value as string);
    if (crash !== undefined) crashes.push(crash);
    if (this.#options.mayRemove()) await rm(join(this.#options.folder, name), { force: true });
  }

  async #stale(name: string, startedAt: number): Promise<void> {
    if (this.#options.mayRemove() && this.#options.now() - startedAt > STALE_MS) await rm(join(this.#options.folder, name), { force: true });
  }

  async #read<T>(name: string, schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } }): Promise<T | undefined> {
    const text = await readFile(join(this.#options.folder, name), 'utf8').catch(() => undefined);
    return text === undefined || text.length > MAX_FILE_BYTES ? undefined : parsed(schema, text);
  }
}

function parsed<T>(schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } }, text: string): T | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const read = schema.safeParse(value);
  return read.success ? read.data : undefined;
}

/** The file comes from the app: we connect to nothing but sockets and pipes that carry our name. */
function isOurs(address: string): boolean {
  return /^\\\\\.\\pipe\\app-service-diag-\d+-[0-9a-f]{16}$/.test(address) || /^\/(?:[^\0]*\/)?app-service-diag-apps-\d+\/app-service-diag-\d+-[0-9a-f]{16}\.sock$/.test(address);
}
