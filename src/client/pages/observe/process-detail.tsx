// Owns one process in detail: what it is, what may be done with it, and its lists, each read when it is opened.
import { useRef, useState } from 'preact/hooks';
import type { Sample } from '../../../shared/model.ts';
import { metric, type MetricId } from '../../../shared/metrics.ts';
import { diag } from '../../agent.ts';
import { useCurrentInSight } from '../../parts/current.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Diagnose } from '../../parts/diagnose.tsx';
import { Show } from '../../parts/states.tsx';
import { Ago, Time } from '../../parts/text.tsx';
import { change, Link, viewNow } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { ROLE_WORDS, value } from '../../words.ts';
import { EndProcess } from './process-end.tsx';
import { Connections, Files, Modules, Threads, Variables } from './process-lists.tsx';

const SHOWN: readonly MetricId[] = ['process.cpu', 'process.working-set', 'process.private-bytes', 'process.threads', 'process.handles'];
const TABS = { overview: 'Overview', environment: 'Environment', modules: 'Modules', threads: 'Threads', files: 'Open files', connections: 'Connections' } as const;
type Tab = keyof typeof TABS;
const isTab = (word: string | undefined): word is Tab => word !== undefined && word in TABS;

export type Detail = Awaited<ReturnType<typeof diag.process>>;
interface ProcessDetailProps { pid: number; tab: string | undefined; sample: Sample | undefined; onClose: () => void }

export function ProcessDetail({ pid, tab, sample, onClose }: ProcessDetailProps) {
  const asked = useAsk((signal) => diag.process({ params: { pid }, signal }), [pid]);
  const [does, setDoes] = useState<'dump' | 'profile' | 'end'>();
  const open = isTab(tab) ? tab : 'overview';
  const nav = useRef<HTMLElement>(null);
  useCurrentInSight(nav, open);
  const detail = asked.value;
  const ended = (): void => { setDoes(undefined); onClose(); };
  return (
    <Dialog title={`Process ${pid}${detail === undefined ? '' : `, ${detail.info.name}`}`} onClose={onClose} wide foot={detail === undefined ? undefined : <Acts detail={detail} onDo={setDoes} />}>
      <nav ref={nav} class="parts detail-tabs" aria-label="Parts of the process">{Object.entries(TABS).map(([id, title]) => <Link key={id} to={{ ...viewNow(), query: { ...viewNow().query, tab: id === 'overview' ? undefined : id } }} current={id === open}>{title}</Link>)}</nav>
      <Show asked={asked} rows={6}>{(one) => <Part tab={open} detail={one} sample={sample} />}</Show>
      {detail && does === 'end' ? <EndProcess detail={detail} onClose={() => setDoes(undefined)} onEnded={ended} /> : undefined}
      {detail && (does === 'dump' || does === 'profile') ? <Diagnose target={detail.info} only={does === 'dump' ? ['memory-dump'] : ['node-cpu-profile']} onClose={() => setDoes(undefined)} /> : undefined}
    </Dialog>
  );
}

/** What cannot be done is greyed, with its reason. */
function Acts({ detail: { offers }, onDo }: { detail: Detail; onDo: (does: 'dump' | 'profile' | 'end') => void }) {
  const act = (does: 'dump' | 'profile' | 'end', title: string, { yes, because }: { yes: boolean; because?: string | undefined }) => (
    <button type="button" class={does === 'end' ? 'quiet danger' : 'quiet'} disabled={!yes} title={yes ? undefined : because} onClick={() => onDo(does)}>{title}</button>
  );
  const refused = [...new Set([offers.dump, offers.profile, offers.end].flatMap(({ yes, because }) => (yes || because === undefined ? [] : [because])))];
  return <>
    {refused.length === 0 ? undefined : <small class="grow">Not possible: {refused.join('; ')}.</small>}
    {act('dump', 'Dump …', offers.dump)}{act('profile', 'Profile …', offers.profile)}{act('end', 'End process …', offers.end)}
  </>;
}

function Part({ tab, detail, sample }: { tab: Tab; detail: Detail; sample: Sample | undefined }) {
  if (tab === 'environment') return <Variables detail={detail} />;
  if (tab === 'modules') return <Modules info={detail.info} />;
  if (tab === 'threads') return <Threads info={detail.info} stack={detail.offers.stack} />;
  if (tab === 'files') return <Files files={detail.openFiles} missing={detail.openFilesMissing} />;
  if (tab === 'connections') return <Connections info={detail.info} />;
  return <Overview detail={detail} sample={sample} />;
}

function Overview({ detail: { info, sample: first }, sample }: { detail: Detail; sample: Sample | undefined }) {
  return (
    <dl class="facts">
      <div><dt>Name</dt><dd>{info.name}, {ROLE_WORDS[info.role]}{info.ours ? ', the agent\'s own' : ''}{info.bits === undefined ? '' : `, ${info.bits} bit`}</dd></div>
      <div><dt>Started</dt><dd><Time at={info.startedAt} form="day" /> (<Ago at={info.startedAt} />)</dd></div>
      {info.user === undefined ? undefined : <div><dt>User</dt><dd>{info.user}</dd></div>}
      {info.parent === undefined || info.parent === 0 ? undefined : <div><dt>Parent</dt><dd><button type="button" class="link" onClick={() => change({ process: String(info.parent), tab: undefined })}>process {info.parent}</button></dd></div>}
      {info.path === undefined ? undefined : <div><dt>Program</dt><dd><code>{info.path}</code></dd></div>}
      {info.commandLine === undefined ? undefined : <div><dt>Command line</dt><dd><code>{info.commandLine}</code></dd></div>}
      {SHOWN.map((id) => <div key={id} class="fact-num"><dt>{metric(id).title}</dt><dd>{value(id, (sample ?? first)?.values[id])}</dd></div>)}
    </dl>
  );
}
