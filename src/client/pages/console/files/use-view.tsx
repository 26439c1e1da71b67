// Owns the view of what takes the room: summed up when asked, folder by folder, and the largest files.
import { useEffect, useState } from 'preact/hooks';
import type { Problem } from '../../../../shared/api.ts';
import type { DiskUse } from '../../../../shared/files.ts';
import { bytes, count, plural } from '../../../../shared/units.ts';
import { ask, diag, problemOf } from '../../../agent.ts';
import { Empty, Failure } from '../../../parts/states.tsx';
import { VirtualTable, type TableColumn } from '../../../parts/virtual-table.tsx';
import { untilEnded } from './jobs.ts';
import { joined, lastOf, parentOf } from './paths.ts';

type Row = DiskUse['folders'][number];

export function UseView({ root, path, onFolder, onFile }: { root: string; path: string; onFolder: (path: string) => void; onFile: (path: string) => void }) {
  const [state, setState] = useState<{ note?: string; use?: DiskUse; problem?: Problem; operation?: string }>({});
  const [inside, setInside] = useState('');
  const [round, setRound] = useState(0);
  useEffect(() => {
    const end = new AbortController();
    setState({ note: 'beginning' });
    setInside('');
    const measure = async (): Promise<void> => {
      const { operation } = await ask(() => diag.measureUse({ body: { root, path } }));
      const ended = await untilEnded(operation, end.signal, ({ note, state: is }) => { if (is === 'running' && !end.signal.aborted) setState({ operation, ...(note === undefined ? {} : { note }) }); });
      if (end.signal.aborted) return;
      if (ended.state !== 'done') { setState({ note: '', problem: problemOf(new Error(ended.note ?? ended.state)) }); return; }
      setState({ use: await ask(() => diag.diskUse({ params: { operation } })) });
    };
    measure().catch((error: unknown) => { if (!end.signal.aborted) setState({ problem: problemOf(error) }); });
    return () => end.abort();
  }, [root, path, round]);
  const { use, problem, note, operation } = state;
  if (problem) return <Failure problem={problem} again={() => setRound((n) => n + 1)} />;
  if (use === undefined) return <div class="use-going" role="status"><p>Summing up: {note ?? ''}</p>{operation === undefined ? undefined : <button type="button" class="quiet" onClick={() => { ask(() => diag.cancelOperation({ params: { operation } })).catch(() => undefined); }}>Cancel</button>}</div>;
  if (use.files === 0) return <Empty title="Nothing takes room here">There is no file below this folder.</Empty>;
  const total = inside === '' ? use.bytes : use.folders.find((one) => one.path === inside)?.bytes ?? 0;
  return <div class="use">
    <p class="preview-note">{bytes(use.bytes)} in {plural(use.files, 'file')}{use.whole ? '' : ', at least: it was not seen to its end'}{use.unreadable > 0 ? `; ${plural(use.unreadable, 'entry', 'entries')} could not be read` : ''}{use.links > 0 ? `; ${plural(use.links, 'link')} not followed` : ''}. {inside === '' ? undefined : <button type="button" class="link" onClick={() => setInside(parentOf(inside))}>Up from {inside}</button>}</p>
    <Folders rows={use.folders.filter((one) => parentOf(one.path) === inside)} total={total} onOpen={(row) => (use.folders.some((one) => parentOf(one.path) === row.path) ? setInside(row.path) : onFolder(joined(path, row.path)))} />
    <h3>The largest files</h3>
    <ul class="largest">{use.largest.slice(0, 20).map((one) => <li key={one.path}><span class="num">{bytes(one.bytes)}</span><button type="button" class="link" onClick={() => onFile(joined(path, one.path))}><bdi>{one.path}</bdi></button></li>)}</ul>
  </div>;
}

function Folders({ rows, total, onOpen }: { rows: readonly Row[]; total: number; onOpen: (row: Row) => void }) {
  if (rows.length === 0) return <p class="preview-note">It has no folders.</p>;
  const columns: readonly TableColumn<Row>[] = [
    { id: 'name', title: 'Folder', width: 'minmax(0,1fr)', cell: (row) => <bdi>{lastOf(row.path)}/</bdi>, value: (row) => lastOf(row.path) },
    { id: 'bytes', title: 'Size', width: '90px', num: true, cell: (row) => bytes(row.bytes), value: (row) => row.bytes },
    { id: 'share', title: 'Share', width: '120px', wide: true, cell: (row) => <meter min={0} max={Math.max(1, total)} value={row.bytes} aria-label={`${total === 0 ? 0 : Math.round((row.bytes / total) * 100)} %`} />, value: (row) => (total === 0 ? 0 : row.bytes / total) },
    { id: 'files', title: 'Files', width: '80px', num: true, cell: (row) => count(row.files), value: (row) => row.files },
  ];
  return <VirtualTable id="disk-use" label="Folders by size" columns={columns} rows={rows} keyOf={(row) => row.path} onOpen={onOpen} />;
}
