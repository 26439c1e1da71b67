// Owns the page of a heap snapshot: suspects first with the way that keeps each alive, then classes, the largest objects, collections, texts; comparison with an earlier one of the session.
import type { ComponentChildren } from 'preact';
import type { HeapReport } from '../../../../shared/heap.ts';
import { bytes, count, percent, plural } from '../../../../shared/units.ts';
import type { FileName, Query } from '../../../address.ts';
import { diag, fileAddress } from '../../../agent.ts';
import { Failure, Skeleton } from '../../../parts/states.tsx';
import { Sentence } from '../../../parts/text.tsx';
import { change, Link, lookView, sessionView, viewOf } from '../../../router.tsx';
import { useAsk } from '../../../use-ask.ts';
import { Reading } from '../reading.tsx';
import { useLook } from '../use-look.ts';
import { Classes, Collections, Largest, Rest, Texts } from './tables.tsx';
import { Suspects } from './suspects.tsx';

interface HeapPageProps { session: string; file: FileName; query: Query }

export function HeapPage({ session, file, query }: HeapPageProps) {
  const snapshots = useAsk((signal) => diag.session({ params: { session }, signal }), [session]).value?.artifacts.filter((one) => one.kind === 'heap-snapshot' && one.instance === file.instance && one.name !== file.name).map((one) => one.name) ?? [];
  const base = query['with'];
  const params = { session, instance: file.instance, name: file.name };
  const asked = { params, query: base === undefined ? {} : { base } };
  const { value: report, problem, reading, again, cancel } = useLook(`${session}/${file.instance}/${file.name}/${base ?? ''}`, { title: 'The heap snapshot cannot be read', code: 'HEAP_UNREADABLE', begin: (signal) => diag.readHeap({ ...asked, signal }), get: (signal) => diag.heap({ ...asked, signal }) });
  return (
    <main id="main" class="dump heap" tabIndex={-1}>
      <p class="crumb"><Link to={viewOf('analyze')}>Sessions</Link> / <Link to={sessionView(session)}><code>{session}</code></Link> / <code>{file.name}</code> · <a href={fileAddress('sessionArtifact', params)} download>Download</a></p>
      {report === undefined ? <h1 class="sr">Heap</h1> : <Looked report={report} query={query} to={(part) => lookView(session, 'heap', file, { ...query, part })} tools={snapshots.length === 0 ? undefined : <label class="compare">Since <select value={base ?? ''} onChange={(event) => change({ with: event.currentTarget.value === '' ? undefined : event.currentTarget.value })}><option value="">no earlier one</option>{snapshots.map((name) => <option key={name} value={name}>{name}</option>)}</select></label>} />}
      {problem === undefined ? undefined : <section><Failure problem={problem} again={again} /></section>}
      {report !== undefined || problem !== undefined ? undefined : reading === undefined ? <section><Skeleton rows={8} /></section> : <Reading reading={reading} onCancel={cancel} again={again} />}
    </main>
  );
}

const PARTS = ['classes', 'largest', 'collections', 'texts', 'rest'] as const;
type Part = (typeof PARTS)[number];

function Looked({ report, query, to, tools }: { report: HeapReport; query: Query; to: (part: string | undefined) => ReturnType<typeof lookView>; tools: ComponentChildren }) {
  const part: Part = PARTS.find((one) => one === query['part']) ?? 'classes';
  const titles: Readonly<Record<Part, string>> = { classes: `Classes ${count(report.classes.length + report.moreClasses)}`, largest: 'Largest', collections: `Collections ${count(report.collections.length)}`, texts: 'Texts', rest: 'Timers and listeners' };
  const shown: Readonly<Record<Part, () => ComponentChildren>> = { classes: () => <Classes report={report} />, largest: () => <Largest report={report} />, collections: () => <Collections report={report} />, texts: () => <Texts report={report} />, rest: () => <Rest report={report} /> };
  return <>
    <Said report={report} tools={tools} />
    <Suspects report={report} />
    <div class="parts-bar"><nav class="parts" aria-label="Parts of the heap">{PARTS.map((one) => <Link key={one} to={to(one === 'classes' ? undefined : one)} current={part === one}>{titles[one]}</Link>)}</nav></div>
    {shown[part]()}
    {report.notes.length === 0 ? undefined : <section><h2>What is missing or was cut <small>{count(report.notes.length)}</small></h2><ul class="dump-notes">{report.notes.map((note, i) => <li key={i}>{note}</li>)}</ul></section>}
  </>;
}

function Said({ report, tools }: { report: HeapReport; tools: ComponentChildren }) {
  const { parts, growth } = report;
  const [first] = report.suspects;
  const all = Math.max(1, report.bytes);
  return (
    <section class={`dump-why ${first?.sign === 'grew' ? 'died' : 'alive'}`}>
      <div class="said">
        <h1>{first === undefined ? (growth === undefined ? 'No object stands out as the holder of much.' : 'Nothing of the program grew enough to be called a leak.') : <Sentence text={first.title} />}</h1>
        <p>{growth === undefined ? 'One snapshot does not tell a cache from a leak: an earlier one of the same process does.' : `Since ${growth.base} ${bytes(growth.grownBytes)} came that did not go.`}</p>
        <p class="session-facts">{bytes(report.bytes)} in {plural(report.nodes, 'object')} with {plural(report.edges, 'reference')} · {(Object.entries(parts) as [string, number][]).filter(([, size]) => size > 0).sort((a, b) => b[1] - a[1]).map(([name, size]) => `${name} ${percent((size / all) * 100)}`).join(' · ')}</p>
        {tools}
      </div>
    </section>
  );
}
