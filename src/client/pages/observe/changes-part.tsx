// Owns the timeline: every change of the range, newest first.
import type { Change } from '../../../shared/model.ts';
import { Empty, Show } from '../../parts/states.tsx';
import { markOf } from '../../parts/marks.ts';
import { Time } from '../../parts/text.tsx';
import { VirtualTable, type TableColumn } from '../../parts/virtual-table.tsx';
import { around, formatRange, type Range } from '../../range.ts';
import { go, setRange, viewOf } from '../../router.tsx';
import { useChanges } from './use-changes.ts';

const COLUMNS: readonly TableColumn<Change>[] = [
  { id: 'at', title: 'Time', width: '112px', cell: (c) => <Time at={c.at} form="short" />, value: (c) => new Date(c.at).toISOString() },
  { id: 'kind', title: 'Kind', width: '116px', wide: true, cell: (c) => markOf(c).word, value: (c) => c.kind },
  { id: 'title', title: 'What', width: 'minmax(140px,2fr)', cell: (c) => <span title={c.title}><i class={`mark ${markOf(c).form} t-${markOf(c).token}`} />{c.title}</span>, value: (c) => c.title },
  { id: 'detail', title: 'Detail', width: 'minmax(0,2fr)', cell: (c) => <span title={c.detail}>{c.detail}</span>, value: (c) => c.detail, wide: true },
  { id: 'pid', title: 'Pid', width: '72px', num: true, cell: (c) => c.pid ?? '–', value: (c) => c.pid, wide: true },
  { id: 'exit', title: 'Exit code', width: '84px', num: true, cell: (c) => c.exitCode ?? c.signal ?? '–', value: (c) => c.exitCode ?? c.signal, wide: true },
];

const DAY_MS = 86_400_000;

export function ChangesPart({ range }: { range: Range }) {
  const asked = useChanges(range);
  return (
    <section class="wide table-part">
      <h2>Changes <small>starts, exits with codes, deployments, restarts, sessions; a row opens the charts around it</small></h2>
      <Show asked={asked} rows={8}>{(changes) => (changes.length === 0
        ? <Empty title="Nothing changed in this range.">No start, exit, deployment or restart was seen. <button type="button" class="link" onClick={() => setRange({ kind: 'last', forMs: DAY_MS })}>Look at the last 24 h</button></Empty>
        : <VirtualTable id="changes" label="Changes" columns={COLUMNS} rows={changes} keyOf={(c) => c.id} onOpen={(c) => go(viewOf('observe', { range: formatRange(around(c.at)) }))} rowClass={(c) => (c.level === 'critical' ? 'is-bad' : '')} fill />)}</Show>
    </section>
  );
}
