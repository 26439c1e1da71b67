// Owns the drawing of a flame graph on a canvas: only what is visible, at most a box for a pixel; zoom, pan and the chosen box.
import type { ProfileFrame } from '../../../../shared/profile.ts';
import { boxAt, firstBeyond, firstFrom, type Flame } from '../../../../shared/profile-flame.ts';
import type { FlameColours } from './flame-colours.ts';

export const ROW_PX = 18;
const FONT = '11.5px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace';
const PAD_PX = 4;
/** Narrower boxes have no room for a name that tells something. */
const NAME_PX = 42;
/** While it moves nobody reads the short ones. */
const MOVING_NAME_PX = 110;
const MOVING_NAMES = 60;
const SETTLED_MS = 150;
const FEW_PIXELS = 12;

interface Name { readonly text: string; readonly x: number; readonly y: number; readonly room: number; readonly found: boolean }
interface Sheet { readonly scene: FlameScene; readonly tints: Tints; readonly pixels: Uint32Array; readonly names: Name[]; readonly ratio: number; readonly columns: number; readonly lines: number }
export interface FlameScene { readonly flame: Flame; readonly frames: readonly ProfileFrame[]; readonly matches: Uint8Array | undefined; readonly difference: Float64Array | undefined }

/** The pixel of each box, by its frame or, where two profiles are compared, by itself: found out once, not at every frame of the screen. */
interface Tints { readonly byFrame: Uint32Array; readonly byBox: Uint32Array | undefined }

export class FlameCanvas {
  readonly #canvas: HTMLCanvasElement;
  readonly #told: (box: number | undefined) => void;
  #scene: FlameScene | undefined;
  #colours: FlameColours | undefined;
  #tints: Tints = { byFrame: new Uint32Array(), byBox: undefined };
  #from = 0;
  #to = 1;
  #topPx = 0;
  #chosen: number | undefined;
  #asked = 0;
  #signPx = 0;
  #image: ImageData | undefined;
  #pixels = new Uint32Array();
  #moving = false;
  #settling = 0;

