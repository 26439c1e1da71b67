// Owns the editing of a text file: saved over the version that was read; when somebody else was faster, both are shown and one is chosen.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Problem } from '../../../../shared/api.ts';
import type { FileWindow } from '../../../../shared/files.ts';
import { ask, diag, problemOf } from '../../../agent.ts';
import { Failure } from '../../../parts/states.tsx';
import { lastOf } from './paths.ts';

interface EditProps { readonly root: string; readonly path: string; readonly window: FileWindow; readonly onSaved: () => void; readonly onClose: () => void }

export function EditView({ root, path, window, onSaved, onClose }: EditProps) {
  const [text, setText] = useState(shownOf(window.text ?? ''));
  const [base, setBase] = useState(window);
  const [theirs, setTheirs] = useState<FileWindow>();
  const [problem, setProblem] = useState<Problem>();
  const [saving, setSaving] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);
  const changed = text !== shownOf(base.text ?? '');
  useEffect(() => { box.current?.focus(); }, []);
  useEffect(() => {
    if (!changed) return undefined;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [changed]);
  const save = (over: FileWindow): void => {
    setSaving(true);
    setProblem(undefined);
    put(root, path, text, over).then(onSaved, async (error: unknown) => {
      const told = problemOf(error);
      if (told.code === 'FILE_CHANGED') setTheirs(await ask(() => diag.fileWindow({ query: { root, path, length: 1_048_576, reveal: true } })));
      setProblem(told);
    }).catch((error: unknown) => setProblem(problemOf(error))).finally(() => setSaving(false));
  };
  const take = (window: FileWindow): void => { setText(shownOf(window.text ?? '')); setBase(window); setTheirs(undefined); setProblem(undefined); };
  const lines = endingsOf(base.text ?? '');
  return (
    <div class="edit" onKeyDown={(e) => { if (e.key === 's' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); save(theirs ?? base); } }}>
      {problem ? <Failure problem={problem} /> : undefined}
      <div class={theirs === undefined ? 'edit-panes' : 'edit-panes two'}>
        <label>{theirs === undefined ? <span class="sr">{`Text of ${lastOf(path)}`}</span> : <span>Yours</span>}<textarea ref={box} spellcheck={false} value={text} onInput={(e) => setText(e.currentTarget.value)} /></label>
        {theirs === undefined ? undefined : <label><span>On the disk now</span><textarea readOnly spellcheck={false} value={theirs.text ?? ''} /></label>}
      </div>
      <footer class="form-foot">
        <small>{lines === 'mixed' ? 'Line ends are mixed and will all be LF.' : `${lines}, ${base.encoding}${base.mark ? ' with its mark' : ''}`}{changed ? ', not saved' : ''}</small>
        <button type="button" class="quiet" onClick={onClose}>{changed ? 'Discard' : 'Close'}</button>
        {theirs === undefined ? <button type="button" class="go" disabled={!changed || saving} onClick={() => save(base)}>Save</button> : <>
          <button type="button" class="quiet" onClick={() => take(theirs)}>Take the one on the disk</button>
          <button type="button" class="go" disabled={saving} onClick={() => save(theirs)}>Save yours over it</button>
        </>}
      </footer>
    </div>
  );
}

/** A field of text knows only LF. */
const shownOf = (text: string): string => text.replaceAll('\r\n', '\n').replaceAll('\r', '\n');

function endingsOf(text: string): 'CRLF' | 'LF' | 'mixed' {
  const crlf = text.split('\r\n').length - 1;
  const all = text.split('\n').length - 1;
  return crlf === 0 ? 'LF' : crlf === all ? 'CRLF' : 'mixed';
}

async function put(root: string, path: string, text: string, over: FileWindow): Promise<void> {
  const written = endingsOf(over.text ?? '') === 'CRLF' ? text.replaceAll('\n', '\r\n') : text;
  const encoding = over.encoding === 'binary' ? 'utf-8' : over.encoding;
  await ask(() => diag.saveFile({ body: { root, path, text: written, encoding, bom: over.mark, ...(over.entry.etag === undefined ? {} : { etag: over.entry.etag }) } }));
}
