// Owns the layout of a flame graph in columns, for the page and for reports: left-heavy or in order of time, which box lies where, comparison with another, and search.
import type { ProfileFrame, ProfileTreeColumns } from './profile.ts';

export const FLAME_ORDERS = ['left-heavy', 'time'] as const;
export type FlameOrder = (typeof FLAME_ORDERS)[number];

/** Boxes in depth-first order: a parent before its children, these from left to right. */
export interface Flame {
  readonly count: number;
  readonly frame: Int32Array;
  readonly depth: Int32Array;
  readonly from: Float64Array;
  readonly span: Float64Array;
  readonly self: Float64Array;
  /** The box in which it lies; -1: none. */
  readonly up: Int32Array;
  readonly width: number;
  /** One more than the deepest. */
  readonly levels: number;
  /** By depth, the boxes of that depth from left to right. */
  readonly rows: readonly Int32Array[];
  /** Where each box of a row begins: drawing looks here tens of thousands of times a frame. */
  readonly starts: readonly Float64Array[];
  /** Calls that are not drawn: there are more than a graph can have. */
  readonly undrawn: number;
}

const NONE = -1;
/** In order of time the same call stands once for each stretch. */
const MAX_BOXES = 400_000;

export function flameOf(tree: ProfileTreeColumns, order: FlameOrder): Flame {
  return order === 'time' && tree.time !== undefined ? inTime(tree, tree.time) : leftHeavy(tree);
}

export function totalsOf(tree: ProfileTreeColumns): Float64Array {
  const total = Float64Array.from(tree.self);
  for (let node = tree.parent.length - 1; node >= 0; node -= 1) { const up = tree.parent[node] as number; if (up >= 0 && up < node) total[up] = (total[up] as number) + (total[node] as number); }
  return total;
}

class Boxes {
  readonly frame: number[] = []; readonly depth: number[] = []; readonly from: number[] = []; readonly span: number[] = []; readonly self: number[] = []; readonly up: number[] = [];
  add(frame: number, depth: number, from: number, span: number, self: number, up: number): number {
    this.depth.push(depth); this.from.push(from); this.span.push(span); this.self.push(self); this.up.push(up);
    return this.frame.push(frame) - 1;
  }
  done(width: number, undrawn = 0): Flame {
    const rows: number[][] = [];
    this.depth.forEach((depth, i) => { (rows[depth] ??= []).push(i); });
    return { count: this.frame.length, frame: Int32Array.from(this.frame), depth: Int32Array.from(this.depth), from: Float64Array.from(this.from), span: Float64Array.from(this.span), self: Float64Array.from(this.self), up: Int32Array.from(this.up), width, levels: rows.length, rows: Array.from(rows, (row) => Int32Array.from(row ?? [])), starts: Array.from(rows, (row) => Float64Array.from(row ?? [], (box) => this.from[box] as number)), undrawn };
  }
}

function leftHeavy(tree: ProfileTreeColumns): Flame {
  const total = totalsOf(tree);
  const children = childrenOf(tree);
  const boxes = new Boxes();
  const heavy = (a: number, b: number): number => (total[a] as number) - (total[b] as number) || b - a;      // popped from the end: the heaviest last
  const open: (readonly [number, number, number, number])[] = [];
  let width = 0;
  const push = (nodes: readonly number[], from: number, depth: number, up: number): void => {
    const sorted = nodes.filter((node) => (total[node] as number) > 0).sort(heavy);
    let at = from + sorted.reduce((sum, node) => sum + (total[node] as number), 0);
    for (const node of sorted) { at -= total[node] as number; open.push([node, at, depth, up]); }
  };
  const roots = children.get(NONE) ?? [];
  width = roots.reduce((sum, node) => sum + (total[node] as number), 0);
  push(roots, 0, 0, NONE);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [node, from, depth, up] = next;
    const box = boxes.add(tree.frame[node] as number, depth, from, total[node] as number, tree.self[node] as number, up);
    push(children.get(node) ?? [], from, depth + 1, box);
  }
  return boxes.done(width);
}

function childrenOf(tree: ProfileTreeColumns): Map<number, number[]> {
  const children = new Map<number, number[]>();
  tree.parent.forEach((up, node) => { const key = up < node ? up : NONE; const list = children.get(key); if (list === undefined) children.set(key, [node]); else list.push(node); });
  return children;
}

