// Owns the lists of one process: modules, threads with the JavaScript stack, open files, connections, environment; each filtered and sortable.
import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { Problem } from '../../../shared/api.ts';
import type { Offer, ProcessInfo } from '../../../shared/model.ts';
import type { ConnectionView, JsStack, ModuleView, ThreadView } from '../../../shared/processes.ts';
import { bytes, count, duration, plural } from '../../../shared/units.ts';
import { ask, diag, problemOf } from '../../agent.ts';
import { Masked } from '../../parts/masked.tsx';
import { Empty, Failure, Show } from '../../parts/states.tsx';
import { Ago, Time } from '../../parts/text.tsx';
import { VirtualTable, type TableColumn } from '../../parts/virtual-table.tsx';
import { useAsk } from '../../use-ask.ts';
import type { Detail } from './process-detail.tsx';

const none = (n: number | undefined, how: (n: number) => string): string => (n === undefined ? '–' : how(n));
const callOf = ({ pid, startedAt }: ProcessInfo, signal: AbortSignal) => ({ params: { pid }, query: { startedAt }, signal });

interface ListProps<R> { id: string; title: string; rows: readonly R[]; columns: readonly TableColumn<R>[]; keyOf: (row: R) => string; textOf: (row: R) => string; more?: number; missing?: string | undefined; note?: string; tools?: ComponentChildren }
function List<R>({ id, title, rows, columns, keyOf, textOf, more = 0, missing, note, tools }: ListProps<R>) {
  const [find, setFind] = useState('');
  const sought = find.trim().toLowerCase();
  const found = sought === '' ? rows : rows.filter((row) => textOf(row).toLowerCase().includes(sought));
  if (missing !== undefined) return <Empty title="Not possible here.">{missing}</Empty>;
  if (rows.length === 0) return <Empty title={`No ${title.toLowerCase()}.`}>The process has none just now.</Empty>;
  const finder = <label class="inline grow"><span>Filter</span><input type="text" value={find} onInput={(e) => setFind(e.currentTarget.value)} /></label>;
  return <div class="detail-list">
    <VirtualTable id={`process-${id}`} label={title} columns={columns} rows={found} keyOf={keyOf} tools={<>{finder}{tools}</>} />
    {found.length === 0 ? <p class="note">None of {plural(rows.length, 'row')} has this text.</p> : undefined}
    {more > 0 ? <p class="note">{plural(more, 'further row')} left out: the list ends at {count(rows.length)}.</p> : undefined}
    {note === undefined ? undefined : <p class="note">{note}</p>}
  </div>;
}

const MODULES: readonly TableColumn<ModuleView>[] = [
  { id: 'path', title: 'File', width: 'minmax(0,4fr)', cell: (m) => <code title={m.path}>{m.path}</code>, value: (m) => m.path },
  { id: 'version', title: 'Version', width: '120px', cell: (m) => m.version ?? '–', value: (m) => m.version },
  { id: 'size', title: 'Size', width: '84px', num: true, cell: (m) => bytes(m.sizeBytes), value: (m) => m.sizeBytes },
  { id: 'address', title: 'Address', width: '132px', wide: true, cell: (m) => <code>{m.address}</code>, value: (m) => m.address },
];
export function Modules({ info }: { info: ProcessInfo }) {
  const asked = useAsk((signal) => diag.processModules(callOf(info, signal)), [info.pid, info.startedAt]);
  return <Show asked={asked} rows={6}>{({ modules, more, missing }) => <List id="modules" title="Modules" rows={modules} columns={modules.some((m) => m.version !== undefined) ? MODULES : MODULES.filter(({ id }) => id !== 'version')} keyOf={(m) => `${m.address} ${m.path}`} textOf={(m) => `${m.path} ${m.version ?? ''}`} more={more} missing={missing} />}</Show>;
}

