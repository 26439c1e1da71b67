// Owns this instance's part in a restart over the instances: files on the shared home, its own turn, and the word that stops it.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { DiagError, sayError } from '../shared/errors.ts';
import type { ProcessKey } from '../shared/model.ts';
import { Walk, WalkOrder, WalkPresence, WalkStop, WalkTurn, type SiteRestart, type WalkView } from '../shared/restart.ts';
import { codeIn, namesIn, writeAtomic } from '../store/atomic.ts';
import { moveOf, signOf, viewOf, type WalkFiles } from './restart-walk.ts';

/** The call to the instances stays open for so many looks: each of them looks once in that time, with room. */
const CALL_LOOKS = 3;
const MAX_INSTANCES = 100;

export interface WalkerPorts {
  readonly folder: string;
  readonly instance: string;
  readonly lookEveryMs: number;
  now(): number;
  monotonic(): number;
  /** Whether this agent acts for its instance. */
  leads(): boolean;
  workers(signal: AbortSignal): Promise<readonly ProcessKey[]>;
  /** @throws as mitigate/restart.ts */
  restart(target: ProcessKey, walk: Walk, signal: AbortSignal): Promise<void>;
  /** Resolves with words when the instance answers. @throws when it does not */
  healthy(path: string, signal: AbortSignal): Promise<string>;
}

