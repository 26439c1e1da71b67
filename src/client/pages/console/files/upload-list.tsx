// Owns the list of uploads: how far each is, the ones that wait for the line, and what refused one.
import { bytes } from '../../../../shared/units.ts';
import { useCell } from '../../../cell.ts';
import { cancelUpload, dismissEnded, uploads, type Going } from './uploads.ts';

const WORDS: Readonly<Record<Going['state'], string>> = { waiting: 'waits', going: '', broken: 'the line broke, goes on by itself', finishing: 'is put in its place', done: 'done', failed: 'failed', cancelled: 'cancelled' };

export function UploadList() {
  const all = useCell(uploads);
  if (all.length === 0) return <></>;
  const isOver = all.every(({ state }) => ['done', 'failed', 'cancelled'].includes(state));
  return (
    <div class="uploads" role="region" aria-label="Uploads">
      <ul>{all.map((one) => <li key={one.id}>
        <bdi>{one.name}</bdi>
        <progress max={Math.max(1, one.sizeBytes)} value={one.state === 'done' ? Math.max(1, one.sizeBytes) : one.doneBytes} aria-label={`Upload of ${one.name}`} />
        <small class={one.state === 'failed' ? 'bad' : ''}>{one.problem === undefined ? `${bytes(one.state === 'done' ? one.sizeBytes : one.doneBytes)} of ${bytes(one.sizeBytes)} ${WORDS[one.state]}` : `${one.problem.detail} ${one.problem.next ?? ''}`}</small>
        {['waiting', 'going', 'broken'].includes(one.state) ? <button type="button" class="link" onClick={() => cancelUpload(one.id)}>Cancel</button> : undefined}
      </li>)}</ul>
      {isOver ? <button type="button" class="quiet" onClick={dismissEnded}>Dismiss</button> : undefined}
    </div>
  );
}
