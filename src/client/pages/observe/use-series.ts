// Owns where the charts' samples come from: history for the range, then live samples added, drawn at most once a frame.
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Problem } from '../../../shared/api.ts';
import { agentNow, ask, diag, problemOf } from '../../agent.ts';
import { cell, type Cell } from '../../cell.ts';
import { browserClock as clock, oncePerFrame } from '../../clock.ts';
import { link } from '../../live/index.ts';
import { SeriesWindow } from '../../live/series-window.ts';
import { formatRange, LIVE_MS, spanOf, type Range, type Span } from '../../range.ts';
import { EACH_METRICS, SITE_METRICS } from './chart-list.ts';

export interface Drawn { readonly window: SeriesWindow; readonly span: Span; readonly loaded: boolean }
export interface SeriesState { readonly drawn: Cell<Drawn>; readonly problem: Problem | undefined; readonly loading: boolean; again(): void }

const POINTS = 600;
/** Samples of the newest second may still be on their way; the axis ends with what is there. */
const AGAIN_LEAST_MS = 5_000;
const AGAIN_MOST_MS = 60_000;

export const isLive = (range: Range): boolean => range.kind === 'last' && range.forMs <= LIVE_MS;

/** `paused` keeps the picture still; samples are taken all the same, in their bounded window. */
export function useSeries(range: Range, paused: boolean): SeriesState {
  const word = formatRange(range) ?? 'live';
  const drawn = useMemo(() => cell<Drawn>({ window: new SeriesWindow(1_000, LIVE_MS), span: spanOf(range, agentNow()), loaded: false }), [word]);
  const [state, setState] = useState<{ problem?: Problem; loading: boolean }>({ loading: true });
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    const end = new AbortController();
    setState({ loading: true });
    const stop = isLive(range) ? followLive(range, drawn, end.signal, setState, paused) : readAgain(range, drawn, end.signal, setState);
    return () => { end.abort(); stop(); };
  }, [word, turn, paused]);
  return { drawn, ...state, problem: state.problem, again: () => setTurn(turn + 1) };
}

/** Processes whose history is read; a chart shows five of them. */
const MAX_PROCESSES = 8;

/** History is kept by process: the site's own is one question, each process another. A process that has ended meanwhile has no line. */
async function loadProcesses(window: SeriesWindow, span: Span, signal: AbortSignal): Promise<void> {
  const [now, since] = await Promise.all([diag.processes({ signal }), diag.changes({ query: { from: Math.floor(span.from), limit: 500 }, signal })]);
  const alive = now.processes.filter((p) => p.info.ours !== true && p.info.role !== 'scm' && p.sample !== undefined && p.info.startedAt < span.to)
    .sort((a, b) => (b.sample?.values['process.working-set'] ?? 0) - (a.sample?.values['process.working-set'] ?? 0)).map(({ info }) => ({ pid: info.pid, startedAt: info.startedAt }));
  // Those that ended since then are known by their exit; the agent finds the process of that pid in the window.
  const ended = since.changes.filter((c) => c.kind === 'exit' && c.pid !== undefined && !alive.some((p) => p.pid === c.pid)).map((c) => ({ pid: c.pid ?? 0 }));
  const chosen = [...alive.slice(0, MAX_PROCESSES / 2), ...ended].slice(0, MAX_PROCESSES);
  const answers = await Promise.allSettled(chosen.map((process) => diag.metrics({ query: { metric: [...EACH_METRICS], ...process, from: Math.floor(span.from), to: Math.ceil(span.to), points: POINTS }, signal })));
  for (const answer of answers) if (answer.status === 'fulfilled' && answer.value.stepMs === window.stepMs) window.load(answer.value);
}

type Tell = (state: { problem?: Problem; loading: boolean }) => void;

function followLive(range: Range, drawn: Cell<Drawn>, signal: AbortSignal, tell: Tell, paused: boolean): () => void {
  const forMs = range.kind === 'last' ? range.forMs : LIVE_MS;
  if (paused) { tell({ loading: false }); return () => undefined; }
  const window = new SeriesWindow(1_000, forMs);
  const show = oncePerFrame(() => {
    const to = (window.end ?? agentNow()) + 1_000;
    drawn.set({ window, span: { from: to - forMs, to }, loaded: true });
  });
  let leave = (): void => undefined;
  const from = agentNow() - forMs;
  ask(() => diag.metrics({ query: { metric: [...SITE_METRICS], from: Math.floor(from), points: POINTS }, signal })).then((series) => {
    if (signal.aborted) return;
    // A coarser answer (nothing at one second is left after a restart) stays out: the live window is in seconds.
    if (series.stepMs <= 1_000) window.load(series);
    tell({ loading: false });
    show.ask();
    loadProcesses(window, { from, to: agentNow() }, signal).then(show.ask, () => { /* the site's own lines are there; live samples bring those of the processes */ });
    leave = link().follow(
      () => ({ type: 'follow', topic: 'samples', since: window.end ?? Math.floor(from) }),
      (message) => {
        if (message.type !== 'samples') return;
        for (const sample of message.items) window.add(sample);
        window.lost += message.dropped;
        show.ask();
      },
    );
  }, (error: unknown) => { if (!signal.aborted) tell({ problem: problemOf(error), loading: false }); });
  return () => { leave(); show.end(); };
}

function readAgain(range: Range, drawn: Cell<Drawn>, signal: AbortSignal, tell: Tell): () => void {
  const read = (): void => {
    const span = spanOf(range, agentNow());
    ask(() => diag.metrics({ query: { metric: [...SITE_METRICS], from: Math.floor(span.from), to: Math.ceil(span.to), points: POINTS }, signal })).then((series) => {
      if (signal.aborted) return;
      const window = new SeriesWindow(series.stepMs, Math.max(series.to - series.from, span.to - span.from) + series.stepMs);
      window.load(series);
      drawn.set({ window, span, loaded: true });
      tell({ loading: false });
      loadProcesses(window, span, signal).then(() => { if (!signal.aborted) drawn.set({ window, span, loaded: true }); }, () => { /* as above: without them the site's own lines stand */ });
    }, (error: unknown) => { if (!signal.aborted) tell({ problem: problemOf(error), loading: false }); });
  };
  read();
  if (range.kind === 'between') return () => undefined;
  const everyMs = Math.min(AGAIN_MOST_MS, Math.max(AGAIN_LEAST_MS, range.forMs / POINTS));
  return clock.every(everyMs, () => { if (document.visibilityState === 'visible') read(); });
}
