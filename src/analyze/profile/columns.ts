// Owns the call tree as the page and a report get it: columns within a bound, the smallest nodes folded into their parents and counted.
import type { ProfileTreeColumns } from '../../shared/profile.ts';
import { childLists } from './owners.ts';
import { told, type ProfileTree } from './tree.ts';

const MAX_NODES = 200_000;
const MAX_SAMPLES = 400_000;

export function columnsOf(tree: ProfileTree, maxNodes = MAX_NODES): ProfileTreeColumns {
  const { map, order } = kept(tree, maxNodes);
  const frameAt = new Map<number, number>();
  const frames: ProfileTreeColumns['frames'] = [];
  const frame = order.map((node) => {
    const own = tree.frame[node] as number;
    let at = frameAt.get(own);
    if (at === undefined) { at = frames.push(told(tree.frames[own] as ProfileTree['frames'][number])) - 1; frameAt.set(own, at); }
    return at;
  });
  const self = order.map(() => 0);
  for (let node = 0; node < tree.count; node += 1) { const at = map[node] as number; if (at >= 0) self[at] = (self[at] as number) + (tree.self[node] as number); }
  const time = timeOf(tree, map);
  return {
    frames, frame, self: self.map(rounded), parent: order.map((node) => { const up = tree.parent[node] as number; return up < 0 ? -1 : map[up] as number; }),
    ...(time === undefined ? {} : { time: { node: time.node, us: time.us } }), foldedNodes: tree.count - order.length, foldedSamples: time?.folded ?? 0,
  };
}

const rounded = (amount: number): number => Math.round(amount * 10) / 10;

/** The nodes that stand, in an order where a parent comes first, and of every node where its time goes. */
function kept(tree: ProfileTree, maxNodes: number): { map: Int32Array; order: number[] } {
  const least = tree.count <= maxNodes ? 0 : Float64Array.from(tree.total).sort()[tree.count - maxNodes] as number;
  const map = new Int32Array(tree.count).fill(-1);
  const order: number[] = [];
  const { first, next } = childLists(tree);
  const open: number[] = [];
  for (let node = tree.count - 1; node >= 0; node -= 1) if ((tree.parent[node] as number) < 0) open.push(node);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const up = tree.parent[node] as number;
    const whole = (tree.total[node] as number) >= least && order.length < maxNodes && (up < 0 || order[map[up] as number] === up);
    map[node] = whole ? order.push(node) - 1 : up < 0 ? -1 : map[up] as number;
    const children: number[] = [];
    for (let child = first[node] as number; child >= 0; child = next[child] as number) children.push(child);
    for (const child of children.reverse()) open.push(child);
  }
  return { map, order };
}

/** Equal neighbours are one; beyond the bound the shortest go to the one before them. */
function timeOf(tree: ProfileTree, map: Int32Array): { node: number[]; us: number[]; folded: number } | undefined {
  if (tree.samples.length === 0) return undefined;
  const node: number[] = [], us: number[] = [];
  let folded = 0;
  const every = Math.max(1, Math.ceil(tree.samples.length / MAX_SAMPLES));
  for (let i = 0; i < tree.samples.length; i += 1) {
    const at = map[tree.samples[i] as number] as number;
    const last = node.length - 1;
    const fold = i % every !== 0 && last >= 0;
    if (fold && node[last] !== at) folded += 1;
    if (last >= 0 && (node[last] === at || fold)) us[last] = (us[last] as number) + (tree.us[i] as number);
    else { node.push(at); us.push(tree.us[i] as number); }
  }
  return { node: node.map((one) => Math.max(0, one)), us: us.map(rounded), folded };
}
