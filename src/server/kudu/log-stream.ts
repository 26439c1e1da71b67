// Owns the log stream in Kudu's framing: every log below LogFiles (or a folder or file of it) that grows, in one text that ends when its reader goes.
import { LogText } from './log-text.ts';
import type { LogFilter, LogSourceInfo } from '../../shared/model.ts';
import { DiagError } from '../../shared/errors.ts';
import type { Agent } from '../../agent/agent.ts';
import type { KuduCall, KuduRoutes } from './route.ts';
import { isSet, second, word } from './shape.ts';

/** The kinds of files that Kudu streams. */
const STREAMED = /\.(?:txt|log|htm)$/i;
/** What the catalog knows is three seconds old at most. */
const LOOK_EVERY_MS = 2_000;
const QUIET_MS = 60_000;
/** Followed at once, the newest first; others when they grow. Who rests longest makes room. */
const MAX_FOLLOWED = 64;
const MAX_STREAMS = 64;
const MAX_LAST = 5_000;
/** Kudu's two folders that come into being with their first line. */
const EXPECTED = new Set(['application', 'http']);
/** Lines that were written before we looked at a new log are read in pages of this size. */
const PAGE_LINES = 5_000;

interface Wish { readonly below: string; readonly files: boolean; readonly last: number; readonly filter: LogFilter | undefined }

export function logStreamRoutes(routes: KuduRoutes, agent: Agent): void {
  let open = 0;
  routes.below('/logstream', async (call) => {
    const { req, res, signal } = call;
    if (req.method !== 'GET' && req.method !== 'HEAD') throw new DiagError('METHOD_REFUSED', { method: req.method, path: '/logstream' });
    if (open >= MAX_STREAMS) throw new DiagError('TOO_MANY', { what: 'log streams', limit: MAX_STREAMS });
    const wish = await wishOf(agent, call);
    res.status(200).setHeader('content-type', 'text/plain; charset=utf-8');
    res.setHeader('x-accel-buffering', 'no');
    if (req.method === 'HEAD') { res.end(); return; }
    res.socket?.setNoDelay(true);
    open += 1;
    try {
      await new Stream(agent, res, wish, signal).run();
    } finally {
      open -= 1;
      res.end();
    }
  });
}

async function wishOf(agent: Agent, { req, signal }: KuduCall): Promise<Wish> {
  const filter = word(req, 'filter');
  const last = word(req, 'last') ?? '0';
  if (!/^\d{1,4}$/.test(last) || Number(last) > MAX_LAST) throw new DiagError('BAD_INPUT', { why: `last: a number up to ${MAX_LAST}` });
  return {
    below: await folderOf(agent, (req.url.split('?', 1)[0] ?? '').replace(/^\/+|\/+$/g, ''), signal),
    files: isSet(word(req, 'files')), last: Number(last),
    filter: filter === undefined || filter === '' ? undefined : { text: filter, ignoreCase: true },
  };
}

/** A path below LogFiles that is there: what is mistyped is refused, and never made. */
async function folderOf(agent: Agent, raw: string, signal: AbortSignal): Promise<string> {
  if (raw === '') return '';
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch (error) {
    throw new DiagError('BAD_INPUT', { why: 'the address is not well encoded' }, { cause: error });
  }
  if (EXPECTED.has(path.toLowerCase())) return path.toLowerCase();
  const { sources } = await agent.observed.logs.catalog(signal);
  if (sources.some(({ title }) => isBelow(title, path.toLowerCase()))) return path.toLowerCase();
  await agent.files.stat({ root: 'home', path: `LogFiles/${path}` });
  return path.toLowerCase();
}

const isBelow = (title: string, below: string): boolean => below === '' || title.toLowerCase() === below || title.toLowerCase().startsWith(`${below}/`);

interface Followed { readonly stop: AbortController; readonly over: Promise<void>; growsAt: number; cursor?: string }

class Stream {
  readonly #agent: Agent;
  readonly #res: KuduCall['res'];
  readonly #wish: Wish;
  readonly #signal: AbortSignal;
  readonly #followed = new Map<string, Followed>();
  /** Where we left logs that made room for others. */
  readonly #left = new Map<string, string>();
  readonly #sizes = new Map<string, number>();
  #tracedAt: number;
  #saidAt: number;
  #failure: unknown;

  constructor(agent: Agent, res: KuduCall['res'], wish: Wish, signal: AbortSignal) {
    this.#agent = agent;
    this.#res = res;
    this.#wish = wish;
    this.#signal = signal;
    this.#tracedAt = agent.platform.clock.now();
    this.#saidAt = this.#tracedAt;
  }

