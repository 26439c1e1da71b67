// Owns how changes are marked on every time axis: colour token, form and word per kind, the same on strip, charts and lists.
import type { Change } from '../../shared/model.ts';

export interface MarkStyle { readonly token: string; readonly form: 'exit' | 'dot' | 'tick' | 'line'; readonly word: string }

const STYLES: Readonly<Record<Change['kind'], MarkStyle>> = {
  start: { token: 'ok', form: 'tick', word: 'start' },
  exit: { token: 'bad', form: 'exit', word: 'exit' },
  restart: { token: 'info', form: 'line', word: 'restart' },
  deployment: { token: 's4', form: 'dot', word: 'deployment' },
  configuration: { token: 's6', form: 'dot', word: 'configuration' },
  stopped: { token: 'bad', form: 'exit', word: 'stopped' },
  rule: { token: 's2', form: 'line', word: 'rule' },
  session: { token: 's1', form: 'tick', word: 'session' },
  agent: { token: 's5', form: 'tick', word: 'agent' },
  gap: { token: 's5', form: 'line', word: 'gap' },
};

/** An exit with code 0 is neutral: it has the form of an exit, not the colour of a failure. */
export function markOf(change: Change): MarkStyle {
  const style = STYLES[change.kind];
  return change.kind === 'exit' && (change.level === 'good' || change.level === 'neutral') ? { ...style, token: 's5' } : style;
}

/** Kinds that deserve a line through the whole chart; the others are marks at its edge. */
export const isLine = (change: Change): boolean => markOf(change).form !== 'tick';

interface Pen { fillStyle: string | CanvasGradient | CanvasPattern; strokeStyle: string | CanvasGradient | CanvasPattern; lineWidth: number; beginPath(): void; moveTo(x: number, y: number): void; lineTo(x: number, y: number): void; arc(x: number, y: number, r: number, a: number, b: number): void; closePath(): void; fill(): void; stroke(): void; setLineDash(d: number[]): void }

/** Draws one mark: its line from `top` to `floor` (dashed, thin) and its form just below `floor`. `px` is one CSS pixel. */
export function drawMark(pen: Pen, change: Change, colour: string, x: number, top: number, floor: number, px = 1): void {
  const { form } = markOf(change);
  pen.fillStyle = colour;
  pen.strokeStyle = colour;
  pen.lineWidth = px;
  if (form !== 'tick') {
    pen.setLineDash([3 * px, 3 * px]);
    pen.beginPath(); pen.moveTo(x, top); pen.lineTo(x, floor); pen.stroke();
    pen.setLineDash([]);
  }
  pen.beginPath();
  if (form === 'exit') { pen.moveTo(x - 4 * px, floor + 3 * px); pen.lineTo(x + 4 * px, floor + 3 * px); pen.lineTo(x, floor + 10 * px); pen.closePath(); pen.fill(); return; }
  if (form === 'dot') { pen.arc(x, floor + 6 * px, 3.5 * px, 0, Math.PI * 2); pen.fill(); return; }
  pen.lineWidth = 2 * px;
  pen.moveTo(x, floor + 3 * px); pen.lineTo(x, floor + 9 * px); pen.stroke();
}
