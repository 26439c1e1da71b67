// Owns the Environment part of the Console: settings, connection strings, variables, limits, the machine, and the comparison.
import { useRef, useState } from 'preact/hooks';
import type { EntryGroup, EnvironmentEntry, EnvironmentView, LimitView } from '../../../shared/environment.ts';
import { bytes, count, percent, plural } from '../../../shared/units.ts';
import { diag } from '../../agent.ts';
import { Masked } from '../../parts/masked.tsx';
import { fileName, saveFile } from '../../parts/save.ts';
import { Empty, Show } from '../../parts/states.tsx';
import { VirtualTable, type TableColumn } from '../../parts/virtual-table.tsx';
import { change, Link, viewNow } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { useCurrentInSight } from '../../parts/current.ts';
import { Compare } from './environment-compare.tsx';
import { Machine } from './environment-machine.tsx';
import type { PartProps } from './console-page.tsx';

const SUBS = { all: 'All', setting: 'Settings', connection: 'Connection strings', variable: 'Variables', limits: 'Limits', machine: 'Machine', compare: 'Compare' } as const;
type Sub = keyof typeof SUBS;
const isSub = (word: string | undefined): word is Sub => word !== undefined && word in SUBS;
const LIMITS_EVERY_MS = 10_000;

export function EnvironmentPart({ query }: PartProps) {
  const sub = isSub(query['sub']) ? query['sub'] : 'all';
  const of = query['of'] === 'agent' ? 'agent' : 'app';
  const asked = useAsk((signal) => diag.environment({ query: { of }, signal }), [of], sub === 'limits' ? LIMITS_EVERY_MS : undefined);
  const nav = useRef<HTMLElement>(null);
  useCurrentInSight(nav, sub);
  const near = asked.value?.limits.filter((one) => one.near).length ?? 0;
  return (
    <section class="wide table-part environment">
      <h2>Environment <small><Whose view={asked.value} of={of} /></small></h2>
      <nav ref={nav} class="parts sub-parts" aria-label="Parts of Environment">{Object.entries(SUBS).map(([id, title]) => <Link key={id} to={subView(id === 'all' ? undefined : id)} current={id === sub}>{title}{id === 'limits' && near > 0 ? ` (${count(near)} near)` : ''}</Link>)}</nav>
      {sub === 'compare' ? <Compare query={query} /> : sub === 'machine' ? <Machine />
        : <Show asked={asked} rows={8}>{(view) => (sub === 'limits' ? <Limits limits={view.limits} /> : <Entries view={view} group={sub === 'all' ? undefined : sub} />)}</Show>}
    </section>
  );
}

const subView = (sub: string | undefined) => { const view = viewNow(); return { ...view, query: { ...view.query, sub } }; };

function Whose({ view, of }: { view: EnvironmentView | undefined; of: 'app' | 'agent' }) {
  const process = view?.of.process;
  const what = view === undefined ? '' : view.of.kind === 'app' ? `of the app, process ${process?.pid ?? ''} (${process?.name ?? ''})` : `of the agent itself${view.of.because === undefined ? '' : `: ${view.of.because}`}`;
  // Where the app's cannot be read there is nothing to change to.
  if (view?.of.because !== undefined && of === 'app') return <>{what}</>;
  return <>{what}{what === '' ? '' : ' · '}<button type="button" class="link" onClick={() => change({ of: of === 'app' ? 'agent' : undefined })}>{of === 'app' ? 'show the agent\'s' : 'show the app\'s'}</button></>;
}

const GROUPS: Readonly<Record<EntryGroup, string>> = { setting: 'setting', connection: 'connection', variable: 'variable' };
const NONE: Readonly<Record<EntryGroup, string>> = {
  setting: 'App settings reach the app as APPSETTING_… on App Service; off it there are none.', connection: 'Connection strings reach the app as SQLCONNSTR_…, CUSTOMCONNSTR_… and the like; none is set.', variable: 'The process has no further variables.',
};

