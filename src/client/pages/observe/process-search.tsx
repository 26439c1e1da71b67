// Owns the search over modules and open files of all processes: what was found, and what could not be searched.
import type { ProcessFound, ProcessSearch } from '../../../shared/processes.ts';
import { duration, plural } from '../../../shared/units.ts';
import { diag } from '../../agent.ts';
import { Empty, Show } from '../../parts/states.tsx';
import { VirtualTable, type TableColumn } from '../../parts/virtual-table.tsx';
import { change } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';

const KINDS = { modules: 'module', files: 'open file' } as const;
const COLUMNS: readonly TableColumn<ProcessFound>[] = [
  { id: 'process', title: 'Process', width: 'minmax(104px,1fr)', cell: (f) => f.name, value: (f) => f.name },
  { id: 'pid', title: 'Pid', width: '72px', num: true, cell: (f) => f.pid, value: (f) => f.pid },
  { id: 'kind', title: 'As', width: '84px', wide: true, cell: (f) => KINDS[f.kind], value: (f) => f.kind },
  { id: 'text', title: 'What', width: 'minmax(0,4fr)', cell: (f) => <code title={f.text}>{f.text}</code>, value: (f) => f.text },
];

export function Found({ text }: { text: string }) {
  const asked = useAsk((signal) => diag.searchProcesses({ query: { text }, signal }), [text]);
  return (
    <section class="wide table-part">
      <h2>Found <small>“{text}” in modules and open files · <button type="button" class="link" onClick={() => change({ find: undefined })}>end the search</button></small></h2>
      <Show asked={asked} rows={4}>{(search) => <>
        {search.found.length === 0 ? <Empty title="No process has it.">{saidOf(search)}</Empty>
          : <VirtualTable id="process-found" label="Found in processes" columns={COLUMNS} rows={search.found} keyOf={(f) => `${f.pid} ${f.kind} ${f.text}`} onOpen={(f) => change({ process: String(f.pid), tab: f.kind })} tools={<small>{saidOf(search)}</small>} />}
        <Unsearched search={search} />
      </>}</Show>
    </section>
  );
}

function saidOf({ found, more, searched, of, complete, tookMs }: ProcessSearch): string {
  const left = more === 0 ? '' : `, ${plural(more, 'further one')} left out`;
  return `${plural(found.length, 'hit')}${left} in ${complete ? plural(searched, 'process', 'processes') : `${searched} of ${of} processes, then the time was over`}, ${duration(tookMs)}.`;
}

function Unsearched({ search: { refused, missing } }: { search: ProcessSearch }) {
  if (refused.length + missing.length === 0) return <></>;
  return (
    <div class="unsearched">
      {missing.map(({ kind, because }) => <p key={kind} class="note">No {KINDS[kind]}s were searched: {because}.</p>)}
      {refused.length === 0 ? undefined : <details><summary>{plural(refused.length, 'process', 'processes')} could not be searched</summary><ul>{refused.map(({ pid, name, why }) => <li key={pid}>{name} {pid}: {why}</li>)}</ul></details>}
    </div>
  );
}
