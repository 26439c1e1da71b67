// Owns the Files part of the Console: which root, folder, file and view the address shows, what was just done, and files dropped onto it.
import { useCallback, useState } from 'preact/hooks';
import type { FileEntry } from '../../../shared/files.ts';
import type { Problem } from '../../../shared/api.ts';
import { ask, diag, fileAddress, problemOf } from '../../agent.ts';
import { Icon } from '../../parts/icons.tsx';
import { Menu } from '../../parts/menu.tsx';
import { Failure } from '../../parts/states.tsx';
import { change } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import type { PartProps } from './console-page.tsx';
import { BinView } from './files/bin-view.tsx';
import { ActionsDialog, NewDialog, ReplaceDialog, type Done } from './files/dialogs.tsx';
import filesCss from './files/files.css';
import { FolderView } from './files/folder-view.tsx';
import { crumbs, joined, lastOf, parentOf } from './files/paths.ts';
import { Preview } from './files/preview.tsx';
import { UploadList } from './files/upload-list.tsx';
import { beginUpload } from './files/uploads.ts';
import { useFolder } from './files/use-folder.ts';
import { UseView } from './files/use-view.tsx';
import { adopt } from './shell/sheet.ts';

adopt(filesCss);

const FIRST_ROOT = 'home';
type View = 'use' | 'bin' | undefined;
const viewIn = (word: string | undefined): View => (word === 'use' || word === 'bin' ? word : undefined);

export function FilesPart({ query }: PartProps) {
  const asked = useAsk((signal) => diag.fileRoots({ signal }), []);
  // Roots and folder are asked for at once: what the address names need not wait for the list of roots.
  return <>
    {asked.problem ? <Failure problem={asked.problem} again={asked.again} /> : undefined}
    <Files roots={asked.value?.roots ?? []} root={query['root'] ?? FIRST_ROOT} path={query['path'] ?? ''} file={query['file']} view={viewIn(query['view'])} />
  </>;
}

interface FilesProps { readonly roots: readonly { readonly name: string; readonly title: string; readonly path: string }[]; readonly root: string; readonly path: string; readonly file: string | undefined; readonly view: View }

function Files({ roots, root, path, file, view }: FilesProps) {
  const folder = useFolder(root, path);
  const [acting, setActing] = useState<FileEntry>();
  const [making, setMaking] = useState<'folder' | 'file'>();
  const [did, setDid] = useState<Done>();
  const [problem, setProblem] = useState<Problem>();
  const upload = useUpload(root, path, folder.entries, folder.again);
  const open = useCallback((entry: FileEntry) => openEntry(entry, path, setActing), [path]);
  const done = (what: Done): void => { setDid(what); setActing(undefined); setMaking(undefined); if (acting?.name === file) change({ file: undefined }, true); folder.again(); };
  const undo = (id: string): void => { ask(() => diag.restoreFile({ params: { id } })).then(() => { setDid(undefined); folder.again(); }, (error: unknown) => setProblem(problemOf(error))); };
  const tools = view === undefined ? <span class="files-tools">
    <label class="quiet">Upload<input class="sr" type="file" multiple onChange={(e) => { upload.add([...e.currentTarget.files ?? []]); e.currentTarget.value = ''; }} /></label>
    <button type="button" class="quiet" onClick={() => setMaking('folder')}>New folder</button>
    <button type="button" class="quiet opt" onClick={() => setMaking('file')}>New file</button>
    <a class="quiet opt" href={fileAddress('zipFiles', {}, { root, path })} download={`${lastOf(path) || root}.zip`}>Zip</a>
  </span> : undefined;
  return (
    <div class={file !== undefined && view === undefined ? 'wide browse opened' : 'wide browse'} onDragOver={(e) => { e.preventDefault(); }} onDrop={(e) => { e.preventDefault(); upload.add([...e.dataTransfer?.files ?? []]); }}>
      <section class="files-list" aria-label="Folder">
        <Way roots={roots} root={root} path={path} view={view} />
        {did === undefined ? undefined : <p class="files-did" role="status">{did.says}. {did.undo === undefined ? undefined : <button type="button" class="link" onClick={() => undo(did.undo ?? '')}>Undo</button>} <button type="button" class="link" onClick={() => setDid(undefined)}>Dismiss</button></p>}
        {problem ? <Failure problem={problem} /> : undefined}
        <UploadList />
        {view === 'use' ? <UseView root={root} path={path} onFolder={(to) => change({ path: to || undefined, view: undefined })} onFile={(to) => change({ path: parentOf(to) || undefined, file: lastOf(to), view: undefined })} />
          : view === 'bin' ? <BinView onChanged={folder.again} />
            : <FolderView key={`${root}:${path}`} folder={folder} shown={file} tools={tools} onOpen={open} onActions={setActing} onUp={() => { if (path !== '') change({ path: parentOf(path) || undefined, file: undefined }); }} />}
      </section>
      {file === undefined || view !== undefined ? undefined : <Preview key={`${root}:${path}:${file}`} root={root} path={joined(path, file)} onClose={() => change({ file: undefined })} onChanged={folder.again} />}
      {acting === undefined ? undefined : <ActionsDialog root={root} path={path} entry={acting} onClose={() => setActing(undefined)} onDone={done} />}
      {making === undefined ? undefined : <NewDialog root={root} path={path} what={making} onClose={() => setMaking(undefined)} onDone={(what) => { done(what); if (making === 'file') change({ file: lastOf(what.path) }); }} />}
      {upload.asks === undefined ? undefined : <ReplaceDialog names={upload.asks.map(({ name }) => name)} onReplace={() => upload.answer(true)} onSkip={() => upload.answer(false)} />}
    </div>
  );
}

