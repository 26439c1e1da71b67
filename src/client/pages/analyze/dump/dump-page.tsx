// Owns the page of a memory dump: why the process died, then its threads, memory, modules, texts and environment; how far its reading is until then.
import type { ComponentChildren } from 'preact';
import type { DumpRead } from '../../../../shared/dump-read.ts';
import { count } from '../../../../shared/units.ts';
import type { FileName, Query } from '../../../address.ts';
import { fileAddress } from '../../../agent.ts';
import { Failure, Skeleton } from '../../../parts/states.tsx';
import { dumpView, Link, sessionView, viewOf } from '../../../router.tsx';
import { Reading } from '../reading.tsx';
import { Environment, Modules, Texts } from './lists.tsx';
import { Memory } from './memory.tsx';
import { Threads } from './threads.tsx';
import { useDump } from './use-dump.ts';
import { Why } from './why.tsx';

interface DumpPageProps { session: string; dump: FileName; query: Query }

export function DumpPage({ session, dump: named, query }: DumpPageProps) {
  const { value: dump, problem, reading, again, cancel } = useDump(session, named);
  return (
    <main id="main" class="dump" tabIndex={-1}>
      <p class="crumb"><Link to={viewOf('analyze')}>Sessions</Link> / <Link to={sessionView(session)}><code>{session}</code></Link> / <code>{named.name}</code> · <a href={fileAddress('sessionArtifact', { session, ...named })} download>Download</a></p>
      {dump === undefined ? <h1 class="sr">Memory dump</h1> : <Looked dump={dump} query={query} to={(part) => dumpView(session, named, { part })} />}
      {problem === undefined ? undefined : <section><Failure problem={problem} again={again} /></section>}
      {dump !== undefined || problem !== undefined ? undefined : reading === undefined ? <section><Skeleton rows={8} /></section> : <Reading reading={reading} onCancel={cancel} again={again} />}
    </main>
  );
}

const PARTS = ['threads', 'memory', 'modules', 'texts', 'environment'] as const;
type Part = (typeof PARTS)[number];

function Looked({ dump, query, to }: { dump: DumpRead; query: Query; to: (part: string | undefined) => ReturnType<typeof dumpView> }) {
  const part: Part = PARTS.find((one) => one === query['part']) ?? 'threads';
  const titles: Readonly<Record<Part, string>> = { threads: `Threads ${count(dump.threads.length)}`, memory: 'Memory', modules: `Modules ${count(dump.modules.length)}`, texts: `Texts ${count(dump.texts.length)}`, environment: `Environment ${count(dump.environment.length)}` };
  const shown: Readonly<Record<Part, () => ComponentChildren>> = {
    threads: () => <Threads dump={dump} chosen={query['thread']} />, memory: () => <Memory memory={dump.memory} />, modules: () => <Modules modules={dump.modules} />,
    texts: () => <Texts texts={dump.texts} />, environment: () => <Environment variables={dump.environment} />,
  };
  return <>
    <Why dump={dump} />
    <div class="parts-bar"><nav class="parts" aria-label="Parts of the dump">{PARTS.map((one) => <Link key={one} to={to(one === 'threads' ? undefined : one)} current={part === one}>{titles[one]}</Link>)}</nav></div>
    {shown[part]()}
    {dump.notes.length === 0 ? undefined : <section><h2>What is missing or was cut <small>{count(dump.notes.length)}</small></h2><ul class="dump-notes">{dump.notes.map((note, i) => <li key={i}>{note}</li>)}</ul></section>}
  </>;
}
