// Owns uploads from the page: one after the other in parts, going on by themselves after a broken line, each with its progress.
import { ApiProblem } from '../../../../shared/connect.ts';
import type { Problem } from '../../../../shared/api.ts';
import type { Upload } from '../../../../shared/files.ts';
import { ask, diag, fileAddress, problemOf } from '../../../agent.ts';
import { cell } from '../../../cell.ts';
import { pause, untilEnded } from './jobs.ts';

export interface Going { readonly id: number; readonly name: string; readonly root: string; readonly path: string; readonly sizeBytes: number; readonly doneBytes: number; readonly state: 'waiting' | 'going' | 'broken' | 'finishing' | 'done' | 'failed' | 'cancelled'; readonly problem?: Problem }
/** Also while another page is looked at: a load of a part is not asked anew for it. */
export const uploads = cell<readonly Going[]>([]);

const TRIES = 8;
const AGAIN_AFTER_MS = 1_500;
/** Those that ended stay in sight until they are dismissed, the last so many. */
const KEPT = 50;
const ends = new Map<number, AbortController>();
let count = 0;
let running: Promise<void> = Promise.resolve();

const set = (id: number, patch: Partial<Going>): void => uploads.set(uploads.get().map((one) => (one.id === id ? { ...one, ...patch } : one)));

/** etag: of the file that is to be replaced; without it a file of that name is a conflict. */
export function beginUpload(file: File, root: string, path: string, etag: string | undefined, done: () => void): void {
  const id = (count += 1);
  const end = new AbortController();
  ends.set(id, end);
  uploads.set([...uploads.get().slice(-KEPT), { id, name: file.name, root, path, sizeBytes: file.size, doneBytes: 0, state: 'waiting' }]);
  const before = running;
  running = (async () => { await before; await run(id, file, { root, path, etag }, end.signal); done(); })();
}

export function cancelUpload(id: number): void { ends.get(id)?.abort(); }
export function dismissEnded(): void { uploads.set(uploads.get().filter((one) => !['done', 'failed', 'cancelled'].includes(one.state))); }

/** Never throws: how it ended is its state. */
async function run(id: number, file: File, to: { root: string; path: string; etag: string | undefined }, signal: AbortSignal): Promise<void> {
  let upload: Upload | undefined;
  try {
    if (signal.aborted) { set(id, { state: 'cancelled' }); return; }
    upload = await ask(() => diag.beginUpload({ body: { root: to.root, path: to.path, sizeBytes: file.size, ...(to.etag === undefined ? { onlyNew: true } : { ifMatch: to.etag }) }, signal }));
    set(id, { state: 'going', doneBytes: upload.haveBytes });
    await allParts(id, file, upload, signal);
    set(id, { state: 'finishing' });
    const { operation } = await ask(() => diag.finishUpload({ params: { upload: upload?.id ?? '' } }));
    const ended = await untilEnded(operation, signal, () => undefined);
    set(id, ended.state === 'done' ? { state: 'done' } : { state: 'failed', problem: problemOf(new Error(ended.note ?? ended.state)), ...(ended.note === undefined ? {} : { problem: { type: 'about:blank', title: 'Failed', status: 409, code: 'UPLOAD', detail: ended.note } }) });
  } catch (error) {
    set(id, signal.aborted ? { state: 'cancelled' } : { state: 'failed', problem: problemOf(error) });
    const left = upload?.id;
    if (signal.aborted && left !== undefined) await diag.dropUpload({ params: { upload: left } }).catch(() => undefined);
  } finally {
    ends.delete(id);
  }
}

async function allParts(id: number, file: File, { id: upload, haveBytes, partBytes }: Upload, signal: AbortSignal): Promise<void> {
  let offset = haveBytes;
  for (let failed = 0; offset < file.size;) {
    try {
      offset = await onePart(upload, file.slice(offset, offset + partBytes), offset, signal);
      failed = 0;
      set(id, { state: 'going', doneBytes: offset });
    } catch (error) {
      const isRefused = error instanceof ApiProblem && error.code !== 'UPLOAD_OFFSET' && error.code !== 'UNREACHABLE';
      if (signal.aborted || isRefused || (failed += 1) > TRIES) throw error;
      set(id, { state: 'broken' });
      await pause(AGAIN_AFTER_MS * failed, signal);
      // What arrived of the part that broke off counts.
      offset = await diag.upload({ params: { upload }, signal }).then((one) => one.haveBytes, () => offset);
    }
  }
}

async function onePart(upload: string, part: Blob, offset: number, signal: AbortSignal): Promise<number> {
  const answer = await fetch(fileAddress('uploadPart', { upload }, { offset }), { method: 'PUT', body: part, signal, credentials: 'same-origin', headers: { 'x-diag': '1', 'content-type': 'application/octet-stream', accept: 'application/json' } });
  if (!answer.ok) throw new ApiProblem(await answer.json() as Problem);
  return (await answer.json() as Upload).haveBytes;
}
