// Owns the process table: a live tree with roles, sortable, each row opening its detail.
import type { ComponentType } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Sample } from '../../../shared/model.ts';
import { bytes, count, duration, percent } from '../../../shared/units.ts';
import type { MetricId } from '../../../shared/metrics.ts';
import { agentNow, diag } from '../../agent.ts';
import { useFollow } from '../../live/index.ts';
import { Later } from '../../parts/later.tsx';
import { Empty, Show } from '../../parts/states.tsx';
import { Ago } from '../../parts/text.tsx';
import { VirtualTable, type TableColumn } from '../../parts/virtual-table.tsx';
import { change, useView } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { ROLE_WORDS } from '../../words.ts';
import { matches, treeOf, type ProcessRow } from './process-tree.ts';

const LIST_EVERY_MS = 5_000;
const read = (row: ProcessRow, id: MetricId): number | undefined => row.sample?.values[id];
const shown = (n: number | undefined, how: (n: number) => string): string => (n === undefined ? '–' : how(n));
const measured = (id: MetricId, title: string, width: string, how: (n: number) => string, wide = false): TableColumn<ProcessRow> => ({ id, title, width, num: true, wide, cell: (r) => shown(read(r, id), how), value: (r) => read(r, id) });

const COLUMNS: readonly TableColumn<ProcessRow>[] = [
  { id: 'name', title: 'Process', width: 'minmax(104px,2fr)', cell: (r) => <span class={`tree d${Math.min(r.depth, 6)}`} title={r.info.commandLine ?? r.info.path}>{r.info.name}<small class="only-narrow"> {r.info.pid}</small>{r.info.ours ? <small> agent's own</small> : undefined}</span>, value: (r) => r.info.name },
  { id: 'pid', title: 'Pid', width: '72px', num: true, wide: true, cell: (r) => r.info.pid, value: (r) => r.info.pid },
  { id: 'role', title: 'Role', width: '76px', wide: true, cell: (r) => <span class={`role ${r.info.role}`}>{ROLE_WORDS[r.info.role]}</span>, value: (r) => r.info.role },
  measured('process.cpu', 'CPU', '76px', percent),
  measured('process.cpu-time', 'CPU time', '84px', duration, true),
  measured('process.working-set', 'Working set', '92px', bytes),
  measured('process.private-bytes', 'Private', '92px', bytes, true),
  measured('process.threads', 'Threads', '76px', count, true),
  measured('process.handles', 'Handles', '76px', count, true),
  { id: 'started', title: 'Started', width: '110px', cell: (r) => <Ago at={r.info.startedAt} />, value: (r) => r.info.startedAt, wide: true },
  { id: 'user', title: 'User', width: '96px', cell: (r) => r.info.user ?? '–', value: (r) => r.info.user, extra: true },
  { id: 'command', title: 'Command line', width: 'minmax(0,2fr)', cell: (r) => <span title={r.info.commandLine}>{r.info.commandLine ?? '–'}</span>, value: (r) => r.info.commandLine, extra: true },
];

export function ProcessesPart({ chosen, paused }: { chosen: string | undefined; paused: boolean }) {
  const asked = useAsk((signal) => diag.processes({ signal }), [], paused ? undefined : LIST_EVERY_MS);
  const samples = useSamples(paused);
  const rows = useMemo(() => treeOf(asked.value?.processes ?? [], samples), [asked.value, samples]);
  const open = rows.find((r) => String(r.info.pid) === chosen);
  const { find: sought, tab } = useView().query;
  const [find, setFind] = useState(sought ?? '');
  const shownRows = useMemo(() => (find.trim() === sought ? rows : rows.filter((r) => matches(r, find))), [rows, find, sought]);
  const search = (event: Event): void => { event.preventDefault(); change({ find: find.trim().length < MIN_SOUGHT ? undefined : find.trim() }); };
  return <>
    <section class="wide table-part">
      <h2>Processes <small>of the site, children below their parents{paused ? ' · paused' : ' · live'}{asked.value?.missing === undefined ? '' : ` · ${asked.value.missing}`}</small></h2>
      <Show asked={asked} rows={8}>{(value) => (value.processes.length === 0
        ? <Empty title="No process of the site was found.">{value.missing ?? 'The site has not started one yet; the first request starts the worker.'}</Empty>
        : <VirtualTable id="processes" label="Processes" columns={COLUMNS} rows={shownRows} keyOf={(r) => `${r.info.pid}:${r.info.startedAt}`} tools={<><Finder find={find} onFind={setFind} onSearch={search} />{shownRows.length === 0 ? <small role="status">No process has this in its name, pid, role, user or command line.</small> : undefined}</>} onOpen={(r) => change({ part: 'processes', process: String(r.info.pid) })} rowClass={(r) => (r.info.ours ? 'is-quiet' : '')} fill />)}</Show>
      {chosen === undefined ? undefined : <Later whole={false} title="Process" load={loadDetail} props={{ pid: Number(chosen), tab, sample: open?.sample, onClose: () => change({ process: undefined, tab: undefined, part: 'processes' }) }} />}
    </section>
    {sought === undefined || sought.length < MIN_SOUGHT ? undefined : <Later key={sought} whole={false} title="Found" load={loadFound} props={{ text: sought }} />}
  </>;
}

/** Shorter texts are in nearly every path. */
const MIN_SOUGHT = 2;
interface DetailProps { pid: number; tab: string | undefined; sample: Sample | undefined; onClose: () => void }
const loadDetail = async (): Promise<ComponentType<DetailProps>> => (await import('./process-detail.tsx')).ProcessDetail;
const loadFound = async (): Promise<ComponentType<{ text: string }>> => (await import('./process-search.tsx')).Found;

/** What is typed narrows the table at once; Enter searches the modules and open files of all. */
function Finder({ find, onFind, onSearch }: { find: string; onFind: (text: string) => void; onSearch: (event: Event) => void }) {
  return <form class="finder" role="search" onSubmit={onSearch}>
    <label class="inline grow"><span>Find</span><input type="text" value={find} maxLength={200} placeholder="name, pid, command" onInput={(e) => onFind(e.currentTarget.value)} /></label>
    <button type="submit" class="quiet" disabled={find.trim().length < MIN_SOUGHT}>Search modules and files</button>
  </form>;
}

/** The newest sample of each process; a later one of the same instant adds to it. */
function useSamples(paused: boolean): ReadonlyMap<string, Sample> {
  const known = useRef(new Map<string, Sample>());
  const [samples, setSamples] = useState<ReadonlyMap<string, Sample>>(new Map());
  useFollow(paused ? undefined : () => ({ type: 'follow', topic: 'samples', since: Math.floor(agentNow()) - 3_000 }), (message) => {
    if (message.type !== 'samples') return;
    for (const s of message.items) {
      if (!s.process) continue;
      const key = `${s.process.pid}:${s.process.startedAt}`;
      const was = known.current.get(key);
      if (!was || s.at > was.at) known.current.set(key, s);
      else if (s.at === was.at) known.current.set(key, { ...was, values: { ...was.values, ...s.values } });
    }
    setSamples(new Map(known.current));
  }, [paused]);
  useEffect(() => {
    // What was not seen for a minute has ended.
    for (const [key, s] of known.current) if (s.at < agentNow() - 60_000) known.current.delete(key);
  }, [samples]);
  return samples;
}
