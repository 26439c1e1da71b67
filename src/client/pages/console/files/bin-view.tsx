// Owns the view of the bin: what was deleted, brought back or gone for ever.
import { useState } from 'preact/hooks';
import type { Problem } from '../../../../shared/api.ts';
import type { Binned } from '../../../../shared/files.ts';
import { bytes } from '../../../../shared/units.ts';
import { ask, diag, problemOf } from '../../../agent.ts';
import { Empty, Failure, Show } from '../../../parts/states.tsx';
import { VirtualTable, type TableColumn } from '../../../parts/virtual-table.tsx';
import { useAsk } from '../../../use-ask.ts';
import { dayTime } from '../../../words.ts';

export function BinView({ onChanged }: { onChanged: () => void }) {
  const asked = useAsk((signal) => diag.bin({ signal }), []);
  const [problem, setProblem] = useState<Problem>();
  const run = (work: () => Promise<unknown>): void => {
    setProblem(undefined);
    ask(work).then(() => { asked.again(); onChanged(); }, (error: unknown) => setProblem(problemOf(error)));
  };
  const columns: readonly TableColumn<Binned>[] = [
    { id: 'path', title: 'Was', width: 'minmax(0,1fr)', cell: (row) => <bdi>{row.root}: {row.path}</bdi>, value: (row) => row.path },
    { id: 'bytes', title: 'Size', width: '80px', num: true, cell: (row) => bytes(row.bytes), value: (row) => row.bytes },
    { id: 'at', title: 'Deleted', width: '150px', wide: true, cell: (row) => dayTime(row.at), value: (row) => row.at },
    { id: 'do', title: 'Do', width: '150px', cell: (row) => <span class="row-tools"><button type="button" class="link" onClick={() => run(() => diag.restoreFile({ params: { id: row.id } }))}>Restore</button> <button type="button" class="link bad" aria-label={`Delete ${row.path} for ever`} onClick={() => run(() => diag.emptyBin({ query: { id: row.id } }))}>For ever</button></span>, value: () => undefined },
  ];
  return <>
    {problem ? <Failure problem={problem} /> : undefined}
    <Show asked={asked}>{({ binned }) => (binned.length === 0 ? <Empty title="The bin is empty">What is deleted here lies in it for 7 days, at most 256 MB together.</Empty>
      : <VirtualTable id="bin" label="Deleted files" columns={columns} rows={binned} keyOf={(row) => row.id} tools={<button type="button" class="quiet danger" onClick={() => run(() => diag.emptyBin({}))}>Empty the bin ({bytes(binned.reduce((sum, one) => sum + one.bytes, 0))})</button>} />)}</Show>
  </>;
}
