// Owns whom time is charged to: the innermost function of the app on the stack, garbage to who ran just before, and sums by function, module, package and category.
import type { ProfileCategory, ProfileReport } from '../../shared/profile.ts';
import { frameOf, told, type Frame, type ProfileTree } from './tree.ts';

export const QUIET: ReadonlySet<ProfileCategory> = new Set<ProfileCategory>(['idle', 'root']);
const NONE = -1;

export interface Owners {
  /** Of each node the node that owns its time: the innermost of the app, else of a dependency, else itself; -1 of idle, root, program. */
  readonly owner: Int32Array;
  /** Of each node whose it is when what is built into V8 counts with its caller. */
  readonly category: readonly ProfileCategory[];
  /** Garbage by the owner that ran before it. */
  readonly collected: ReadonlyMap<number, number>;
  readonly idle: number;
  readonly busy: number;
}

export function ownersOf(tree: ProfileTree): Owners {
  const owner = new Int32Array(tree.count).fill(NONE);
  const category: ProfileCategory[] = [];
  let idle = 0, busy = 0;
  for (let node = 0; node < tree.count; node += 1) {
    const up = tree.parent[node] as number;
    const own = frameOf(tree, node).category;
    const upper = up < 0 ? 'program' : category[up] as ProfileCategory;
    category.push(own === 'engine' ? (upper === 'root' ? 'program' : upper) : own);
    owner[node] = ownerOf(tree, node, up < 0 ? NONE : owner[up] as number);
    if (own === 'idle') idle += tree.self[node] as number; else busy += tree.self[node] as number;
  }
  return { owner, category, collected: garbage(tree, owner), idle, busy };
}

function ownerOf(tree: ProfileTree, node: number, above: number): number {
  const own = frameOf(tree, node).category;
  if (own === 'app') return node;
  if (own === 'idle' || own === 'root' || own === 'program' || own === 'gc') return NONE;
  const upper = above < 0 ? undefined : frameOf(tree, above).category;
  if (upper === 'app') return above;
  if (own === 'dependency') return node;
  return upper === undefined ? node : above;
}

function garbage(tree: ProfileTree, owner: Int32Array): Map<number, number> {
  const found = new Map<number, number>();
  let last = NONE;
  for (let i = 0; i < tree.samples.length; i += 1) {
    const node = tree.samples[i] as number;
    if (frameOf(tree, node).category === 'gc') { if (last >= 0) found.set(last, (found.get(last) ?? 0) + (tree.us[i] as number)); }
    else if ((owner[node] as number) >= 0) last = owner[node] as number;
  }
  return found;
}

interface Sum { frame: Frame; self: number; total: number }

/** Sums by a key of the frame; of what calls itself the total counts once. */
export function sums(tree: ProfileTree, keyOf: (frame: Frame) => string | undefined): Map<string, Sum> {
  const keys = tree.frames.map(keyOf);
  const found = new Map<string, Sum>();
  const lastWithin = outermost(tree, keys);
  for (let node = 0; node < tree.count; node += 1) {
    const key = keys[tree.frame[node] as number];
    if (key === undefined) continue;
    let one = found.get(key);
    if (one === undefined) { one = { frame: frameOf(tree, node), self: 0, total: 0 }; found.set(key, one); }
    one.self += tree.self[node] as number;
    if (lastWithin[node] === 1) one.total += tree.total[node] as number;
  }
  return found;
}

/** 1 where no node above has the same key. Walks the tree once with the keys that are open. */
function outermost(tree: ProfileTree, keys: readonly (string | undefined)[]): Uint8Array {
  const flags = new Uint8Array(tree.count);
  const { first, next } = childLists(tree);
  const open = new Map<string, number>();
  const stack: number[] = [];
  for (let root = tree.count - 1; root >= 0; root -= 1) if ((tree.parent[root] as number) < 0) stack.push(root);
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (at < 0) { const key = keys[tree.frame[~at] as number]; if (key !== undefined) open.set(key, (open.get(key) ?? 1) - 1); continue; }
    const key = keys[tree.frame[at] as number];
    if (key !== undefined) { const depth = open.get(key) ?? 0; if (depth === 0) flags[at] = 1; open.set(key, depth + 1); }
    stack.push(~at);
    for (let child = first[at] as number; child >= 0; child = next[child] as number) stack.push(child);
  }
  return flags;
}

/** First child and next sibling, in the order they were made. */
export function childLists(tree: ProfileTree): { readonly first: Int32Array; readonly next: Int32Array } {
  const first = new Int32Array(tree.count).fill(NONE);
  const next = new Int32Array(tree.count).fill(NONE);
  for (let node = tree.count - 1; node >= 0; node -= 1) {
    const up = tree.parent[node] as number;
    if (up >= 0) { next[node] = first[up] as number; first[up] = node; }
  }
  return { first, next };
}

export const functionKey = (frame: Frame): string | undefined => (QUIET.has(frame.category) ? undefined : `${frame.name}\n${frame.url}\n${frame.line}`);

const bySelf = (a: { self: number; total: number }, b: { self: number; total: number }): number => b.self - a.self || b.total - a.total;

export function functionsOf(tree: ProfileTree): ProfileReport['functions'] {
  return [...sums(tree, functionKey).values()].filter((one) => one.total > 0).sort(bySelf).map(({ frame, self, total }) => ({ ...told(frame), self, total }));
}

export function modulesOf(tree: ProfileTree): ProfileReport['modules'] {
  return [...sums(tree, (frame) => (QUIET.has(frame.category) ? undefined : `${frame.category}\n${frame.module}`)).values()].filter((one) => one.total > 0).sort(bySelf).map(({ frame, self, total }) => ({ name: frame.module, category: frame.category, self, total }));
}

export function packagesOf(tree: ProfileTree): ProfileReport['packages'] {
  return [...sums(tree, (frame) => (frame.category === 'dependency' ? frame.module : undefined)).values()].filter((one) => one.total > 0).sort((a, b) => b.total - a.total).map(({ frame, self, total }) => ({ name: frame.module, self, total }));
}

export function categoriesOf(tree: ProfileTree, owners: Owners): ProfileReport['categories'] {
  const found = new Map<ProfileCategory, number>();
  for (let node = 0; node < tree.count; node += 1) { const one = owners.category[node] as ProfileCategory; found.set(one, (found.get(one) ?? 0) + (tree.self[node] as number)); }
  const all = owners.idle + owners.busy;
  return [...found].filter(([, self]) => self > 0).sort((a, b) => b[1] - a[1]).map(([category, self]) => ({ category, self, share: all > 0 ? self / all : 0 }));
}
