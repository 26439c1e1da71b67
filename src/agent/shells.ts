// Owns the shells of this agent: opened and ended with an audit, bounded in number and in idle time, ended with the agent.
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { z } from 'zod';
import { DiagError, codeOf, sayError } from '../shared/errors.ts';
import type { Offer } from '../shared/model.ts';
import type { OpenShell, ShellList, ShellView } from '../shared/shells.ts';
import { duration } from '../shared/units.ts';
import { within } from '../platform/clock.ts';
import { workerOf } from '../analyze/target.ts';
import type { Parts } from './agent.ts';
import type { Config } from './config.ts';
import { shellEnvironment } from './shell/environment.ts';
import { givesWay } from './shell/give-way.ts';
import { ShellSession, type Attached, type Viewer } from './shell/session.ts';

/** Running at once. Kudu's five. */
export const MAX_SHELLS = 5;
/** Ended ones whose output and exit code can still be read. */
const KEPT_ENDED = 5;
const LOOK_EVERY_MS = 2_000;
/** Something runs, and nobody has looked or typed since: forgotten. */
const FORGOTTEN_MS = 12 * 3_600_000;
const ENVIRONMENT_MS = 2_000;

const GAVE_WAY = `It was ended to make room: there are at most ${MAX_SHELLS} shells, and it was the one least recently used that ran nothing.`;
const AGENT_ENDS = 'It was ended with the agent.';

export interface Shells {
  offer(): Offer;
  list(): Promise<ShellList>;
  /** @throws SHELL_OFF, SHELL_LIMIT, SHELL_FAILED, BAD_INPUT */
  open(order: z.infer<typeof OpenShell>, who: string): Promise<{ shell: ShellView; ended?: ShellView }>;
  /** The page's terminal. @throws SHELL_OFF, SHELL_UNKNOWN */
  attach(id: string, viewer: Viewer): Promise<Attached>;
  /** @throws SHELL_UNKNOWN */
  rename(id: string, title: string, who: string): Promise<ShellView>;
  /** Ends it where it runs, and forgets it. @throws SHELL_UNKNOWN, TIMED_OUT */
  end(id: string, who: string): Promise<void>;
  /** Ends all; never rejects. */
  stop(): Promise<void>;
}

type Made = Pick<Parts, 'platform' | 'observed' | 'audit' | 'log'>;

export function createShells(parts: Made, config: Pick<Config, 'shell' | 'shellIdleMs' | 'env'>): Shells {
  return new OpenShells(parts, config);
}

class OpenShells implements Shells {
  readonly #parts: Made;
  readonly #config: Pick<Config, 'shell' | 'shellIdleMs' | 'env'>;
  readonly #sessions = new Map<string, ShellSession>();
  readonly #seenBy = new Map<string, Set<string>>();
  readonly #ending = new AbortController();
  readonly #numbers = new Map<string, number>();
  #looking: Promise<void> | undefined;
  /** One opening at a time: two would count the same room. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: Made, config: Pick<Config, 'shell' | 'shellIdleMs' | 'env'>) {
    this.#parts = parts;
    this.#config = config;
  }

  offer(): Offer {
    if (!this.#config.shell) return { yes: false, because: 'the setting DIAG_SHELL is off' };
    if (this.#ending.signal.aborted) return { yes: false, because: 'the agent ends' };
    if (this.#parts.platform.shells.list().length === 0) return { yes: false, because: 'there is no shell on this machine that the agent can use' };
    return { yes: true };
  }

  async list(): Promise<ShellList> {
    const offer = this.offer();
    const shells = await Promise.all([...this.#sessions.values()].map(async (session) => session.view(await session.busy())));
    return { offer, kinds: offer.yes ? this.#parts.platform.shells.list().map(({ id, title }) => ({ id, title })) : [], limit: MAX_SHELLS, shells };
  }

  async open(order: z.infer<typeof OpenShell>, who: string): Promise<{ shell: ShellView; ended?: ShellView }> {
    this.#refuseOff();
    const turn = this.#turn.then(() => this.#open(order, who));
    this.#turn = turn.catch(() => undefined);                  // whoever comes next does not fail with this one
    return await turn;
  }

  async attach(id: string, viewer: Viewer): Promise<Attached> {
    this.#refuseOff();
    const session = this.#of(id);
    const seenBy = this.#seenBy.get(id);
    if (seenBy?.has(viewer.who) === false) {
      seenBy.add(viewer.who);
      await this.#parts.audit(viewer.who, 'look at shell', session.title, `opened by ${session.openedBy}`);
    }
    return session.attach(viewer);
  }

  async rename(id: string, title: string, who: string): Promise<ShellView> {
    const session = this.#of(id);
    const before = session.title;
    session.rename(title);
    await this.#parts.audit(who, 'rename shell', before, `now ${title}`);
    return session.view(await session.busy());
  }

  async end(id: string, who: string): Promise<void> {
    const session = this.#of(id);
    await session.end(`It was ended by ${who}.`);
    this.#forget(id);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#turn;
    await Promise.all([...this.#sessions.values()].map(async (session) => { await this.#tryEnd(session, AGENT_ENDS); await session.over; }));
    await this.#looking;
  }

  async #open(order: z.infer<typeof OpenShell>, who: string): Promise<{ shell: ShellView; ended?: ShellView }> {
    this.#refuseOff();                                         // the agent may have begun to end while this one waited
    const { platform, audit } = this.#parts;
    const kinds = platform.shells.list();
    const shell = order.shell ?? kinds[0]?.id;
    if (shell === undefined || !kinds.some(({ id }) => id === shell)) throw new DiagError('SHELL_FAILED', { shell: shell ?? '(none)', why: 'it is not on this machine' });
    const cwd = await folder(order.cwd ?? platform.host.folders.home);
    const ended = await this.#makeRoom();
    const title = order.title ?? this.#numbered(shell);
    const env = shellEnvironment(this.#config.env, await this.#appVariables(), platform.host.folders);
    const { cols, rows } = order;
    const id = randomBytes(6).toString('hex');
    const session = await ShellSession.open({ id, title, shell, openedBy: who, cols, rows }, platform.clock, (output) => platform.shells.open({ shell, cwd, cols, rows, env, output }));
    this.#sessions.set(id, session);
    this.#seenBy.set(id, new Set([who]));
    void session.over.then(() => this.#audited(session));
    this.#looking ??= this.#look();
    await audit(who, 'open shell', title, `${session.view().by}, process ${session.pid}, in ${cwd}`);
    return { shell: session.view(), ...(ended === undefined ? {} : { ended: ended.view() }) };
  }

  /** @throws SHELL_LIMIT */
  async #makeRoom(): Promise<ShellSession | undefined> {
    const running = [...this.#sessions.values()].filter((one) => !one.isOver);
    const candidates = await Promise.all(running.map(async (one) => ({ id: one.id, usedAt: one.usedAt, busy: await one.busy() })));
    const way = givesWay(candidates, MAX_SHELLS);
    if ('full' in way) throw new DiagError('SHELL_LIMIT', { limit: MAX_SHELLS });
    if ('room' in way) return undefined;
    const session = this.#of(way.ends);
    await session.end(GAVE_WAY);
    return session;
  }

