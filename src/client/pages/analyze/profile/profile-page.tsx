// Owns the page of a profile: the hot path first, the flame graph, then stretches that block, functions, modules and packages; comparison with another of the session.
import type { ComponentChildren } from 'preact';
import type { ProfileReport } from '../../../../shared/profile.ts';
import { FLAME_ORDERS } from '../../../../shared/profile-flame.ts';
import { count, duration, percent } from '../../../../shared/units.ts';
import type { FileName, Query } from '../../../address.ts';
import { diag, fileAddress } from '../../../agent.ts';
import { Failure, Skeleton } from '../../../parts/states.tsx';
import { Sentence } from '../../../parts/text.tsx';
import { change, Link, lookView, sessionView, viewOf } from '../../../router.tsx';
import { useAsk } from '../../../use-ask.ts';
import { Reading } from '../reading.tsx';
import { useLook, type Look } from '../use-look.ts';
import { FlameGraph } from './flame.tsx';
import { Changes, Functions, Modules, Stretches } from './tables.tsx';
import { amountText } from './words.ts';

interface ProfilePageProps { session: string; file: FileName; query: Query }

function useProfile(session: string, file: FileName | undefined): Look<ProfileReport> {
  const params = { session, instance: file?.instance ?? '', name: file?.name ?? '' };
  return useLook(file === undefined ? undefined : `${session}/${file.instance}/${file.name}`, { title: 'The profile cannot be read', code: 'PROFILE_UNREADABLE', begin: (signal) => diag.readProfile({ params, signal }), get: (signal) => diag.profile({ params, signal }) });
}

export function ProfilePage({ session, file, query }: ProfilePageProps) {
  const { value: report, problem, reading, again, cancel } = useProfile(session, file);
  const others = useAsk((signal) => diag.session({ params: { session }, signal }), [session]).value?.artifacts.filter((one) => (one.kind === 'cpu-profile' || one.kind === 'heap-profile') && (one.name !== file.name || one.instance !== file.instance)) ?? [];
  const other = others.find((one) => one.name === query['with']);
  const base = useProfile(session, other);
  return (
    <main id="main" class="dump profile" tabIndex={-1}>
      <p class="crumb"><Link to={viewOf('analyze')}>Sessions</Link> / <Link to={sessionView(session)}><code>{session}</code></Link> / <code>{file.name}</code> · <a href={fileAddress('sessionArtifact', { session, ...file })} download>Download</a></p>
      {report === undefined ? <h1 class="sr">Profile</h1> : <Looked report={report} base={base.value} query={query} to={(part) => lookView(session, 'profile', file, { ...query, part })} tools={others.length === 0 ? undefined : <Compare names={others.map((one) => one.name)} chosen={other?.name} />} />}
      {problem === undefined ? undefined : <section><Failure problem={problem} again={again} /></section>}
      {base.problem === undefined ? undefined : <section><Failure problem={base.problem} again={base.again} /></section>}
      {report !== undefined || problem !== undefined ? undefined : reading === undefined ? <section><Skeleton rows={8} /></section> : <Reading reading={reading} onCancel={cancel} again={again} />}
    </main>
  );
}

function Compare({ names, chosen }: { names: readonly string[]; chosen: string | undefined }) {
  return <label class="compare">Compare with <select value={chosen ?? ''} onChange={(event) => change({ with: event.currentTarget.value === '' ? undefined : event.currentTarget.value })}><option value="">nothing</option>{names.map((name) => <option key={name} value={name}>{name}</option>)}</select></label>;
}

const PARTS = ['functions', 'modules', 'stretches', 'changes'] as const;
type Part = (typeof PARTS)[number];

function Looked({ report, base, query, to, tools }: { report: ProfileReport; base: ProfileReport | undefined; query: Query; to: (part: string | undefined) => ReturnType<typeof lookView>; tools: ComponentChildren }) {
  const part: Part = PARTS.find((one) => one === query['part'] && (one !== 'changes' || base !== undefined)) ?? 'functions';
  const titles: Readonly<Record<Part, string>> = { functions: `Functions ${count(report.functions.length + report.moreFunctions)}`, modules: `Modules ${count(report.modules.length + report.moreModules)}`, stretches: `Long stretches ${count(report.stretches.length)}`, changes: 'Changes' };
  const shown: Readonly<Record<Part, () => ComponentChildren>> = {
    functions: () => <Functions report={report} />, modules: () => <Modules report={report} />, stretches: () => <Stretches report={report} />, changes: () => (base === undefined ? undefined : <Changes report={report} base={base} />),
  };
  return <>
    <Said report={report} tools={tools} />
    <FlameGraph report={report} base={base?.tree} order={FLAME_ORDERS.find((one) => one === query['order']) ?? 'left-heavy'} search={query['find'] ?? ''} onOrder={(order) => change({ order }, true)} onSearch={(find) => change({ find: find === '' ? undefined : find }, true)} />
    <div class="parts-bar"><nav class="parts" aria-label="Parts of the profile">{PARTS.filter((one) => one !== 'changes' || base !== undefined).map((one) => <Link key={one} to={to(one === 'functions' ? undefined : one)} current={part === one}>{titles[one]}</Link>)}</nav></div>
    {shown[part]()}
    {report.notes.length === 0 ? undefined : <section><h2>What is missing or was cut <small>{count(report.notes.length)}</small></h2><ul class="dump-notes">{report.notes.map((note, i) => <li key={i}>{note}</li>)}</ul></section>}
  </>;
}

function Said({ report, tools }: { report: ProfileReport; tools: ComponentChildren }) {
  const { hot, unit } = report;
  return (
    <section class="dump-why alive">
      <div class="said">
        <h1>{hot === undefined ? 'Nothing of the app ran while the profile was taken.' : <Sentence text={hot.sentence} />}</h1>
        {hot === undefined ? undefined : <p>{hot.hotLine === undefined ? '' : `Most samples of the function itself fell on line ${hot.hotLine}. `}{hot.advice}</p>}
        <p class="session-facts">{report.format}{report.wallMs === undefined ? '' : ` of ${duration(report.wallMs)}`} · {count(report.samples)} samples · {count(report.nodes)} calls in the tree · {report.categories.map((one) => `${one.category} ${percent(one.share * 100)}`).join(' · ')} · all together {amountText(report.total, unit)}</p>
        {tools}
      </div>
    </section>
  );
}