const STATES: Readonly<Record<NonNullable<ThreadView['state']>, string>> = { running: 'running', waiting: 'waiting', uninterruptible: 'waits in the kernel', stopped: 'stopped', traced: 'held by a debugger', ended: 'ended', idle: 'idle' };
const THREADS: readonly TableColumn<ThreadView>[] = [
  { id: 'id', title: 'Id', width: '72px', num: true, wide: true, cell: (t) => t.id, value: (t) => t.id },
  { id: 'name', title: 'Name', width: 'minmax(72px,1fr)', cell: (t) => <>{t.name ?? '–'}<small class="only-narrow"> {t.id}</small></>, value: (t) => t.name },
  { id: 'state', title: 'State', width: 'minmax(76px,156px)', cell: (t) => <span class={t.state === 'uninterruptible' || t.state === 'traced' ? 'warn-text' : ''}>{t.state === undefined ? '–' : STATES[t.state]}</span>, value: (t) => t.state },
  { id: 'waits', title: 'Waits in', width: 'minmax(0,1.3fr)', wide: true, cell: (t) => (t.waitsIn === undefined ? '–' : <code>{t.waitsIn}</code>), value: (t) => t.waitsIn },
  { id: 'cpu', title: 'CPU time', width: '84px', num: true, cell: (t) => none(t.cpuMs, duration), value: (t) => t.cpuMs },
  { id: 'kernel', title: 'Of it kernel', width: '96px', num: true, wide: true, cell: (t) => none(t.kernelMs, duration), value: (t) => t.kernelMs },
  { id: 'priority', title: 'Priority', width: '72px', num: true, extra: true, cell: (t) => none(t.priority, count), value: (t) => t.priority },
  { id: 'started', title: 'Started', width: '96px', extra: true, cell: (t) => (t.startedAt === undefined ? '–' : <Ago at={t.startedAt} />), value: (t) => t.startedAt },
];
export function Threads({ info, stack }: { info: ProcessInfo; stack: Offer }) {
  const asked = useAsk((signal) => diag.processThreads(callOf(info, signal)), [info.pid, info.startedAt]);
  return <>
    {stack.yes ? <Stack info={info} /> : undefined}
    <Show asked={asked} rows={6}>{({ threads, more, missing }) => <List id="threads" title="Threads" rows={threads} columns={THREADS} keyOf={(t) => String(t.id)} textOf={(t) => `${t.id} ${t.name ?? ''} ${t.state ?? ''} ${t.waitsIn ?? ''}`} more={more} missing={missing} tools={<button type="button" class="quiet" onClick={asked.again}>Look again</button>} />}</Show>
  </>;
}

/** Where the JavaScript stands, on request: it stops the app for a moment. */
function Stack({ info }: { info: ProcessInfo }) {
  const [stack, setStack] = useState<JsStack>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const look = (): void => {
    setBusy(true);
    setProblem(undefined);
    ask(() => diag.processStack({ params: { pid: info.pid }, body: { startedAt: info.startedAt } })).then(setStack, (error: unknown) => setProblem(problemOf(error))).finally(() => setBusy(false));
  };
  return (
    <div class="js-stack" role="group" aria-label="JavaScript stack">
      <p><button type="button" class="quiet" disabled={busy} onClick={look}>{busy ? 'Looking …' : stack === undefined ? 'JavaScript stack' : 'Look again'}</button> <small>Opens the inspector and stops the main thread for some milliseconds; written to the audit.</small></p>
      {problem ? <Failure problem={problem} /> : undefined}
      {stack === undefined ? undefined : stack.idle ? <p class="note">It ran no JavaScript for {duration(stack.waitedMs)} (<Time at={stack.at} />): its event loop waits for something to do.</p>
        : <><ol class="frames" tabIndex={0} aria-label="Frames, the newest first">{stack.frames.map((f, i) => <li key={i} class={f.ours ? 'ours' : ''}><code>{f.text}</code></li>)}</ol>{stack.more > 0 ? <p class="note">{plural(stack.more, 'further frame')} left out.</p> : undefined}{stack.frames.some((f) => f.ours) ? undefined : <p class="note">No code of the app was on the stack at that moment: look again, or take a profile.</p>}</>}
    </div>
  );
}