/** A folder is entered, a file shown; a link or device tells what it is. */
function openEntry(entry: FileEntry, path: string, act: (entry: FileEntry) => void): void {
  if (entry.closed !== undefined || entry.kind === 'link' || entry.kind === 'other') act(entry);
  else if (entry.kind === 'folder') change({ path: joined(path, entry.name), file: undefined });
  else change({ file: entry.name });
}

/** What is new goes up at once; what would replace something asks first. */
function useUpload(root: string, path: string, entries: readonly FileEntry[], again: () => void) {
  const [asks, setAsks] = useState<readonly File[]>();
  const etagOf = (name: string): string | undefined => entries.find((one) => one.name === name)?.etag;
  const begin = (file: File): void => beginUpload(file, root, joined(path, file.name), etagOf(file.name), again);
  return {
    asks,
    add(files: readonly File[]): void {
      const there = files.filter(({ name }) => etagOf(name) !== undefined);
      for (const file of files) if (!there.includes(file)) begin(file);
      if (there.length > 0) setAsks(there);
    },
    answer(replace: boolean): void {
      if (replace) for (const file of asks ?? []) begin(file);
      setAsks(undefined);
    },
  };
}

function Way({ roots, root, path, view }: Pick<FilesProps, 'roots' | 'root' | 'path' | 'view'>) {
  const to = (view_: View): void => change({ view: view === view_ ? undefined : view_, file: undefined });
  const title = roots.find(({ name }) => name === root)?.title ?? root;
  return (
    <header class="files-head">
      <Menu label={`${title}, choose another root`} button={<>{title}<Icon name="down" /></>} chosen={root} choices={roots.map((one) => ({ word: one.name, title: one.title, note: one.path }))} onChoose={(word) => change({ root: word === FIRST_ROOT ? undefined : word, path: undefined, file: undefined, view: undefined })} />
      <nav class="crumbs" aria-label="Folder">
        <button type="button" class="link" onClick={() => change({ path: undefined, file: undefined })} aria-label={`Top of ${title}`} aria-current={path === '' ? 'location' : undefined}>{root}</button>
        {crumbs(path).map((one) => <span key={one.path}>/<button type="button" class="link" aria-current={one.path === path ? 'location' : undefined} onClick={() => change({ path: one.path, file: undefined })}><bdi>{one.name}</bdi></button></span>)}
      </nav>
      <button type="button" class={view === 'use' ? 'quiet pressed' : 'quiet'} aria-pressed={view === 'use'} onClick={() => to('use')}>Disk use</button>
      <button type="button" class={view === 'bin' ? 'quiet pressed' : 'quiet'} aria-pressed={view === 'bin'} onClick={() => to('bin')}>Bin</button>
    </header>
  );
}
