// Owns the help dialog: the keyboard map and what the colours mean.
import { Dialog } from '../parts/dialog.tsx';
import { KEYS } from '../keys.ts';
import { Key } from '../parts/text.tsx';

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl class="keys">{KEYS.map(([key, does]) => <div key={key}><dt><Key name={key} /></dt><dd>{does}</dd></div>)}</dl>
      <p class="note">Drag on a chart to set the range of every chart; the browser's back undoes it. Times are in your zone, hover for UTC.</p>
    </Dialog>
  );
}