  /** `told`: the chosen box changed. */
  constructor(canvas: HTMLCanvasElement, told: (box: number | undefined) => void) { this.#canvas = canvas; this.#told = told; }

  show(scene: FlameScene, colours: FlameColours): void {
    const isNew = scene.flame !== this.#scene?.flame;
    this.#scene = scene;
    this.#colours = colours;
    this.#tints = tintsOf(scene, colours);
    if (isNew) { this.#chosen = undefined; this.whole(); }
    this.redraw();
  }

  get chosen(): number | undefined { return this.#chosen; }
  /** Shown part and scroll, as shares and pixels. */
  get window(): { readonly from: number; readonly to: number; readonly topPx: number } { return { from: this.#from, to: this.#to, topPx: this.#topPx }; }

  whole(): void { this.#from = 0; this.#to = Math.max(1e-9, this.#scene?.flame.width ?? 1); this.#topPx = 0; this.redraw(); }

  zoom(by: number, atPx: number): void {
    const all = this.#scene?.flame.width ?? 1;
    const at = this.#valueAt(atPx);
    const span = Math.min(all, Math.max(all / 1e8, (this.#to - this.#from) * by));
    const share = (at - this.#from) / (this.#to - this.#from);
    this.#place(at - span * share, span);
  }

  /** In pixels of the canvas. */
  pan(byX: number, byY: number): void {
    const span = this.#to - this.#from;
    this.#topPx = this.#boundTop(this.#topPx + byY);
    this.#moving = true;
    clearTimeout(this.#settling);
    this.#settling = window.setTimeout(() => { this.#moving = false; this.redraw(); }, SETTLED_MS);
    this.#place(this.#from + (byX / Math.max(1, this.#canvas.clientWidth)) * span, span);
  }

  /** False where there is nothing more in that direction: the page may scroll. */
  scrolls(byY: number): boolean { return this.#boundTop(this.#topPx + byY) !== this.#topPx; }

  zoomTo(box: number): void {
    const { flame } = this.#scene ?? {};
    if (flame !== undefined) this.#place(flame.from[box] as number, Math.max(1e-9, flame.span[box] as number));
  }

  boxOf(x: number, y: number): number | undefined {
    return this.#scene === undefined ? undefined : boxAt(this.#scene.flame, Math.floor((y + this.#topPx) / ROW_PX), this.#valueAt(x));
  }

  choose(box: number | undefined): void {
    this.#chosen = box;
    if (box !== undefined) this.#bringIn(box);
    this.#told(box);
    this.redraw();
  }

  /** To the caller, the heaviest callee, or a neighbour of the same depth. */
  step(to: 'up' | 'down' | 'left' | 'right'): void {
    const { flame } = this.#scene ?? {};
    if (flame === undefined || flame.count === 0) return;
    const box = this.#chosen ?? 0;
    if (this.#chosen === undefined) { this.choose(0); return; }
    const depth = flame.depth[box] as number;
    if (to === 'up') { const up = flame.up[box] as number; if (up >= 0) this.choose(up); return; }
    if (to === 'down') { const heaviest = this.#heaviestBelow(flame, box, depth); if (heaviest !== undefined) this.choose(heaviest); return; }
    const row = flame.rows[depth] as Int32Array;
    const next = row[row.indexOf(box) + (to === 'left' ? -1 : 1)];
    if (next !== undefined) this.choose(next);
  }

  #heaviestBelow(flame: Flame, box: number, depth: number): number | undefined {
    const row = flame.rows[depth + 1];
    let best: number | undefined;
    for (let at = row === undefined ? 0 : firstFrom(flame, row, (flame.from[box] as number) - 1e-9); row !== undefined && at < row.length && flame.up[row[at] as number] === box; at += 1) if (best === undefined || (flame.span[row[at] as number] as number) > (flame.span[best] as number)) best = row[at];
    return best;
  }

  redraw(): void {
    if (this.#asked === 0) this.#asked = requestAnimationFrame(() => { this.#asked = 0; this.#draw(); });
  }

  end(): void { clearTimeout(this.#settling); cancelAnimationFrame(this.#asked); this.#asked = -1; }

  #valueAt(x: number): number { return this.#from + (x / Math.max(1, this.#canvas.clientWidth)) * (this.#to - this.#from); }
  #boundTop(px: number): number { return Math.max(0, Math.min(px, (this.#scene?.flame.levels ?? 0) * ROW_PX - this.#canvas.clientHeight)); }

  #place(from: number, span: number): void {
    const all = this.#scene?.flame.width ?? 1;
    this.#from = Math.max(0, Math.min(from, all - span));
    this.#to = this.#from + span;
    this.redraw();
  }

  #bringIn(box: number): void {
    const { flame } = this.#scene as FlameScene;
    const y = (flame.depth[box] as number) * ROW_PX;
    if (y < this.#topPx) this.#topPx = y;
    else if (y + ROW_PX > this.#topPx + this.#canvas.clientHeight) this.#topPx = this.#boundTop(y + ROW_PX - this.#canvas.clientHeight);
    const from = flame.from[box] as number, to = from + (flame.span[box] as number), span = this.#to - this.#from;
    if (to < this.#from || from > this.#to) this.#place(from - Math.max(0, span - (to - from)) / 2, span);
  }

  /** Boxes go into pixels of our own, a line for a row and its copies: tens of thousands of them would hold up a canvas. */
  #draw(): void {
    const context = this.#canvas.getContext('2d', { alpha: false });
    const scene = this.#scene, colours = this.#colours;
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (context === null || scene === undefined || colours === undefined || width === 0 || height === 0) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    const image = this.#imageOf(context, Math.round(width * ratio), Math.round(height * ratio));
    const pixels = this.#pixels;
    pixels.fill(pixelOf(colours.surface));
    const names: Name[] = [];
    const first = Math.floor(this.#topPx / ROW_PX), last = Math.min(scene.flame.levels, Math.ceil((this.#topPx + height) / ROW_PX));
    for (let depth = first; depth < last; depth += 1) this.#row({ scene, tints: this.#tints, pixels, names, ratio, columns: image.width, lines: image.height }, depth, width);
    context.putImageData(image, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = FONT;
    context.textBaseline = 'middle';
    if (this.#signPx === 0) this.#signPx = context.measureText('mmmmmmmmmm').width / 10;
    for (const { text, x, y, room, found } of names) { context.fillStyle = found ? colours.ink : colours.faint; context.fillText(text.slice(0, Math.floor(room / this.#signPx)), x, y); }
    this.#frameChosen(context, scene, colours, width);
  }

  #imageOf(context: CanvasRenderingContext2D, columns: number, lines: number): ImageData {
    if (this.#canvas.width !== columns || this.#canvas.height !== lines) { this.#canvas.width = columns; this.#canvas.height = lines; this.#image = undefined; }
    if (this.#image === undefined) { this.#image = context.createImageData(columns, lines); this.#pixels = new Uint32Array(this.#image.data.buffer); }
    return this.#image;
  }

  /** Boxes under a pixel wide share it: one is drawn, and the search goes on behind it. */
  #row({ scene, tints, pixels, names, ratio, columns, lines }: Sheet, depth: number, width: number): void {
    const { flame } = scene;
    const row = flame.rows[depth];
    const y = depth * ROW_PX - this.#topPx;
    const top = Math.max(0, Math.round(y * ratio)), bottom = Math.min(lines, Math.round((y + ROW_PX - 1) * ratio));
    if (row === undefined || bottom <= top) return;
    const scale = width / (this.#to - this.#from);
    const line = pixels.subarray(top * columns, (top + 1) * columns);
    const starts = flame.starts[depth] as Float64Array;
    const least = this.#moving ? MOVING_NAME_PX : NAME_PX;
    for (let at = Math.max(0, firstFrom(flame, row, this.#from) - 1); at < row.length;) {
      const box = row[at] as number;
      const from = starts[at] as number;
      if (from > this.#to) break;
      const x = Math.max(0, (from - this.#from) * scale);
      const end = Math.min(width, (from + (flame.span[box] as number) - this.#from) * scale);
      const own = flame.frame[box] as number;
      if (end > 0) {
        const left = Math.round(x * ratio);
        const right = Math.max(left + 1, Math.round(end * ratio) - (end - x > 2 ? 1 : 0));
        const tint = (tints.byBox === undefined ? tints.byFrame[own] : tints.byBox[box]) as number;
        // Most boxes are a pixel or two: a call for each would cost more than they do.
        if (right - left > FEW_PIXELS) line.fill(tint, left, right); else for (let column = left; column < right; column += 1) line[column] = tint;
        if (end - x > least && (!this.#moving || names.length < MOVING_NAMES)) names.push(nameOf(scene, box, x + PAD_PX, y + ROW_PX / 2, end - x - PAD_PX * 2));
      }
      at = end - x >= 1 ? at + 1 : Math.max(at + 1, firstBeyond(starts, at + 1, this.#from + (Math.floor(x) + 1) / scale) - 1);
    }
    for (let copy = top + 1; copy < bottom; copy += 1) pixels.copyWithin(copy * columns, top * columns, (top + 1) * columns);
  }

  #frameChosen(context: CanvasRenderingContext2D, { flame }: FlameScene, colours: FlameColours, width: number): void {
    if (this.#chosen === undefined) return;
    const scale = width / (this.#to - this.#from);
    const x = ((flame.from[this.#chosen] as number) - this.#from) * scale;
    context.strokeStyle = colours.focus;
    context.lineWidth = 2;
    context.strokeRect(Math.max(1, x), (flame.depth[this.#chosen] as number) * ROW_PX - this.#topPx + 1, Math.max(2, Math.min(width - 2, x + (flame.span[this.#chosen] as number) * scale) - Math.max(1, x) - 1), ROW_PX - 3);
  }
}

function nameOf({ flame, frames, matches, difference }: FlameScene, box: number, x: number, y: number, room: number): Name {
  const own = flame.frame[box] as number;
  const { name } = frames[own] as ProfileFrame;
  return { text: difference === undefined ? name : `${signed(difference[box] as number)}${name}`, x, y, room, found: matches === undefined || matches[own] === 1 };
}

function tintsOf({ flame, frames, matches, difference }: FlameScene, colours: FlameColours): Tints {
  const dim = pixelOf(colours.dim);
  const byFrame = Uint32Array.from(frames, ({ category }, i) => (matches === undefined || matches[i] === 1 ? pixelOf(colours.category(category)) : dim));
  if (difference === undefined) return { byFrame, byBox: undefined };
  return { byFrame, byBox: Uint32Array.from({ length: flame.count }, (_, box) => (matches === undefined || matches[flame.frame[box] as number] === 1 ? pixelOf(colours.difference(difference[box] as number)) : dim)) };
}

const pixels = new Map<string, number>();
/** "#rrggbb" as a pixel lies in memory. */
function pixelOf(hex: string): number {
  let pixel = pixels.get(hex);
  if (pixel === undefined) { const all = Number.parseInt(hex.slice(1), 16) || 0; pixel = (0xff000000 | ((all & 0xff) << 16) | (all & 0xff00) | (all >> 16)) >>> 0; pixels.set(hex, pixel); }
  return pixel;
}

/** "+12 % " before the name: the change is not told by colour alone. */
function signed(by: number): string {
  const percent = Math.round(by * 100);
  return percent === 0 ? '' : `${percent > 0 ? '+' : '−'}${Math.abs(percent)} % `;
}
