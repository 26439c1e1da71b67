// Owns what is shown while a file is read for the page: how far it is, Cancel, and what to do after it.
import type { Operation } from '../../../shared/api.ts';
import { percent } from '../../../shared/units.ts';
import { Empty } from '../../parts/states.tsx';

export function Reading({ reading, onCancel, again }: { reading: Operation; onCancel: () => void; again: () => void }) {
  if (reading.state === 'cancelled') return <section><Empty title="The reading was cancelled."><button type="button" class="quiet" onClick={again}>Read it again</button></Empty></section>;
  const { fraction = 0 } = reading;
  return (
    <section class="dump-reading">
      <h2>{reading.title} <small>{reading.note}</small><span class="tail-tools"><button type="button" class="quiet danger" onClick={onCancel} title="Stop reading; the file stays">Cancel</button></span></h2>
      <p role="status"><progress max={1} value={fraction} aria-label="How far the file is read" /> <span class="num">{percent(fraction * 100)}</span></p>
    </section>
  );
}