function Entries({ view, group }: { view: EnvironmentView; group: EntryGroup | undefined }) {
  const [find, setFind] = useState('');
  const sought = find.trim().toLowerCase();
  const all = view.entries.filter((one) => group === undefined || one.group === group);
  const found = sought === '' ? all : all.filter((one) => `${one.name}=${one.masked ? '' : one.value}`.toLowerCase().includes(sought));
  if (all.length === 0) return <Empty title={view.entries.length === 0 ? 'Nothing could be read.' : 'There are none.'}>{group === undefined ? 'Neither the app nor the agent told its variables.' : NONE[group]}</Empty>;
  const columns: readonly TableColumn<EnvironmentEntry>[] = [
    { id: 'name', title: 'Name', width: 'minmax(0,2fr)', cell: (e) => <code title={e.variable}>{e.name}</code>, value: (e) => e.name },
    ...(group === undefined ? [{ id: 'group', title: 'Kind', width: '96px', wide: true, cell: (e: EnvironmentEntry) => GROUPS[e.group], value: (e: EnvironmentEntry) => e.group }] : []),
    ...(group === 'connection' || group === undefined ? [{ id: 'type', title: 'Type', width: '104px', wide: true, cell: (e: EnvironmentEntry) => e.type ?? '–', value: (e: EnvironmentEntry) => e.type }] : []),
    { id: 'variable', title: 'Variable', width: 'minmax(0,2fr)', extra: true, cell: (e) => <code>{e.variable}</code>, value: (e) => e.variable },
    { id: 'value', title: 'Value', width: 'minmax(0,4fr)', cell: (e) => (e.masked ? <Masked process={view.of.process} name={e.variable} text={e.value} /> : <code title={e.value}>{e.value}</code>), value: (e) => e.value },
  ];
  const masked = all.filter((one) => one.masked).length;
  return <>
    <VirtualTable id="environment" label="Environment" columns={columns} rows={found} keyOf={(e) => e.variable} fill
      tools={<><label class="inline grow"><span>Filter</span><input type="text" value={find} onInput={(e) => setFind(e.currentTarget.value)} /></label><button type="button" class="quiet" onClick={() => saveJson(view)}>Save JSON</button></>} />
    <p class="note">{found.length === 0 ? 'Nothing has this text. ' : ''}{plural(masked, 'value')} masked; saved files are masked as well.{view.repeated > 0 ? ` ${plural(view.repeated, 'variable')} that only ${view.repeated === 1 ? 'repeats a setting is' : 'repeat a setting are'} left out.` : ''}</p>
  </>;
}

/** As it is shown, so masked. */
const saveJson = (view: EnvironmentView): void => saveFile(fileName(`environment ${view.instance}`, 'json'), new Blob([`${JSON.stringify(view, undefined, 2)}\n`], { type: 'application/json' }));

const shown = ({ unit }: LimitView, n: number): string => (unit === 'bytes' ? bytes(n) : count(n));
const LIMITS: readonly TableColumn<LimitView>[] = [
  { id: 'title', title: 'What', width: 'minmax(120px,2fr)', cell: (l) => l.title, value: (l) => l.title },
  { id: 'group', title: 'Of', width: '84px', wide: true, cell: (l) => (l.group === 'site' ? 'machine' : l.group), value: (l) => l.group },
  { id: 'value', title: 'Now', width: '96px', num: true, cell: (l) => shown(l, l.value), value: (l) => l.value },
  { id: 'limit', title: 'Limit', width: '96px', num: true, cell: (l) => (l.limit === undefined ? '–' : shown(l, l.limit)), value: (l) => l.limit },
  { id: 'share', title: 'Used', width: 'minmax(96px,1fr)', num: true, cell: (l) => (l.share === undefined ? '–' : <span class={l.near ? 'warn-text' : ''}>{l.near ? 'near: ' : ''}{percent(l.share * 100)}</span>), value: (l) => l.share },
];

function Limits({ limits }: { limits: readonly LimitView[] }) {
  const near = limits.filter((one) => one.near);
  const counters = limits.some(({ group }) => group !== 'site');
  if (limits.length === 0) return <Empty title="No limits are known here.">App Service counts them on Windows; of this machine neither memory nor disk could be read.</Empty>;
  return <>
    {near.length === 0 ? undefined : <p class="cost-line near-limits">{near.map((one) => `${one.title} is at ${percent((one.share ?? 0) * 100)} of its limit (${shown(one, one.value)} of ${shown(one, one.limit ?? 0)})`).join('; ')}.</p>}
    <VirtualTable id="limits" label="Limits" columns={LIMITS} rows={limits} keyOf={(l) => l.id} fill />
    {counters ? undefined : <p class="note">App Service's own counters (connections, threads, handles, pipes) are there on Windows plans only.</p>}
  </>;
}