const FILES: readonly TableColumn<{ at: number; text: string }>[] = [
  { id: 'at', title: 'No.', width: '56px', num: true, wide: true, cell: (f) => f.at + 1, value: (f) => f.at },
  { id: 'text', title: 'What', width: 'minmax(0,1fr)', cell: (f) => <code title={f.text}>{f.text}</code>, value: (f) => f.text },
];
export function Files({ files, missing }: { files: readonly string[] | undefined; missing: string | undefined }) {
  return <List id="files" title="Open files" rows={(files ?? []).map((text, at) => ({ at, text }))} columns={FILES} keyOf={(f) => String(f.at)} textOf={(f) => f.text} missing={files === undefined ? missing : undefined} />;
}

const place = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
const remoteOf = (c: ConnectionView): string => (c.remotePort === 0 ? '–' : place(c.remoteHost, c.remotePort));
const BY = { app: 'the app calls this name', dns: 'the address was looked up', machine: 'this very machine' } as const;
const CONNECTIONS: readonly TableColumn<ConnectionView>[] = [
  { id: 'state', title: 'State', width: '112px', cell: (c) => c.state, value: (c) => c.state },
  { id: 'remote', title: 'Remote', width: 'minmax(0,1.2fr)', cell: (c) => <code>{remoteOf(c)}</code>, value: remoteOf },
  { id: 'name', title: 'Name', width: 'minmax(0,1.4fr)', cell: (c) => (c.name === undefined ? '–' : <span title={c.by === undefined ? undefined : BY[c.by]}>{c.name}</span>), value: (c) => c.name },
  { id: 'local', title: 'Local', width: 'minmax(0,1fr)', wide: true, cell: (c) => <code>{place(c.localHost, c.localPort)}</code>, value: (c) => place(c.localHost, c.localPort) },
];
export function Connections({ info }: { info: ProcessInfo }) {
  const asked = useAsk((signal) => diag.processConnections(callOf(info, signal)), [info.pid, info.startedAt]);
  return <Show asked={asked} rows={6}>{({ connections, more, unasked, missing }) => <List id="connections" title="Connections" rows={connections} columns={CONNECTIONS} keyOf={(c) => `${c.localHost} ${c.localPort} ${c.remoteHost} ${c.remotePort} ${c.state}`} textOf={(c) => `${c.state} ${remoteOf(c)} ${c.name ?? ''} ${c.localPort}`} more={more} missing={missing}
    {...(unasked > 0 ? { note: `${plural(unasked, 'address', 'addresses')} not looked up in time; look again for more names.` } : {})} tools={<button type="button" class="quiet" onClick={asked.again}>Look again</button>} />}</Show>;
}

type Variable = NonNullable<Detail['environment']>[number];
export function Variables({ detail: { info, environment, environmentMissing } }: { detail: Detail }) {
  const columns: readonly TableColumn<Variable>[] = [
    { id: 'name', title: 'Name', width: 'minmax(0,2fr)', cell: (v) => <code title={v.name}>{v.name}</code>, value: (v) => v.name },
    { id: 'value', title: 'Value', width: 'minmax(0,3fr)', cell: (v) => (v.masked ? <Masked process={info} name={v.name} text={v.value} /> : <code title={v.value}>{v.value}</code>), value: (v) => v.value },
  ];
  const masked = environment?.filter((v) => v.masked).length ?? 0;
  return <List id="environment" title="Variables" rows={environment ?? []} columns={columns} keyOf={(v) => v.name} textOf={(v) => `${v.name}=${v.masked ? '' : v.value}`} missing={environment === undefined ? environmentMissing : undefined} {...(masked > 0 ? { note: `${plural(masked, 'value')} masked: by its name or its form it is a secret.` } : {})} />;
}
