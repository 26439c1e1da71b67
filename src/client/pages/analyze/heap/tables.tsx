// Owns the tables of a heap: classes, the largest objects with the way that keeps each, collections, texts, timers and listeners.
import { useState } from 'preact/hooks';
import type { HeapClass, HeapObject, HeapPlace, HeapReport, HeapText } from '../../../../shared/heap.ts';
import { bytes, count, percent, plural } from '../../../../shared/units.ts';
import { visible } from '../../../../shared/view.ts';
import { Empty } from '../../../parts/states.tsx';
import { VirtualTable, type TableColumn } from '../../../parts/virtual-table.tsx';
import { Way } from './suspects.tsx';

/** As DevTools counts what is reached by weak ways only. */
const UNREACHED = 100_000_000;
const short = (text: string): string => visible(text).slice(0, 200);
const placeOf = (place: HeapPlace | undefined): string => (place === undefined ? '' : `${place.script.split(/[\\/]/).slice(-3).join('/')}:${place.line}`);
type Grown = HeapClass & { readonly by: number | undefined; readonly more: number | undefined };

const CLASSES: readonly TableColumn<Grown>[] = [
  { id: 'name', title: 'Class', width: 'minmax(110px,2fr)', cell: (one) => <span class="mono" title={placeOf(one.place)}>{short(one.name)}</span>, value: (one) => one.name },
  { id: 'count', title: 'Objects', width: '84px', num: true, cell: (one) => count(one.count), value: (one) => one.count },
  { id: 'shallow', title: 'Shallow', width: '84px', num: true, wide: true, cell: (one) => bytes(one.shallow), value: (one) => one.shallow },
  { id: 'retained', title: 'Retained', width: '84px', num: true, cell: (one) => bytes(one.retained), value: (one) => one.retained },
  { id: 'distance', title: 'Distance', width: '72px', num: true, wide: true, cell: (one) => (one.distance >= UNREACHED ? '–' : count(one.distance)), value: (one) => (one.distance >= UNREACHED ? undefined : one.distance) },
  { id: 'place', title: 'Place', width: 'minmax(0,1fr)', wide: true, cell: (one) => <span class="mono">{placeOf(one.place)}</span>, value: (one) => placeOf(one.place) },
];
const GROWN: readonly TableColumn<Grown>[] = [
  { id: 'more', title: 'Objects more', width: '96px', num: true, cell: (one) => (one.more === undefined ? '–' : count(one.more)), value: (one) => one.more },
  { id: 'by', title: 'Grown by', width: '96px', num: true, cell: (one) => (one.by === undefined ? '–' : bytes(one.by)), value: (one) => one.by },
];

export function Classes({ report }: { report: HeapReport }) {
  const grown = new Map((report.growth?.classes ?? []).map((one) => [one.name, one]));
  const rows = report.classes.map((one): Grown => ({ ...one, by: grown.get(one.name)?.shallow, more: grown.get(one.name)?.count }));
  const [name, ...rest] = CLASSES;
  const columns = report.growth === undefined || name === undefined ? CLASSES : [name, ...GROWN, ...rest];
  return <section><h2>Classes <small>by constructor; retained is what would go with all of them{report.moreClasses > 0 ? `; ${count(report.moreClasses)} smaller ones are left out` : ''}</small></h2><VirtualTable id="heap-classes" label="Classes" columns={columns} rows={rows} keyOf={(one) => `${one.name} ${placeOf(one.place)} ${one.count} ${one.retained}`} fill /></section>;
}

const LARGEST: readonly TableColumn<HeapObject>[] = [
  { id: 'name', title: 'Object', width: 'minmax(110px,2fr)', cell: (one) => <span class="mono">{short(one.name)}</span>, value: (one) => one.name },
  { id: 'id', title: 'Id', width: '84px', num: true, wide: true, cell: (one) => `@${one.id}`, value: (one) => one.id },
  { id: 'shallow', title: 'Shallow', width: '84px', num: true, wide: true, cell: (one) => bytes(one.shallow), value: (one) => one.shallow },
  { id: 'retained', title: 'Retained', width: '84px', num: true, cell: (one) => bytes(one.retained), value: (one) => one.retained },
  { id: 'share', title: 'Of all', width: '72px', num: true, cell: (one) => percent(one.share * 100), value: (one) => one.share },
];

export function Largest({ report }: { report: HeapReport }) {
  const [id, setId] = useState<number>();
  const one = report.largest.find((object) => object.id === id) ?? report.largest[0];
  if (one === undefined) return <section><Empty title="The snapshot has no object that retains others." /></section>;
  return (
    <div class="dump-threads">
      <section><h2>Biggest retained subtrees <small>enter shows the way that keeps one</small></h2><VirtualTable id="heap-largest" label="Largest objects" columns={LARGEST} rows={report.largest} keyOf={(object) => String(object.id)} onOpen={(object) => setId(object.id)} rowClass={(object) => (object === one ? 'chosen' : '')} small fill /></section>
      <section class="dump-stack" aria-live="polite"><h2>{short(one.name)} @{one.id} <small>{bytes(one.retained)} would go with it</small></h2><Way path={one.path} /></section>
    </div>
  );
}

