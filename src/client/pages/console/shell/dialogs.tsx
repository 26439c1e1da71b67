// Owns the questions about a shell: its new title, and whether it may be ended while something runs in it.
import { useRef, useState } from 'preact/hooks';
import type { Problem } from '../../../../shared/api.ts';
import type { ShellView } from '../../../../shared/shells.ts';
import { ask, diag, problemOf } from '../../../agent.ts';
import { Dialog } from '../../../parts/dialog.tsx';
import { Failure } from '../../../parts/states.tsx';

export function RenameDialog({ shell, onClose }: { shell: ShellView; onClose: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<Problem>();
  const save = (): void => {
    ask(() => diag.renameShell({ params: { shell: shell.id }, body: { title: field.current?.value ?? '' } })).then(onClose, (error: unknown) => setProblem(problemOf(error)));
  };
  return (
    <Dialog title={`Rename ${shell.title}`} onClose={onClose} foot={<button type="button" class="go" onClick={save}>Rename</button>}>
      <form onSubmit={(event) => { event.preventDefault(); save(); }}><div class="fields"><label>Title<input ref={field} defaultValue={shell.title} maxLength={60} required /></label></div></form>
      {problem === undefined ? undefined : <Failure problem={problem} />}
    </Dialog>
  );
}

export function EndDialog({ shell, onClose, onEnd }: { shell: ShellView; onClose: () => void; onEnd: () => void }) {
  return (
    <Dialog title={`End ${shell.title}`} onClose={onClose} foot={<><button type="button" class="quiet" onClick={onClose}>Keep it</button><button type="button" class="go bad" onClick={() => { onClose(); onEnd(); }}>End it</button></>}>
      <p>Something still runs in this shell. It is ended with it, and everything that it has started.</p>
    </Dialog>
  );
}
