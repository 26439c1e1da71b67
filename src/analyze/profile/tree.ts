// Owns the call tree of a profile in columns: frames once each, a parent always before its children, within bounds whose loss is counted.
import type { ProfileCategory, ProfileFrame, ProfileReport, ProfileUnit } from '../../shared/profile.ts';
import { categoryOf } from './category.ts';

/** V8 writes some 10,000 nodes a minute; what has more than this is no profile of one process. */
const MAX_NODES = 2_000_000;
const MAX_FRAMES = 500_000;
const MAX_DEPTH = 4_096;
/** More than thirty years of microseconds, or a petabyte, is no amount. */
const MAX_AMOUNT = 1e15;
const NAME_CHARS = 500;
const MAX_LINES = 1_000;
const FRAME_BITS = 2 ** 20;

export interface Frame { name: string; url: string; line: number; column: number; category: ProfileCategory; module: string; minified?: boolean }

export interface ProfileTree {
  readonly format: ProfileReport['format'];
  readonly unit: ProfileUnit;
  readonly frames: readonly Frame[];
  readonly count: number;
  readonly parent: Int32Array;
  readonly frame: Int32Array;
  readonly self: Float64Array;
  /** self of the node and of all below it. */
  readonly total: Float64Array;
  /** Nodes in order of time, and for how many microseconds each stood. */
  readonly samples: Int32Array;
  readonly us: Float64Array;
  /** Lines of a node with how many samples fell on each, where the file has them. */
  readonly lines: ReadonlyMap<number, readonly (readonly [number, number])[]>;
  readonly sampled: number;
  readonly notes: readonly string[];
}

export class TreeBuilder {
  readonly notes: string[] = [];
  readonly lines = new Map<number, [number, number][]>();
  readonly #frames: Frame[] = [];
  readonly #frameAt = new Map<string, number>();
  readonly #childAt = new Map<number, number>();
  readonly #parent: number[] = [];
  readonly #frame: number[] = [];
  readonly #self: number[] = [];
  readonly #depth: number[] = [];
  readonly #samples: number[] = [];
  readonly #us: number[] = [];
  #dropped = 0;
  #wild = 0;
  sampled = 0;

  frame(name: string, url = '', line = 0, column = 0): number {
    const short = name.slice(0, NAME_CHARS);
    const place = url.slice(0, NAME_CHARS * 4);
    const key = `${short}\n${place}\n${line}\n${column}`;
    const known = this.#frameAt.get(key);
    if (known !== undefined) return known;
    if (this.#frames.length >= MAX_FRAMES) { this.#dropped += 1; return 0; }
    const at = this.#frames.length;
    this.#frames.push({ name: short === '' ? '(anonymous)' : short, url: place, line: bounded(line), column: bounded(column), ...categoryOf(short, place) });
    this.#frameAt.set(key, at);
    return at;
  }

  /** The child of a node (-1: of none) with this frame, made where it is new; beyond a bound the node itself stands for what is below it. */
  child(parent: number, frame: number): number {
    const key = (parent + 1) * FRAME_BITS + frame;
    const known = this.#childAt.get(key);
    if (known !== undefined) return known;
    const depth = parent < 0 ? 0 : (this.#depth[parent] as number) + 1;
    if (this.#parent.length >= MAX_NODES || depth >= MAX_DEPTH) { this.#dropped += 1; return Math.max(0, parent); }
    const at = this.#parent.push(parent) - 1;
    this.#frame.push(frame); this.#self.push(0); this.#depth.push(depth);
    this.#childAt.set(key, at);
    return at;
  }

  get size(): number { return this.#parent.length; }
  parentOf(node: number): number { return this.#parent[node] ?? -1; }
  frameIdOf(node: number): number { return this.#frame[node] ?? 0; }
  frameOf(node: number): Frame { return this.#frames[this.frameIdOf(node)] as Frame; }

  add(node: number, amount: number): void {
    if (!(amount <= MAX_AMOUNT)) this.#wild += 1;
    else if (amount > 0 && this.#self[node] !== undefined) this.#self[node] += amount;
  }

  sample(node: number, us: number): void {
    this.#samples.push(node); this.#us.push(us >= 0 && us <= MAX_AMOUNT ? us : 0);
  }

  /** Frames from the outermost inwards. */
  stack(frames: readonly number[], amount: number, us?: number): number {
    let node = -1;
    // What we wrote ourselves has its root already.
    for (const frame of frames[1] === frames[0] ? frames.slice(1) : frames) node = this.child(node, frame);
    if (node < 0) return node;
    this.add(node, amount);
    this.sampled += 1;
    if (us !== undefined) this.sample(node, us);
    return node;
  }

  /** So many samples of a node fell on a line. */
  line(node: number, line: number, ticks: number): void {
    if (!Number.isSafeInteger(line) || line <= 0 || line >= 2 ** 31 || !(ticks > 0) || ticks > Number.MAX_SAFE_INTEGER) return;
    const lines = this.lines.get(node);
    if (lines === undefined) { this.lines.set(node, [[line, ticks]]); return; }
    const same = lines.find((one) => one[0] === line);
    if (same !== undefined) same[1] += ticks; else if (lines.length < MAX_LINES) lines.push([line, ticks]);
  }

  tree(format: ProfileReport['format'], unit: ProfileUnit): ProfileTree {
    const count = this.#parent.length;
    const total = Float64Array.from(this.#self);
    for (let node = count - 1; node >= 0; node -= 1) { const up = this.#parent[node] as number; if (up >= 0) total[up] = (total[up] as number) + (total[node] as number); }
    if (this.#dropped > 0) this.notes.push(`the call tree is larger than is read: ${this.#dropped.toLocaleString('en-US')} calls stand with their callers`);
    if (this.#wild > 0) this.notes.push(`${this.#wild.toLocaleString('en-US')} of its amounts are beyond any measure and are left out`);
    return { format, unit, frames: this.#frames, count, parent: Int32Array.from(this.#parent), frame: Int32Array.from(this.#frame), self: Float64Array.from(this.#self), total, samples: Int32Array.from(this.#samples), us: Float64Array.from(this.#us), lines: this.lines, sampled: this.sampled, notes: this.notes };
  }
}

function bounded(n: number): number {
  return Number.isSafeInteger(n) && n > 0 && n < 2 ** 31 ? n : 0;
}

export function frameOf(tree: ProfileTree, node: number): Frame {
  return tree.frames[tree.frame[node] as number] as Frame;
}

/** From the node to its root. */
export function* upwards(tree: ProfileTree, node: number): Generator<number> {
  for (let at = node; at >= 0; at = tree.parent[at] as number) yield at;
}

/** As the report and the page say it. */
export function told(frame: Frame): ProfileFrame {
  return { name: frame.name, ...(frame.url === '' ? {} : { file: frame.url }), ...(frame.line > 0 ? { line: frame.line } : {}), ...(frame.column > 0 ? { column: frame.column } : {}), category: frame.category, module: frame.module, ...(frame.minified === true ? { minified: true } : {}) };
}