  #numbered(shell: string): string {
    const number = (this.#numbers.get(shell) ?? 0) + 1;
    this.#numbers.set(shell, number);
    return `${shell} ${number}`;
  }

  /** What the site's app was given; nothing where it cannot be read. */
  async #appVariables(): Promise<readonly { name: string; value: string }[]> {
    const { platform, observed, log } = this.#parts;
    const worker = workerOf(observed.processes());
    if (worker === undefined) return [];
    try {
      return await platform.environment(worker.pid, within(ENVIRONMENT_MS));
    } catch (error) {
      log.info('a shell has no variables of the app', { why: sayError(error), code: codeOf(error) });
      return [];
    }
  }

  async #tryEnd(session: ShellSession, because: string): Promise<void> {
    try {
      await session.end(because);
    } catch (error) {
      this.#parts.log.error('a shell did not end', { shell: session.title, pid: session.pid }, error);
    }
  }

  async #audited(session: ShellSession): Promise<void> {
    const { ended, openedAt } = session.view();
    this.#forgetOldest();
    const said = [ended?.because, ended?.exitCode === undefined || session.because === undefined ? undefined : `Exit code ${ended.exitCode}.`, `Open ${duration((ended?.at ?? openedAt) - openedAt)}.`];
    await this.#parts.audit(session.openedBy, 'shell ended', session.title, said.filter((one) => one !== undefined).join(' '));
  }

  async #look(): Promise<void> {
    const { clock } = this.#parts.platform;
    for await (const _ of clock.every(LOOK_EVERY_MS, this.#ending.signal)) {
      void _;
      for (const session of this.#sessions.values()) {
        session.check();
        await this.#endIdle(session, clock.now());
      }
    }
  }

  async #endIdle(session: ShellSession, now: number): Promise<void> {
    const idleMs = now - session.usedAt;
    if (session.isOver || idleMs < this.#config.shellIdleMs) return;
    if (await session.busy() === false) await this.#tryEnd(session, `It was ended after ${duration(this.#config.shellIdleMs)} at its prompt without a key.`);
    else if (!session.isWatched && idleMs >= FORGOTTEN_MS) await this.#tryEnd(session, `It was ended after ${duration(FORGOTTEN_MS)} in which nobody looked at it.`);
  }

  #forgetOldest(): void {
    const over = [...this.#sessions.values()].filter((one) => one.isOver);
    for (const { id } of over.slice(0, Math.max(0, over.length - KEPT_ENDED))) this.#forget(id);
  }

  #forget(id: string): void {
    this.#sessions.delete(id);
    this.#seenBy.delete(id);
  }

  #of(id: string): ShellSession {
    const session = this.#sessions.get(id);
    if (session === undefined) throw new DiagError('SHELL_UNKNOWN', { shell: id });
    return session;
  }

  #refuseOff(): void {
    const offer = this.offer();
    if (!offer.yes) throw new DiagError('SHELL_OFF', { why: offer.because });
  }
}

/** @throws BAD_INPUT */
async function folder(path: string): Promise<string> {
  if (!isAbsolute(path) || path.includes('\0')) throw new DiagError('BAD_INPUT', { why: 'body.cwd: it is not an absolute folder' });
  try {
    if ((await stat(path)).isDirectory()) return path;
  } catch (error) {
    throw new DiagError('BAD_INPUT', { why: `body.cwd: ${sayError(error)}` }, { cause: error });
  }
  throw new DiagError('BAD_INPUT', { why: 'body.cwd: it is not a folder' });
}
