// Owns the figures of the HTTP log: failures first, then latency, then traffic; what they stand on in one line; every state they can be in.
import { useMemo, useRef } from 'preact/hooks';
import { EVERYTHING, printHttpFilter, type HttpFilter } from '../../../shared/http-filter.ts';
import { hourBefore, newIds } from '../../../shared/http-heat.ts';
import type { HttpReport } from '../../../shared/http-report.ts';
import { readWords, shareWord, sourceWords } from '../../../shared/http-words.ts';
import { count, duration } from '../../../shared/units.ts';
import { agentNow, diag } from '../../agent.ts';
import { Empty, Failure, Skeleton } from '../../parts/states.tsx';
import { Time } from '../../parts/text.tsx';
import { formatRange, spanOf, type Range } from '../../range.ts';
import { change, go, Link, viewOf } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { Failures } from './http-failures.tsx';
import { Latency } from './http-latency.tsx';
import { expectedHeight, isNarrow } from './http-heat.tsx';
import { compared, FAILED, rowsOf, type RowsOf } from './http-links.ts';
import { SourceName } from './http-row.tsx';
import { Traffic } from './http-traffic.tsx';
import { useChanges } from './use-changes.ts';

/** Read again while the range moves: a short one soon, a long one seldom. */
const AGAIN_MS = 15_000;
const AGAIN_LONG_MS = 60_000;
const LONG_MS = 3_600_000;

export function HttpFigures({ range, filter }: { range: Range; filter: HttpFilter }) {
  const word = printHttpFilter(filter);
  const key = formatRange(range) ?? 'live';
  const ask = (span: { from: number; to: number }, signal: AbortSignal): Promise<HttpReport> => diag.http({ query: { from: Math.floor(span.from), to: Math.ceil(span.to), ...(word === '' ? {} : { filter: word }) }, signal });
  const asked = useAsk(async (signal) => ({ report: await ask(spanOf(range, agentNow()), signal), at: agentNow(), key: `${key} ${word}` }), [key, word], range.kind === 'last' ? (range.forMs > LONG_MS ? AGAIN_LONG_MS : AGAIN_MS) : undefined);
  const changes = useChanges(range);
  const { value, problem } = asked;
  // The figures of another range or filter are no stand-in for these.
  const report = value?.key === `${key} ${word}` ? value.report : undefined;
  const hour = report === undefined ? undefined : hourBefore(report.from, report.to);
  const before = useAsk(async (signal) => (hour === undefined ? undefined : { report: await ask(hour, signal), of: hour.from }), [hour?.from, word]);
  const known = before.value?.of === hour?.from ? before.value?.report : undefined;
  const fresh = useMemo(() => (report === undefined ? undefined : newIds(report, known)), [report, known]);
  const to = useMemo(() => rowsOf(filter), [word]);
  const since = useRef(0);
  if (value !== undefined) since.current = value.at;
  return <>
    {problem ? <section class="wide"><Failure problem={problem} again={asked.again} />{report === undefined ? undefined : <p class="stale">What follows is from <Time at={since.current} />; nothing newer was read.</p>}</section> : undefined}
    {report !== undefined ? <Figures report={report} fresh={fresh} changes={changes.value ?? []} to={to} filtered={filter !== EVERYTHING && word !== ''} /> : problem ? undefined : <Loading />}
  </>;
}

interface FiguresProps { report: HttpReport; fresh: ReadonlySet<string> | undefined; changes: Parameters<typeof Latency>[0]['changes']; to: RowsOf; filtered: boolean }
function Figures({ report, fresh, changes, to, filtered }: FiguresProps) {
  if (report.rows === 0) return <section class="wide"><NoRows report={report} filtered={filtered} /></section>;
  return (
    <div class="wide http-figures">
      <Totals report={report} to={to} />
      <Read report={report} />
      <Failures report={report} fresh={fresh} to={to} />
      <Latency report={report} changes={changes} to={to} />
      <Traffic report={report} changes={changes} to={to} />
    </div>
  );
}

