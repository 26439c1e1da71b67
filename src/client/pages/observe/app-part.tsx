// Owns the App part of Observe: the processes that carry the preload, one of them or all together in full, live by the socket.
import { useEffect, useState } from 'preact/hooks';
import type { AppBrief, AppInside, AppsNow } from '../../../shared/app-view.ts';
import type { Problem } from '../../../shared/api.ts';
import { bytes, count, duration, plural } from '../../../shared/units.ts';
import { useFollow } from '../../live/index.ts';
import { Failure, Skeleton } from '../../parts/states.tsx';
import { Ago } from '../../parts/text.tsx';
import { VirtualTable } from '../../parts/virtual-table.tsx';
import type { Range } from '../../range.ts';
import { change, Link, viewOf } from '../../router.tsx';
import { AppAsks } from './app-asks.tsx';
import { AppCharts } from './app-charts.tsx';
import { PROCESSES } from './app-columns.tsx';
import { FailuresPanel } from './app-failures.tsx';
import { GcPanel, HeapPanel, LoopPanel } from './app-health.tsx';
import { HowToSee } from './app-missing.tsx';
import { DependenciesPanel, FlightsPanel, RoutesPanel } from './app-tables.tsx';
import { ms, num, perSecond, shareOf } from './app-words.ts';

interface AppProps { readonly range: Range; readonly chosen: string | undefined; readonly paused: boolean }
export function AppPart({ range, chosen, paused }: AppProps) {
  const pid = chosen !== undefined && /^\d{1,10}$/.test(chosen) ? Number(chosen) : undefined;
  const { now, problem } = useApps(pid, paused);
  if (problem !== undefined) return <section class="wide"><Failure problem={problem} /></section>;
  if (now === undefined) return <Loading />;
  if (now.apps.length === 0) return <HowToSee />;
  const one = pid === undefined ? (now.apps.length === 1 ? now.apps[0] : undefined) : now.apps.find((app) => app.pid === pid);
  return <>
    {now.apps.length > 1 || pid !== undefined ? <Processes apps={now.apps} pid={pid} /> : undefined}
    {now.shown === undefined ? <section class="wide"><div class="empty"><p class="empty-title">Process {pid} carries no preload, or has ended more than a minute ago.</p><p><Link to={viewOf('observe', { part: 'app' })}>All processes</Link></p></div></section> : <Shown inside={now.shown} process={one} apps={now.apps} range={range} paused={paused} />}
  </>;
}

/** What came last stays while it is paused, and while the link is lost. */
function useApps(pid: number | undefined, paused: boolean): { now: AppsNow | undefined; problem: Problem | undefined } {
  const [seen, setSeen] = useState<{ of: number | undefined; now?: AppsNow; problem?: Problem }>({ of: pid });
  useEffect(() => { if (seen.of !== pid) setSeen({ of: pid }); }, [pid]);
  useFollow(paused && seen.now !== undefined && seen.of === pid ? undefined : () => ({ type: 'follow', topic: 'app', ...(pid === undefined ? {} : { pid }) }), (message) => {
    if (message.type === 'app') setSeen({ of: pid, now: message.now });
    if (message.type === 'refused') setSeen({ of: pid, problem: { type: 'about:blank', title: message.code, status: 500, code: message.code, detail: message.detail } });
  }, [pid, paused, seen.of]);
  return seen.of === pid ? { now: seen.now, problem: seen.problem } : { now: undefined, problem: undefined };
}

function Processes({ apps, pid }: { apps: readonly AppBrief[]; pid: number | undefined }) {
  const living = apps.filter(({ state }) => state !== 'ended').length;
  return (
    <section class="wide"><h2>Processes with the preload <small>{count(living)} living{apps.length > living ? `, ${count(apps.length - living)} ended within the last minute` : ''}{pid === undefined ? (living === 0 ? ' · below: the last one' : living < apps.length ? ' · below: the living together' : ' · below: all together') : ` · below: process ${pid}`}</small>{pid === undefined ? undefined : <Link to={viewOf('observe', { part: 'app' })}>Show the living together</Link>}</h2>
      <VirtualTable id="app-processes" label="Processes with the preload" columns={PROCESSES} rows={apps} keyOf={(a) => `${a.pid}:${a.startedAt}`} onOpen={(a) => change({ app: a.pid === pid ? undefined : String(a.pid) })} rowClass={(a) => `${a.pid === pid ? 'chosen' : ''} ${a.state === 'ended' ? 'is-quiet' : ''}`} small />
    </section>
  );
}

