// Owns the dialogs of files: what can be done with one, a new folder or file, and deleting what cannot be undone.
import { useState } from 'preact/hooks';
import type { Problem } from '../../../../shared/api.ts';
import type { FileEntry } from '../../../../shared/files.ts';
import { bytes } from '../../../../shared/units.ts';
import { ask, diag, fileAddress, problemOf } from '../../../agent.ts';
import { Dialog } from '../../../parts/dialog.tsx';
import { Failure } from '../../../parts/states.tsx';
import { untilEnded } from './jobs.ts';
import { isZip, joined } from './paths.ts';

/** `says`: what was done; `undo`: how it comes back. */
export interface Done { readonly says: string; readonly undo?: string }
interface ActionsProps { readonly root: string; readonly path: string; readonly entry: FileEntry; readonly onClose: () => void; readonly onDone: (done: Done) => void }

export function ActionsDialog({ root, path, entry, onClose, onDone }: ActionsProps) {
  const [name, setName] = useState(entry.name);
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState<string>();
  const [final, setFinal] = useState(false);
  const whole = joined(path, entry.name);
  const isFolder = entry.kind === 'folder';
  const run = (what: string, work: () => Promise<Done>): void => {
    setBusy(what);
    setProblem(undefined);
    work().then(onDone, (error: unknown) => { const told = problemOf(error); setProblem(told); setFinal(told.code === 'UNDO_IMPOSSIBLE'); setBusy(undefined); });
  };
  const job = (what: string, start: () => Promise<{ operation: string }>, done: Done): void => run(what, async () => {
    const { operation } = await ask(start);
    const ended = await untilEnded(operation, new AbortController().signal, ({ note }) => { if (note !== undefined) setBusy(`${what}: ${note}`); });
    if (ended.state !== 'done') throw new Error(ended.note ?? ended.state);
    return { ...done, says: `${done.says}: ${ended.note ?? 'done'}` };
  });
  const remove = (mode: 'undo' | 'forever'): void => run('Deleting', async () => {
    const { undo } = await ask(() => diag.deleteFile({ query: { root, path: whole, mode, recursive: true } }));
    return { says: `Deleted ${entry.name}${undo === undefined ? ' for ever' : ''}`, ...(undo === undefined ? {} : { undo }) };
  });
  return (
    <Dialog title={entry.name} onClose={onClose} foot={<small class="grow">{busy ?? (entry.closed === undefined ? '' : `It cannot be touched: ${entry.closed}.`)}</small>}>
      {problem ? <Failure problem={problem} /> : undefined}
      {entry.closed !== undefined ? undefined : <>
        <form class="fields" onSubmit={(e) => { e.preventDefault(); run('Renaming', async () => { await ask(() => diag.moveFile({ body: { root, path: whole, to: name.includes('/') ? name : joined(path, name) } })); return { says: `Renamed ${entry.name} to ${name}` }; }); }}>
          <label>Name, or a path below the root to move it<input type="text" value={name} onInput={(e) => setName(e.currentTarget.value)} /></label>
          <div class="form-foot"><button type="submit" class="quiet" disabled={busy !== undefined || name === '' || name === entry.name}>{name.includes('/') ? 'Move' : 'Rename'}</button></div>
        </form>
        <div class="file-actions">
          {entry.kind === 'file' ? <a class="quiet" href={fileAddress('fileContent', {}, { root, path: whole })} download={entry.name}>Download {entry.sizeBytes === undefined ? '' : bytes(entry.sizeBytes)}</a> : undefined}
          {isFolder ? <a class="quiet" href={fileAddress('zipFiles', {}, { root, path: whole })} download={`${entry.name}.zip`}>Download as zip</a> : undefined}
          {entry.kind === 'link' ? undefined : <button type="button" class="quiet" disabled={busy !== undefined} onClick={() => job('Copying', () => diag.copyFile({ body: { root, path: whole, to: joined(path, copyName(entry.name, isFolder)) } }), { says: `Copied ${entry.name}` })}>Copy here</button>}
          {entry.kind === 'file' && isZip(entry.name) ? <button type="button" class="quiet" disabled={busy !== undefined} onClick={() => job('Unpacking', () => diag.unzipFile({ body: { root, path: whole, to: joined(path, entry.name.replace(/\.[^.]+$/, '')) } }), { says: `Unpacked ${entry.name}` })}>Unzip into {entry.name.replace(/\.[^.]+$/, '')}</button> : undefined}
          {final ? <button type="button" class="quiet danger" disabled={busy !== undefined} onClick={() => remove('forever')}>Delete for ever</button>
            : <button type="button" class="quiet danger" disabled={busy !== undefined} onClick={() => remove(entry.kind === 'link' ? 'forever' : 'undo')}>{entry.kind === 'link' ? 'Remove the link' : 'Delete'}</button>}
        </div>
      </>}
    </Dialog>
  );
}

/** "log (copy).txt", "folder (copy)". */
export function copyName(name: string, isFolder: boolean): string {
  const dot = isFolder ? -1 : name.lastIndexOf('.');
  return dot > 0 ? `${name.slice(0, dot)} (copy)${name.slice(dot)}` : `${name} (copy)`;
}

export function NewDialog({ root, path, what, onClose, onDone }: { root: string; path: string; what: 'folder' | 'file'; onClose: () => void; onDone: (done: Done & { readonly path: string }) => void }) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const make = (): void => {
    const whole = joined(path, name);
    const made = what === 'folder' ? ask(() => diag.makeFolder({ body: { root, path: whole } })) : ask(() => diag.saveFile({ body: { root, path: whole, text: '' } }));
    made.then(() => onDone({ says: `Made ${name}`, path: whole }), (error: unknown) => setProblem(problemOf(error)));
  };
  return (
    <Dialog title={`New ${what}`} onClose={onClose}>
      {problem ? <Failure problem={problem} /> : undefined}
      <form class="fields" onSubmit={(e) => { e.preventDefault(); make(); }}>
        <label>Name<input type="text" value={name} maxLength={255} onInput={(e) => setName(e.currentTarget.value)} /></label>
        <div class="form-foot"><button type="submit" class="go" disabled={name === ''}>Make it</button></div>
      </form>
    </Dialog>
  );
}

export function ReplaceDialog({ names, onReplace, onSkip }: { names: readonly string[]; onReplace: () => void; onSkip: () => void }) {
  return (
    <Dialog title={`Replace ${names.length === 1 ? names[0] : `${names.length} files`}`} onClose={onSkip} foot={<><button type="button" class="quiet" onClick={onSkip}>Keep what is there</button><button type="button" class="go" onClick={onReplace}>Replace</button></>}>
      <p>{names.slice(0, 5).join(', ')}{names.length > 5 ? ` and ${names.length - 5} more` : ''} {names.length === 1 ? 'is' : 'are'} there already in this folder.</p>
    </Dialog>
  );
}