/** Neighbours in time share the boxes of the calls that both are in. */
function inTime(tree: ProfileTreeColumns, { node: nodes, us }: NonNullable<ProfileTreeColumns['time']>): Flame {
  const boxes = new Boxes();
  let open: { node: number; box: number }[] = [];
  let at = 0, undrawn = 0;
  nodes.forEach((node, i) => {
    const forUs = us[i] ?? 0;
    const stack: number[] = [];
    for (let up = node; up >= 0 && stack.length < 4_096; up = tree.parent[up] as number) stack.push(up);
    stack.reverse();
    let same = 0;
    while (same < open.length && same < stack.length && open[same]?.node === stack[same]) same += 1;
    open = open.slice(0, same);
    for (let depth = same; depth < stack.length && boxes.frame.length < MAX_BOXES; depth += 1) open.push({ node: stack[depth] as number, box: boxes.add(tree.frame[stack[depth] as number] as number, depth, at, 0, 0, open.at(-1)?.box ?? NONE) });
    undrawn += stack.length - open.length;
    for (const { box } of open) boxes.span[box] = (boxes.span[box] as number) + forUs;
    const last = open.at(-1)?.box;
    if (last !== undefined) boxes.self[last] = (boxes.self[last] as number) + forUs;
    at += forUs;
  });
  return boxes.done(at, undrawn);
}

/** The box at a place; undefined where none lies. */
export function boxAt(flame: Flame, depth: number, x: number): number | undefined {
  const row = flame.rows[depth];
  if (row === undefined) return undefined;
  const at = firstFrom(flame, row, x) - 1;
  const box = row[at];
  return box !== undefined && x < (flame.from[box] as number) + (flame.span[box] as number) ? box : undefined;
}

/** How many boxes of a row begin at or before x. */
export function firstFrom(flame: Flame, row: Int32Array, x: number): number {
  let low = 0, high = row.length;
  while (low < high) { const middle = (low + high) >> 1; if ((flame.from[row[middle] as number] as number) <= x) low = middle + 1; else high = middle; }
  return low;
}

/** The first of a row, from `at` on, that begins beyond x: steps that double, then halves. */
export function firstBeyond(starts: Float64Array, at: number, x: number): number {
  let step = 1, low = at, high = at;
  while (high < starts.length && (starts[high] as number) <= x) { low = high + 1; high += step; step *= 2; }
  high = Math.min(high, starts.length);
  while (low < high) { const middle = (low + high) >> 1; if ((starts[middle] as number) <= x) low = middle + 1; else high = middle; }
  return low;
}

const keyOf = (frame: ProfileFrame): string => `${frame.name}\n${frame.file ?? ''}`;

/** Of each box how its share differs from that of the same path in the other profile: -1 to 1. */
export function differenceOf(flame: Flame, tree: ProfileTreeColumns, base: ProfileTreeColumns): Float64Array {
  const other = flameOf(base, 'left-heavy');
  const byPath = new Map<string, number>();
  const trail = (one: Flame, frames: readonly ProfileFrame[]): string[] => {
    const hashes: string[] = [];
    for (let box = 0; box < one.count; box += 1) { const up = one.up[box] as number; hashes.push(hash(up < 0 ? '' : hashes[up] as string, keyOf(frames[one.frame[box] as number] as ProfileFrame))); }
    return hashes;
  };
  trail(other, base.frames).forEach((path, box) => byPath.set(path, (byPath.get(path) ?? 0) + (other.span[box] as number)));
  const difference = new Float64Array(flame.count);
  trail(flame, tree.frames).forEach((path, box) => { difference[box] = (flame.width > 0 ? (flame.span[box] as number) / flame.width : 0) - (other.width > 0 ? (byPath.get(path) ?? 0) / other.width : 0); });
  return difference;
}

/** Two times 32 bits of FNV-1a over the parent's hash and the frame. */
function hash(up: string, text: string): string {
  let a = 0x811c9dc5, b = 0x01000193;
  for (const part of [up, text]) for (let i = 0; i < part.length; i += 1) { const code = part.charCodeAt(i); a = Math.imul(a ^ code, 0x01000193); b = Math.imul(b ^ (code + i), 0x85ebca6b); }
  return `${(a >>> 0).toString(36)}${(b >>> 0).toString(36)}`;
}

/** Which frames hold the text, in name or file; undefined for no search. */
export function matchesOf(frames: readonly ProfileFrame[], text: string): Uint8Array | undefined {
  const wanted = text.trim().toLowerCase();
  return wanted === '' ? undefined : Uint8Array.from(frames, (one) => (one.name.toLowerCase().includes(wanted) || (one.file ?? '').toLowerCase().includes(wanted) ? 1 : 0));
}

/** How much of the width the matches take, each call of itself once. */
export function matchedShare(flame: Flame, matches: Uint8Array): number {
  const within = new Uint8Array(flame.count);
  let sum = 0;
  for (let box = 0; box < flame.count; box += 1) {
    const up = flame.up[box] as number;
    const inside = up >= 0 && within[up] === 1;
    const hit = matches[flame.frame[box] as number] === 1;
    if (hit && !inside) sum += flame.span[box] as number;
    within[box] = inside || hit ? 1 : 0;
  }
  return flame.width > 0 ? sum / flame.width : 0;
}