const isEnded = ({ state }: AppBrief): boolean => state === 'ended';
interface ShownProps { readonly inside: AppInside; readonly process: AppBrief | undefined; readonly apps: readonly AppBrief[]; readonly range: Range; readonly paused: boolean }
function Shown({ inside, process, apps, range, paused }: ShownProps) {
  const several = process === undefined;
  return <>
    {process === undefined ? undefined : <Identity process={process} inside={inside} />}
    <Totals inside={inside} process={process} apps={apps} />
    {process?.answersAsks === true ? <AppAsks process={process} inside={inside} /> : undefined}
    <div class="wide app-up"><FlightsPanel inside={inside} several={several} /><RoutesPanel inside={inside} /></div>
    <DependenciesPanel inside={inside} />
    <FailuresPanel inside={inside} ended={process?.state === 'ended' || apps.every(isEnded)} others={several ? apps.filter(isEnded).length : 0} />
    <div class="wide app-three"><LoopPanel inside={inside} /><HeapPanel inside={inside} process={process} apps={apps} /><GcPanel inside={inside} /></div>
    <AppCharts range={range} paused={paused} />
    {inside.lost.length === 0 ? undefined : <p class="wide page-note">Not counted: {inside.lost.map(([what, times]) => `${count(times)} ${what}`).join(', ')}.</p>}
  </>;
}

function Identity({ process, inside }: { process: AppBrief; inside: AppInside }) {
  const { state, endedAt, ending } = process;
  if (state === 'ended') return <section class="wide app-ended" role="status"><p><b>Process {process.pid} ended{endedAt === undefined ? '' : <> <Ago at={endedAt} /></>}{ending === undefined ? '.' : ':'}</b>{ending === undefined ? ' It left no reason, as a process does that ends by itself.' : <> <code>{ending}</code></>}</p><p class="note">What follows is its last minute.</p></section>;
  const how = state === 'files' ? 'its pipe cannot be reached from here, so its figures come by files, up to ten seconds late' : state === 'connecting' ? 'connecting' : 'live';
  return <p class="wide page-note">Process {process.pid}, Node {process.node}, preload {process.preload}, {how}{inside.connections === undefined ? '' : `; ${plural(inside.connections.open, 'connection')} of clients open${inside.connections.upgraded === 0 ? '' : `, ${count(inside.connections.upgraded)} upgraded`}`}; figures of the last {duration(inside.coversMs)}.</p>;
}

function Totals({ inside, process, apps }: { inside: AppInside; process: AppBrief | undefined; apps: readonly AppBrief[] }) {
  const of = process === undefined ? apps.filter(({ state }) => state !== 'ended') : [process];
  const heaps = of.flatMap(({ heap }) => (heap === undefined ? [] : [heap]));
  const fullest = heaps.reduce((most: number | undefined, { used, limit }) => (limit === 0 ? most : Math.max(most ?? 0, used / limit)), undefined);
  const failed = inside.routes.reduce((sum, route) => sum + route.failed, 0);
  const requests = inside.routes.reduce((sum, route) => sum + route.count, 0);
  const slowest = Math.max(...of.flatMap(({ p95Ms }) => (p95Ms === undefined ? [] : [p95Ms])));
  const tiles: readonly (readonly [string, string, string, boolean])[] = [
    ['In flight', num(inside.inFlight), inside.oldest[0] === undefined ? '' : `oldest ${ms(inside.oldest[0].ageMs)}`, false],
    ['Requests', perSecond(requests, inside.coversMs), failed === 0 ? 'none failed' : `${count(failed)} failed`, failed > 0],
    ['Response p95', Number.isFinite(slowest) ? ms(slowest) : '–', process === undefined ? 'slowest' : '', false],
    ['Loop delay p99', ms(inside.loop?.p99Ms), inside.loop === undefined ? '' : `longest ${ms(inside.loop.maxMs)}`, (inside.loop?.maxMs ?? 0) >= 200],
    ['Loop busy', shareOf(inside.loop?.utilization), process === undefined ? 'on average' : '', (inside.loop?.utilization ?? 0) >= 0.9],
    ['Heap', heaps.length === 0 ? '–' : bytes(heaps.reduce((sum, { used }) => sum + used, 0)), fullest === undefined ? '' : process === undefined ? `fullest ${shareOf(fullest)}` : `${shareOf(fullest)} of limit`, (fullest ?? 0) >= 0.9],
  ];
  return <section class="wide http-totals app-totals" aria-label="In short">{tiles.map(([name, value, note, bad]) => <div key={name} class={`tile ${bad ? 'is-bad' : ''}`}><span class="tile-name">{name}</span><span class="v">{value}{note === '' ? undefined : <small> {note}</small>}</span></div>)}</section>;
}

/** The shape of what comes, so that nothing jumps. */
function Loading() {
  return <>
    <section class="wide http-totals app-totals">{[0, 1, 2, 3, 4, 5].map((i) => <div class="tile" key={i}><Skeleton rows={2} /></div>)}</section>
    <div class="wide app-up"><section><h2>In flight now</h2><Skeleton rows={6} /></section><section><h2>Routes</h2><Skeleton rows={6} /></section></div>
    <section class="wide"><h2>Dependencies</h2><Skeleton rows={4} /></section>
  </>;
}