  /** Until the reader goes. */
  async run(): Promise<void> {
    const { clock } = this.#agent.platform;
    this.#res.flushHeaders();
    try {
      await this.#begin(await this.#sources());
      if (this.#signal.aborted) return;
      // Said when every log is held: what is written from now on comes.
      this.#say('Welcome, you are now connected to log-streaming service. It lasts as long as you listen.');
      for await (const _ of clock.every(LOOK_EVERY_MS, this.#signal)) {
        void _;
        if (this.#failure !== undefined) throw this.#failure;
        await this.#look(await this.#sources());
        this.#quiet(clock.now());
      }
    } catch (error) {
      if (!this.#signal.aborted) { this.#say('The log-streaming session has ended: the agent failed to read on. Connect again.'); throw error; }
    } finally {
      for (const { stop } of this.#followed.values()) stop.abort();
      await Promise.allSettled([...this.#followed.values()].map(({ over }) => over));
    }
  }

  async #sources(): Promise<LogSourceInfo[]> {
    const { sources } = await this.#agent.observed.logs.catalog(this.#signal);
    return sources.filter(({ title }) => STREAMED.test(title) && !title.startsWith('site/wwwroot/') && isBelow(title, this.#wish.below));
  }

  async #begin(sources: readonly LogSourceInfo[]): Promise<void> {
    for (const { id, sizeBytes } of sources) this.#sizes.set(id, sizeBytes);
    await Promise.all(sources.slice(0, MAX_FOLLOWED).map((source, place) => this.#follow(source, { last: place === 0 ? this.#wish.last : 0 })));
  }

  async #look(sources: readonly LogSourceInfo[]): Promise<void> {
    this.#forget(sources);
    for (const source of sources) {
      const known = this.#sizes.get(source.id);
      this.#sizes.set(source.id, source.sizeBytes);
      if (this.#followed.has(source.id) || known === source.sizeBytes) continue;
      await this.#makeRoom();
      const cursor = this.#left.get(source.id) ?? await this.#readOn(source, known === undefined || source.sizeBytes < known ? 0 : known);
      if (cursor !== undefined) void this.#follow(source, { cursor });
    }
  }

  /** Of logs that are gone nothing is remembered: a name may come again with another content. */
  #forget(sources: readonly LogSourceInfo[]): void {
    const there = new Set(sources.map(({ id }) => id));
    for (const id of this.#sizes.keys()) if (!there.has(id)) { this.#sizes.delete(id); this.#left.delete(id); }
  }

  /** What a log holds from a place on; the cursor after it. */
  async #readOn(source: LogSourceInfo, offset: number): Promise<string | undefined> {
    const { logs } = this.#agent.observed;
    const text = this.#text(source, undefined);
    const { filter } = this.#wish;
    const common = { limit: PAGE_LINES, ...(filter === undefined ? {} : { filter }) };
    try {
      let page = await logs.page(source.id, { ...common, offset }, this.#signal);
      for (;;) {
        text.lines(page.lines);
        await this.#room();
        if (this.#signal.aborted || (page.complete && page.lines.length < PAGE_LINES)) return page.after;
        page = await logs.page(source.id, { ...common, after: page.after }, this.#signal);
      }
    } catch (error) {
      if (error instanceof DiagError && error.code === 'SOURCE_UNKNOWN') { this.#sizes.delete(source.id); return undefined; }
      throw error;
    }
  }

  async #room(): Promise<void> {
    if (!this.#res.writableNeedDrain || this.#signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#res.once('drain', resolve);
      this.#signal.addEventListener('abort', () => { resolve(); }, { once: true });
    });
  }

  async #makeRoom(): Promise<void> {
    if (this.#followed.size < MAX_FOLLOWED) return;
    const [id, resting] = [...this.#followed].sort(([, a], [, b]) => a.growsAt - b.growsAt)[0] as [string, Followed];
    this.#followed.delete(id);
    resting.stop.abort();
    await resting.over;
    if (resting.cursor !== undefined) this.#left.set(id, resting.cursor);
  }

  /** Resolves when its lines come, or never will. */
  #follow(source: LogSourceInfo, from: { readonly cursor: string } | { readonly last: number }): Promise<void> {
    const stop = new AbortController();
    let held: () => void = () => undefined;
    const joined = new Promise<void>((resolve) => { held = resolve; });
    const { filter } = this.#wish;
    const followed: Followed = {
      stop, growsAt: this.#agent.platform.clock.now(),
      over: this.#agent.observed.logs.follow(source.id, { ...from, ...(filter === undefined ? {} : { filter }), signal: AbortSignal.any([this.#signal, stop.signal]), sink: this.#text(source, (cursor) => { held(); if (cursor !== '') followed.cursor = cursor; followed.growsAt = this.#agent.platform.clock.now(); }) })
        .catch((error: unknown) => { if (error instanceof DiagError && error.code === 'SOURCE_UNKNOWN') this.#followed.delete(source.id); else this.#failure = error; }),
    };
    this.#followed.set(source.id, followed);
    return Promise.race([joined, followed.over]);
  }

  #text(source: LogSourceInfo, moved: ((cursor: string) => void) | undefined): LogText {
    return new LogText({
      source: source.id, res: this.#res, mask: this.#agent.mask, now: () => this.#agent.platform.clock.now(),
      prefix: this.#wish.files ? `${source.title}: ` : '',
      traced: (cursor) => { moved?.(cursor); },
      wrote: () => { this.#tracedAt = this.#agent.platform.clock.now(); },
      say: (text) => { this.#say(`${source.title}: ${text}`); },
    });
  }

  #quiet(now: number): void {
    if (now - Math.max(this.#tracedAt, this.#saidAt) < QUIET_MS) return;
    this.#say(quietText(now - this.#tracedAt));
  }

  #say(text: string): void {
    const now = this.#agent.platform.clock.now();
    this.#saidAt = now;
    this.#res.write(`${second(now)}  ${text}\r\n`);
  }
}

export const quietText = (forMs: number): string => `No new trace in the past ${Math.max(1, Math.floor(forMs / QUIET_MS))} min(s).`;
