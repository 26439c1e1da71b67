// Owns how the page's lines arrive: followed live by source with resume, or read around an instant; older ones on demand.
import { useEffect, useMemo, useReducer, useRef } from 'preact/hooks';
import type { Problem } from '../../../shared/api.ts';
import type { LogBatchMessage } from './messages.ts';
import { ask, diag, problemOf } from '../../agent.ts';
import { oncePerFrame } from '../../clock.ts';
import { link } from '../../live/index.ts';
import { filterOf, type LogQuery } from './log-query.ts';
import { KEPT_ENTRIES, TailStore } from './tail-store.ts';

export interface Tail {
  readonly store: TailStore;
  /** Counts every change of the store. */
  readonly version: number;
  readonly loading: boolean;
  readonly problem: Problem | undefined;
  /** Entries that came while held. */
  readonly waiting: number;
  /** Reads older entries of the sources whose first line stands at or below a row: above it they would be missing from the merged view. */
  older(fromRow: number): void;
  newer(): void;
  readonly atStart: boolean;
}

const FIRST = 500;
const PAGE = 500;

interface Inner { heard: Set<string>; problem: Problem | undefined; before: Map<string, string | undefined>; after: Map<string, string>; reading: boolean; held: LogBatchMessage[]; heldCount: number }
const fresh = (): Inner => ({ heard: new Set(), problem: undefined, before: new Map(), after: new Map(), reading: false, held: [], heldCount: 0 });

export function useTail(query: LogQuery, held: boolean): Tail {
  const [version, draw] = useReducer<number, void>((n) => n + 1, 0);
  const key = JSON.stringify(query);
  const store = useMemo(() => new TailStore(), [key]);
  const inner = useMemo(fresh, [key]);
  const isHeld = useRef(held);
  isHeld.current = held;

  useEffect(() => {
    const end = new AbortController();
    const frame = oncePerFrame(draw);
    const fail = (error: unknown): void => { if (!end.signal.aborted) { inner.problem = problemOf(error); frame.ask(); } };
    const leave = query.at === undefined
      ? query.sources.map((source) => follow(source, query, store, inner, isHeld, frame.ask))
      : (readAround(query, store, inner, end.signal).then(frame.ask, fail), []);
    frame.ask();
    return () => { end.abort(); for (const stop of leave) stop(); frame.end(); };
  }, [key]);

  useEffect(() => {
    if (held || inner.held.length === 0) return;
    for (const message of inner.held) take(message, store);
    inner.held = [];
    inner.heldCount = 0;
    draw();
  }, [held]);

  const read = (work: () => Promise<unknown>): void => {
    if (inner.reading) return;
    inner.reading = true;
    work().then(() => { inner.reading = false; draw(); }, (error: unknown) => { inner.reading = false; inner.problem = problemOf(error); draw(); });
  };
  return {
    store, version, problem: inner.problem, waiting: inner.heldCount,
    loading: query.sources.some((s) => !inner.heard.has(s)) && inner.problem === undefined,
    older: (fromRow) => {
      const short = store.full ? [] : query.sources.filter((s) => store.firstPlace(s) >= fromRow && !(inner.before.has(s) && inner.before.get(s) === undefined));
      if (short.length > 0 && inner.problem === undefined) read(() => readOlder({ ...query, sources: short }, store, inner));
    },
    newer: () => { if (query.at !== undefined) read(() => readNewer(query, store, inner)); },
    atStart: query.sources.every((s) => inner.before.has(s) && inner.before.get(s) === undefined),
  };
}

function take(message: LogBatchMessage, store: TailStore): void {
  if (message.dropped > 0) store.gap(message.source);
  store.add(message.source, message.items);
  store.dropped += message.dropped;
  store.passed += message.passed;
}

/** Follows one log; after a lost connection it resumes behind the last batch, so no line comes twice and none is missing. */
function follow(source: string, query: LogQuery, store: TailStore, inner: Inner, isHeld: { readonly current: boolean }, ask_: () => void): () => void {
  const filter = filterOf(query);
  let cursor: string | undefined;
  return link().follow(
    () => ({ type: 'follow-log', source, ...(cursor === undefined ? { last: FIRST } : { cursor }), ...(filter ? { filter } : {}) }),
    (message) => {
      if (message.type === 'refused') { inner.problem = { type: 'about:blank', title: 'Refused', status: 400, code: message.code, detail: message.detail }; inner.heard.add(source); ask_(); return; }
      if (message.type !== 'log') return;
      inner.heard.add(source);
      inner.problem = undefined;
      if (message.cursor !== '') cursor = message.cursor;
      const batch: LogBatchMessage = { source, items: message.items, dropped: message.dropped, passed: message.passed };
      if (isHeld.current) hold(inner, batch, store);
      else take(batch, store);
      ask_();
    },
  );
}

/** What comes while held waits, as many entries as the page keeps anyway; more push out the oldest, counted. */
function hold(inner: Inner, batch: LogBatchMessage, store: TailStore): void {
  inner.held.push(batch);
  inner.heldCount += batch.items.length;
  while (inner.heldCount > KEPT_ENTRIES && inner.held.length > 1) {
    const gone = inner.held.shift();
    inner.heldCount -= gone?.items.length ?? 0;
    store.left += gone?.items.length ?? 0;
  }
}

const wire = (query: LogQuery): Record<string, unknown> => ({ ...filterOf(query) });

async function readAround(query: LogQuery, store: TailStore, inner: Inner, signal: AbortSignal): Promise<void> {
  await Promise.all(query.sources.map(async (source) => {
    const page = await ask(() => diag.logLines({ params: { source }, query: { ...(query.row === undefined ? { at: query.at } : { offset: query.row }), limit: PAGE, ...wire(query) }, signal }));
    inner.heard.add(source);
    inner.after.set(source, page.after);
    if (page.before !== undefined) inner.before.set(source, page.before);
    store.add(source, page.lines.map((line) => ({ line })));
  }));
  await readOlder(query, store, inner);
}

async function readOlder(query: LogQuery, store: TailStore, inner: Inner): Promise<void> {
  await Promise.all(query.sources.map(async (source) => {
    const known = inner.before.has(source);
    const before = inner.before.get(source) ?? (known ? undefined : store.first(source)?.cursor);
    if (before === undefined) { inner.before.set(source, undefined); return; }
    const page = await ask(() => diag.logLines({ params: { source }, query: { before, limit: PAGE, ...wire(query) } }));
    inner.before.set(source, page.before === before ? undefined : page.before);
    store.addOlder(source, page.lines);
    store.cut = page.cut ?? store.cut;
  }));
}

async function readNewer(query: LogQuery, store: TailStore, inner: Inner): Promise<void> {
  await Promise.all(query.sources.map(async (source) => {
    const after = inner.after.get(source);
    if (after === undefined) return;
    const page = await ask(() => diag.logLines({ params: { source }, query: { after, limit: PAGE, ...wire(query) } }));
    inner.after.set(source, page.after);
    store.add(source, page.lines.map((line) => ({ line })));
  }));
}
