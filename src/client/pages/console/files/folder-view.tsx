// Owns the table of a folder: filter, sorting, what is a link or closed, opening, and the row's actions.
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { FileEntry } from '../../../../shared/files.ts';
import { bytes, count } from '../../../../shared/units.ts';
import { onCommand } from '../../../keys.ts';
import { Empty, Failure, Skeleton } from '../../../parts/states.tsx';
import { VirtualTable, type TableColumn } from '../../../parts/virtual-table.tsx';
import { dayTime } from '../../../words.ts';
import { sorted } from './paths.ts';
import type { Folder } from './use-folder.ts';

interface FolderViewProps { readonly folder: Folder; readonly shown: string | undefined; readonly tools: ComponentChildren; readonly onOpen: (entry: FileEntry) => void; readonly onActions: (entry: FileEntry) => void; readonly onUp: () => void }

export function FolderView({ folder, shown, tools, onOpen, onActions, onUp }: FolderViewProps) {
  const [filter, setFilter] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const rows = useMemo(() => {
    const wanted = filter.toLowerCase();
    return sorted(wanted === '' ? folder.entries : folder.entries.filter(({ name }) => name.toLowerCase().includes(wanted)));
  }, [folder.entries, filter]);
  useEffect(() => onCommand((command) => { if (command !== 'filter') return false; field.current?.focus(); return true; }), []);
  useUpKey(onUp);
  const columns = useMemo(() => columnsFor(onActions), [onActions]);
  if (!folder.loaded) return folder.problem ? <Failure problem={folder.problem} again={folder.again} /> : <Skeleton rows={10} />;
  const bar = <>
    <input ref={field} type="text" value={filter} placeholder="Filter names" aria-label="Filter names" onInput={(e) => setFilter(e.currentTarget.value)} />
    {tools}
    <small role="status">{folder.whole ? '' : `${count(folder.entries.length)} of ${count(folder.total)} read`}{folder.more ? ` The folder has more than ${count(folder.total)} names; the rest is not shown.` : ''}</small>
  </>;
  if (folder.entries.length === 0) return <><div class="vt-tools">{tools}</div><Empty title="The folder is empty">Drop files here to upload them.</Empty></>;
  return <>
    {folder.problem ? <Failure problem={folder.problem} again={folder.again} /> : undefined}
    <VirtualTable id="files" label="Files" fill columns={columns} rows={rows} keyOf={(row) => row.name} onOpen={onOpen} rowClass={(row) => (row.name === shown ? 'chosen' : row.closed !== undefined || row.kind === 'other' ? 'is-quiet' : '')} tools={bar} />
    {rows.length === 0 ? <Empty title="No name matches">{`None of ${count(folder.entries.length)} names has "${filter}" in it.`}</Empty> : undefined}
  </>;
}

/** Backspace goes up, where no field has the focus. */
function useUpKey(onUp: () => void): void {
  const run = useRef(onUp);
  run.current = onUp;
  useEffect(() => {
    const down = (event: KeyboardEvent): void => {
      const isField = event.target instanceof Element && event.target.closest('input, textarea, select, dialog') !== null;
      if (event.key !== 'Backspace' || event.ctrlKey || event.metaKey || event.altKey || isField) return;
      event.preventDefault();
      run.current();
    };
    addEventListener('keydown', down);
    return () => removeEventListener('keydown', down);
  }, []);
}

const SIGNS = { folder: '▸', file: '', link: '↗', other: '·' } as const;

function columnsFor(onActions: (entry: FileEntry) => void): readonly TableColumn<FileEntry>[] {
  return [
    { id: 'name', title: 'Name', width: 'minmax(0,1fr)', cell: (row) => <span class={`file-name is-${row.kind}`} title={row.closed ?? row.target}><i aria-hidden="true">{SIGNS[row.kind]}</i><bdi>{row.name}{row.kind === 'folder' ? '/' : ''}</bdi>{row.target === undefined ? undefined : <small> to {row.target}</small>}{row.closed === undefined ? undefined : <small> {row.closed}</small>}</span>, value: (row) => row.name },
    { id: 'size', title: 'Size', width: '84px', num: true, cell: (row) => (row.sizeBytes === undefined ? '' : bytes(row.sizeBytes)), value: (row) => row.sizeBytes },
    { id: 'changed', title: 'Changed', width: '150px', wide: true, cell: (row) => (row.modifiedAt === undefined ? '–' : dayTime(row.modifiedAt)), value: (row) => row.modifiedAt },
    { id: 'made', title: 'Made', width: '150px', wide: true, extra: true, cell: (row) => (row.createdAt === undefined ? '–' : dayTime(row.createdAt)), value: (row) => row.createdAt },
    { id: 'kind', title: 'Kind', width: '70px', extra: true, cell: (row) => row.kind, value: (row) => row.kind },
    { id: 'do', title: 'Do', width: '40px', cell: (row) => <button type="button" class="plain" aria-label={`Actions on ${row.name}`} onClick={(e) => { e.preventDefault(); onActions(row); }}>⋯</button>, value: () => undefined },
  ];
}