export class RestartWalker {
  readonly #ports: WalkerPorts;
  #view: WalkView | undefined;
  #seen = { sign: '', since: 0 };
  #said = '';
  #called: { readonly id: string; readonly at: number } | undefined;
  #turn: { readonly walk: string; readonly ending: AbortController; done: Promise<void>; beat: WalkTurn } | undefined;
  #looking: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(ports: WalkerPorts) {
    this.#ports = ports;
  }

  /** As of the last look. */
  view(): WalkView | undefined { return this.#view; }

  /** @throws OPERATION_BUSY */
  async begin({ overlapped, pauseMs, path, reason }: Pick<SiteRestart, 'pauseMs' | 'path' | 'reason'> & { overlapped: boolean }, who: string): Promise<WalkView> {
    const there = await this.#read();
    const before = there && viewOf(there);
    if (before?.state === 'calling' || before?.state === 'running') throw new DiagError('OPERATION_BUSY', { what: 'A restart over the instances', operation: `restart-${before.id}` });
    const at = this.#ports.now();
    const walk: Walk = { version: 1, id: `${at.toString(36)}-${this.#ports.instance.toLowerCase().replace(/[^a-z0-9-]/g, '-').slice(0, 20)}`, at, who, overlapped, pauseMs, path, ...(reason === undefined ? {} : { reason }) };
    await mkdir(this.#ports.folder, { recursive: true });
    for (const name of (await namesIn(this.#ports.folder)).filter((one) => /^(present|turn)-.*\.json$/.test(one))) await rm(join(this.#ports.folder, name), { force: true });
    await this.#write('walk.json', walk);
    this.#called = { id: walk.id, at: this.#ports.monotonic() };
    this.#view = viewOf({ walk, order: undefined, turns: [], stop: undefined });
    return this.#view;
  }

  /** An instance that has begun its restart ends it, and is not asked afterwards. */
  async stop(who: string): Promise<void> {
    const files = await this.#read();
    const view = files && viewOf(files);
    if (view === undefined || (view.state !== 'calling' && view.state !== 'running')) throw new DiagError('OPERATION_UNKNOWN', { operation: 'restart over the instances' });
    await this.#halt(view.id, 'cancel', who, 'it was cancelled');
    await this.look();
  }

  /** One look at a time, every few seconds: sees how the walk stands, and does what is this instance's to do. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => { this.#looking = undefined; });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const before = this.#turn;
    const files = await this.#read();
    this.#view = files && viewOf(files);
    // A turn that ended while we read stands in the files as one that still runs.
    if (files === undefined || before !== this.#turn) return;
    const { walk } = files;
    const sign = signOf(files);
    if (sign !== this.#seen.sign) this.#seen = { sign, since: this.#ports.monotonic() };
    if (this.#turn !== undefined) {
      if (this.#turn.walk !== walk.id || this.#view?.state !== 'running') this.#turn.ending.abort();
      else await this.#sign({});
      return;
    }
    await this.#close(walk);
    const quietMs = this.#ports.monotonic() - this.#seen.since;
    const move = this.#ports.leads() ? moveOf(files, this.#ports.instance, { quietMs, said: this.#said === walk.id }) : 'none';
    if (move === 'say-present') { await this.#write(`present-${this.#ports.instance}.json`, { walk: walk.id, instance: this.#ports.instance }); this.#said = walk.id; }
    if (move === 'call-silence') await this.#halt(walk.id, 'silence', this.#ports.instance, `${this.#view?.instances.find(({ state }) => state !== 'done')?.instance ?? 'the instance that began it'} has given no sign for too long`);
    if (move === 'take-turn') this.#take(walk, files.turns.find(({ instance }) => instance === this.#ports.instance));
  }

  /** Resolves when nothing of this instance's turn runs any more. */
  async end(): Promise<void> {
    this.#turn?.ending.abort();
    await this.#turn?.done;
  }

  /** Who began it says, after the call, who takes part; in the order of their names. */
  async #close(walk: Walk): Promise<void> {
    if (this.#called?.id !== walk.id || this.#ports.monotonic() - this.#called.at < CALL_LOOKS * this.#ports.lookEveryMs) return;
    this.#called = undefined;
    const names = (await namesIn(this.#ports.folder)).filter((name) => /^present-.*\.json$/.test(name)).slice(0, MAX_INSTANCES);
    const there = (await Promise.all(names.map((name) => this.#parsed(name, WalkPresence)))).flatMap((one) => (one?.walk === walk.id ? [one.instance] : []));
    if (there.length === 0) await this.#halt(walk.id, 'silence', this.#ports.instance, 'no instance has an agent that acts');
    else await this.#write('order.json', { walk: walk.id, instances: [...new Set(there)].sort() });
  }

  #take(walk: Walk, left: WalkTurn | undefined): void {
    const ending = new AbortController();
    const beat: WalkTurn = left ?? { walk: walk.id, instance: this.#ports.instance, state: 'at-work', beat: 0, at: this.#ports.now(), targets: [] };
    const turn = { walk: walk.id, ending, beat, done: Promise.resolve() };
    this.#turn = turn;
    turn.done = this.#work(walk, left, ending.signal).finally(() => { this.#turn = undefined; });
  }

  /** Never throws: how it went stands in its file. What an earlier run of the agent began goes on with the processes that were meant. */
  async #work(walk: Walk, left: WalkTurn | undefined, signal: AbortSignal): Promise<void> {
    try {
      const there = await this.#ports.workers(signal);
      const targets = left === undefined ? there : left.targets.filter((one) => there.some(({ pid, startedAt }) => pid === one.pid && startedAt === one.startedAt));
      await this.#sign({ state: 'at-work', ...(left === undefined ? { targets: targets.map(({ pid, startedAt }) => ({ pid, startedAt })) } : {}) });
      for (const target of targets) await this.#ports.restart(target, walk, signal);
      await this.#sign({ state: 'probing' });
      await this.#sign({ state: 'done', says: await this.#ports.healthy(walk.path, signal) });
    } catch (error) {
      await this.#sign({ state: 'failed', says: signal.aborted ? 'it was stopped in the middle of its turn' : sayError(error).slice(0, 900) }).catch(() => undefined);   // a home that takes no file is seen by the others as silence
    }
  }

  /** One write at a time, each of what is so at that moment: an older sign never comes to lie over a newer one. */
  async #sign(patch: Partial<WalkTurn>): Promise<void> {
    const turn = this.#turn;
    if (turn === undefined) return;
    turn.beat = { ...turn.beat, ...patch, beat: turn.beat.beat + 1, at: this.#ports.now() };
    const writing = this.#writing.catch(() => undefined).then(() => this.#write(`turn-${this.#ports.instance}.json`, turn.beat));
    this.#writing = writing;
    await writing;
  }

  async #halt(walk: string, by: 'cancel' | 'silence', who: string, says: string): Promise<void> {
    await this.#write('stop.json', { walk, by, who: who.slice(0, 200), at: this.#ports.now(), says });
  }

  async #read(): Promise<WalkFiles | undefined> {
    const walk = await this.#parsed('walk.json', Walk);
    if (walk === undefined) return undefined;
    const order = await this.#parsed('order.json', WalkOrder);
    const mine = order?.walk === walk.id ? order : undefined;
    const turns = (await Promise.all((mine?.instances ?? []).map((instance) => this.#parsed(`turn-${instance}.json`, WalkTurn)))).filter((one) => one?.walk === walk.id);
    const stop = await this.#parsed('stop.json', WalkStop);
    return { walk, order: mine, turns: turns.filter((one) => one !== undefined), stop: stop?.walk === walk.id ? stop : undefined };
  }

  /** What cannot be read is as if it were not there: it may be half written on the share, and is looked at again. */
  async #parsed<S extends z.ZodType>(name: string, form: S): Promise<z.infer<S> | undefined> {
    try {
      return form.safeParse(JSON.parse(await readFile(join(this.#ports.folder, name), 'utf8'))).data;
    } catch (error) {
      if (codeIn(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  async #write(name: string, content: object): Promise<void> {
    await writeAtomic(join(this.#ports.folder, name), JSON.stringify(content));
  }
}
