// Owns the tables of a profile: functions, modules and packages, stretches that block, and what changed against another.
import type { ProfileFunction, ProfileReport, ProfileStretch } from '../../../../shared/profile.ts';
import { duration, percent } from '../../../../shared/units.ts';
import { Empty } from '../../../parts/states.tsx';
import { VirtualTable, type TableColumn } from '../../../parts/virtual-table.tsx';
import { change } from '../../../router.tsx';
import { amountText, nameText, placeText } from './words.ts';

type Module = ProfileReport['modules'][number];
type Package = ProfileReport['packages'][number];
interface Summed { readonly self: number; readonly total: number }

const amounts = <T extends Summed>({ unit, busy }: ProfileReport): readonly TableColumn<T>[] => [
  { id: 'self', title: 'Self', width: '84px', num: true, cell: (one) => amountText(one.self, unit), value: (one) => one.self },
  { id: 'share', title: 'Of busy', width: '72px', num: true, wide: true, cell: (one) => (busy > 0 ? percent((one.self / busy) * 100) : '–'), value: (one) => one.self },
  { id: 'total', title: 'Total', width: '84px', num: true, cell: (one) => amountText(one.total, unit), value: (one) => one.total },
];

export function Functions({ report }: { report: ProfileReport }) {
  const columns: readonly TableColumn<ProfileFunction>[] = [
    { id: 'name', title: 'Function', width: 'minmax(110px,1.4fr)', cell: (one) => <span class="mono" title={one.name}>{nameText(one)}</span>, value: (one) => one.name }, ...amounts<ProfileFunction>(report),
    { id: 'place', title: 'Place', width: 'minmax(0,2fr)', cell: (one) => <span class="mono" title={one.file}>{placeText(one)}</span>, value: (one) => `${one.file ?? ''}:${one.line ?? ''}` },
    { id: 'category', title: 'Of', width: '100px', wide: true, cell: (one) => one.category, value: (one) => one.category },
  ];
  return <section><h2>Functions <small>enter shows where one stands in the flame graph</small></h2><VirtualTable id="profile-functions" label="Functions" columns={columns} rows={report.functions} keyOf={(one) => `${one.name} ${one.file ?? ''} ${one.line ?? ''} ${one.column ?? ''} ${one.self}`} onOpen={(one) => change({ find: one.name }, true)} fill /></section>;
}

export function Modules({ report }: { report: ProfileReport }) {
  const columns: readonly TableColumn<Module>[] = [{ id: 'name', title: 'Module', width: 'minmax(110px,2fr)', cell: (one) => <span class="mono" title={one.name}>{nameText(one)}</span>, value: (one) => one.name }, ...amounts<Module>(report), { id: 'category', title: 'Of', width: '100px', cell: (one) => one.category, value: (one) => one.category }];
  const packages: readonly TableColumn<Package>[] = [{ id: 'name', title: 'Package', width: 'minmax(110px,2fr)', cell: (one) => <span class="mono">{nameText(one)}</span>, value: (one) => one.name }, ...amounts<Package>(report)];
  return <>
    <section><h2>Modules <small>a file of the app, a package, a part of Node</small></h2><VirtualTable id="profile-modules" label="Modules" columns={columns} rows={report.modules} keyOf={(one) => `${one.category} ${one.name}`} fill /></section>
    {report.packages.length === 0 ? undefined : <section><h2>Packages <small>with all that they call</small></h2><VirtualTable id="profile-packages" label="Packages" columns={packages} rows={report.packages} keyOf={(one) => one.name} fill /></section>}
  </>;
}

const STRETCHES: readonly TableColumn<ProfileStretch>[] = [
  { id: 'at', title: 'After the begin', width: '110px', num: true, cell: (one) => duration(one.atMs), value: (one) => one.atMs },
  { id: 'for', title: 'For', width: '84px', num: true, cell: (one) => duration(one.forMs), value: (one) => one.forMs },
  { id: 'what', title: 'What ran', width: 'minmax(0,1.2fr)', cell: (one) => <span class="mono">{one.frames[0] === undefined ? '–' : nameText(one.frames.find((frame) => frame.category === 'app') ?? one.frames[0])}</span>, value: (one) => one.frames[0]?.name },
  { id: 'stack', title: 'Stack, innermost first', width: 'minmax(0,3fr)', wide: true, cell: (one) => <span class="mono" title={one.frames.map((frame) => `${nameText(frame)} ${placeText(frame)}`).join('\n')}>{one.frames.map(nameText).join(' < ')}</span>, value: (one) => one.frames.map((frame) => frame.name).join(' < ') },
];

export function Stretches({ report }: { report: ProfileReport }) {
  if (report.stretches.length === 0) return <section><Empty title="No stretch of 20 ms without anything else was seen.">The event loop came round all the time, or the file has no order of time.</Empty></section>;
  return <section><h2>Long stretches <small>nothing else of the event loop was seen meanwhile; the longest first</small></h2><VirtualTable id="profile-stretches" label="Long stretches" columns={STRETCHES} rows={report.stretches} keyOf={(one) => String(one.atMs)} fill /></section>;
}

interface Changed { readonly name: string; readonly file: string | undefined; readonly before: number; readonly after: number }

export function Changes({ report, base }: { report: ProfileReport; base: ProfileReport }) {
  const columns: readonly TableColumn<Changed>[] = [
    { id: 'name', title: 'Function', width: 'minmax(110px,1.4fr)', cell: (one) => <span class="mono" title={one.name}>{nameText(one)}</span>, value: (one) => one.name },
    { id: 'before', title: 'Before', width: '84px', num: true, cell: (one) => percent(one.before * 100), value: (one) => one.before },
    { id: 'after', title: 'Now', width: '84px', num: true, cell: (one) => percent(one.after * 100), value: (one) => one.after },
    { id: 'by', title: 'Change', width: '84px', num: true, cell: (one) => `${one.after >= one.before ? '+' : '−'}${percent(Math.abs(one.after - one.before) * 100)}`, value: (one) => one.after - one.before },
    { id: 'place', title: 'File', width: 'minmax(0,2fr)', wide: true, cell: (one) => <span class="mono" title={one.file}>{placeText({ file: one.file, line: undefined })}</span>, value: (one) => one.file },
  ];
  return <section><h2>Changes <small>self, as a share of all that is not idle; {base.file} before</small></h2><VirtualTable id="profile-changes" label="Changes" columns={columns} rows={changed(report, base)} keyOf={(one) => `${one.name} ${one.file ?? ''}`} onOpen={(one) => change({ find: one.name }, true)} fill /></section>;
}

function changed(report: ProfileReport, base: ProfileReport): Changed[] {
  const rows = new Map<string, { name: string; file: string | undefined; before: number; after: number }>();
  for (const [which, one] of [['before', base], ['after', report]] as const) for (const { name, file, self } of one.functions) {
    const row = rows.get(`${name}\n${file ?? ''}`) ?? { name, file, before: 0, after: 0 };
    row[which] += one.busy > 0 ? self / one.busy : 0;
    rows.set(`${name}\n${file ?? ''}`, row);
  }
  return [...rows.values()].sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before));
}