type Collection = HeapReport['collections'][number];
const COLLECTIONS: readonly TableColumn<Collection>[] = [
  { id: 'kind', title: 'Kind', width: '96px', cell: (one) => one.kind, value: (one) => one.kind },
  { id: 'entries', title: 'Entries', width: '84px', num: true, cell: (one) => count(one.entries), value: (one) => one.entries },
  { id: 'of', title: 'Of', width: 'minmax(0,1fr)', cell: (one) => <span class="mono">{short(one.of ?? '–')}</span>, value: (one) => one.of },
  { id: 'retained', title: 'Retained', width: '84px', num: true, cell: (one) => bytes(one.retained), value: (one) => one.retained },
  { id: 'holder', title: 'Held as', width: 'minmax(0,1.4fr)', cell: (one) => <span class="mono">{short(one.holder ?? '–')}</span>, value: (one) => one.holder },
  { id: 'place', title: 'Place', width: 'minmax(0,1fr)', wide: true, cell: (one) => <span class="mono">{placeOf(one.place)}</span>, value: (one) => placeOf(one.place) },
];

export function Collections({ report }: { report: HeapReport }) {
  if (report.collections.length === 0) return <section><Empty title="No map, set or array stands out." /></section>;
  return <section><h2>Collections <small>maps, sets and arrays that hold most</small></h2><VirtualTable id="heap-collections" label="Collections" columns={COLLECTIONS} rows={report.collections} keyOf={(one) => String(one.id)} fill /></section>;
}

const TEXTS: readonly TableColumn<HeapText>[] = [
  { id: 'excerpt', title: 'Begins with (masked)', width: 'minmax(0,3fr)', cell: (one) => <span class="mono">{short(one.excerpt)}</span>, value: (one) => one.excerpt },
  { id: 'count', title: 'Times', width: '72px', num: true, cell: (one) => count(one.count), value: (one) => one.count },
  { id: 'bytes', title: 'Size', width: '84px', num: true, cell: (one) => bytes(one.bytes), value: (one) => one.bytes },
  { id: 'waste', title: 'Copies', width: '84px', num: true, cell: (one) => bytes(one.waste), value: (one) => one.waste },
];

export function Texts({ report: { strings } }: { report: HeapReport }) {
  return <>
    <section><h2>Largest texts <small>{plural(strings.count, 'string')} with {bytes(strings.bytes)}</small></h2><VirtualTable id="heap-texts" label="Largest texts" columns={TEXTS} rows={strings.largest} keyOf={(one) => String(one.id)} fill /></section>
    {strings.duplicates.length === 0 ? undefined : <section><h2>Texts that stand several times <small>{bytes(strings.duplicateBytes)} are copies</small></h2><VirtualTable id="heap-copies" label="Texts that stand several times" columns={TEXTS} rows={strings.duplicates} keyOf={(one) => String(one.id)} fill /></section>}
  </>;
}

type Emitter = HeapReport['emitters'][number];
type Timer = HeapReport['timers']['byFunction'][number];
const EMITTERS: readonly TableColumn<Emitter>[] = [
  { id: 'listeners', title: 'Listeners', width: '84px', num: true, cell: (one) => count(one.listeners), value: (one) => one.listeners },
  { id: 'event', title: 'Event', width: 'minmax(0,1fr)', cell: (one) => <span class="mono">{short(one.event)}</span>, value: (one) => one.event },
  { id: 'emitter', title: 'Emitter', width: 'minmax(0,2fr)', cell: (one) => <span class="mono">{short(one.holder ?? one.emitter)}</span>, value: (one) => one.holder ?? one.emitter },
  { id: 'place', title: 'Place', width: 'minmax(0,1fr)', wide: true, cell: (one) => <span class="mono">{placeOf(one.place)}</span>, value: (one) => placeOf(one.place) },
];
const TIMERS: readonly TableColumn<Timer>[] = [
  { id: 'count', title: 'Timers', width: '84px', num: true, cell: (one) => count(one.count), value: (one) => one.count },
  { id: 'name', title: 'Function', width: 'minmax(0,1fr)', cell: (one) => <span class="mono">{short(one.name)}</span>, value: (one) => one.name },
  { id: 'place', title: 'Place', width: 'minmax(0,2fr)', cell: (one) => <span class="mono">{placeOf(one.place)}</span>, value: (one) => placeOf(one.place) },
];

export function Rest({ report }: { report: HeapReport }) {
  const { timers, promises, contexts, buffers, emitters } = report;
  return <>
    <section><h2>In short</h2><p class="said">{plural(timers.count, 'timer')} retaining {bytes(timers.retained)} · {plural(promises.count, 'promise')}, {count(promises.awaited)} pending and waited for · {plural(buffers.count, 'buffer')} with {bytes(buffers.bytes)} · {plural(contexts.detached, 'detached native object')} with {bytes(contexts.detachedBytes)} · {plural(report.functions.count, 'function')}</p></section>
    {emitters.length === 0 ? undefined : <section><h2>Listeners <small>emitters with most of them</small></h2><VirtualTable id="heap-emitters" label="Listeners" columns={EMITTERS} rows={emitters} keyOf={(one) => `${one.id} ${one.event}`} fill /></section>}
    {timers.byFunction.length === 0 ? undefined : <section><h2>Timers <small>by what they call</small></h2><VirtualTable id="heap-timers" label="Timers" columns={TIMERS} rows={timers.byFunction} keyOf={(one) => `${one.name} ${placeOf(one.place)}`} fill /></section>}
  </>;
}