function Totals({ report, to }: { report: HttpReport; to: RowsOf }) {
  const { total } = report;
  const slow = (n: number | undefined) => (n === undefined ? undefined : to([compared('taken', '>=', Math.floor(n * 0.995))]));
  const tiles: readonly (readonly [string, string, ReturnType<RowsOf> | undefined, string?])[] = [
    ['Failed', count(report.failures), to([FAILED]), `${shareWord(report.failures, report.rows) ?? '–'} of all`], ['Requests', count(report.rows), to([])],
    ...(['p50', 'p95', 'p99', 'max'] as const).map((q) => [q === 'max' ? 'Slowest' : q, total[q] === undefined ? '–' : duration(total[q]), slow(total[q])] as const),
  ];
  return <section class="wide http-totals" aria-label="In short">{tiles.map(([name, value, view, note]) => {
    const body = <><span class="tile-name">{name}</span><span class="v">{value}{note === undefined ? undefined : <small> {note}</small>}</span></>;
    return view === undefined ? <div class="tile" key={name}>{body}</div> : <Link key={name} to={view} class={`tile ${name === 'Failed' && report.failures > 0 ? 'is-bad' : ''}`}>{body}</Link>;
  })}</section>;
}

/** Sources, malformed lines with their places, and what was left out: one line, the rest behind it. */
function Read({ report }: { report: HttpReport }) {
  const notes = report.sources.flatMap((s) => { const words = sourceWords(s); return words === undefined ? [] : [{ source: s.source, words, from: s.from }]; });
  if (notes.length === 0) return <p class="wide page-note">{readWords(report)}</p>;
  return <details class="wide page-note http-read"><summary>{readWords(report)}</summary><ul>{notes.map((n) => <li key={n.source}><Link to={viewOf('logs', { source: n.source, at: n.from === undefined ? undefined : String(n.from) })}><SourceName id={n.source} /></Link> {n.words}</li>)}</ul></details>;
}

function NoRows({ report, filtered }: { report: HttpReport; filtered: boolean }) {
  if (filtered && report.filteredOut > 0) return <Empty title="No request fits the filter.">{count(report.filteredOut)} were left out by it. <button type="button" class="link" onClick={() => change({ filter: undefined })}>Remove the filter</button></Empty>;
  const newest = report.sources.reduce((at, s) => Math.max(at, s.to ?? 0), 0);
  if (report.sources.length === 0) return <Empty title="There is no HTTP log.">Web server logging is off, or it writes to storage. Switch it on under <b>App Service logs</b>, <b>Web server logging</b>, <b>File System</b>, or with <code class="line">az webapp log config --web-server-logging filesystem</code> Rows come within about a minute of the next request; nothing restarts.</Empty>;
  return <Empty title="No requests in this range.">{readWords(report)} {newest > 0 ? <>The newest row is of <Time at={newest} form="short" />. <button type="button" class="link" onClick={() => go(viewOf('observe', { part: 'http', range: formatRange({ kind: 'between', from: newest - LONG_MS, to: newest + 1_000 }) }))}>Show the hour before it</button></> : 'Rows come with the log, up to a minute late on App Service.'}</Empty>;
}

/** The shape of the figures before they come, so that nothing jumps. */
function Loading() {
  return <div class="wide http-figures">
    <section class="wide http-totals">{[0, 1, 2, 3, 4, 5].map((i) => <div class="tile" key={i}><Skeleton rows={2} /></div>)}</section>
    <p class="wide page-note">Reading the HTTP log …</p>
    <section class="wide heat-part"><h2>Failures <small>by status, route and time</small></h2><div style={{ height: `${expectedHeight(isNarrow())}px` }}><Skeleton rows={7} /></div></section>
    <div class="wide failures-up"><section><h2>Bursts</h2><Skeleton rows={6} /></section><section><h2>By status</h2><Skeleton rows={6} /></section></div>
    <section class="wide chart"><div class="chart-head"><h2>Response time</h2></div><Skeleton rows={5} /></section>
    <div class="wide routes-up"><section><h2>Routes</h2><Skeleton rows={8} /></section><section><h2>Slowest</h2><Skeleton rows={8} /></section></div>
  </div>;
}
