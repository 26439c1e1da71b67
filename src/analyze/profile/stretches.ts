// Owns the stretches in which the event loop did one thing only: from the samples in order of time, with the stack that filled each.
import type { ProfileReport } from '../../shared/profile.ts';
import { duration, percent } from '../../shared/units.ts';
import { frameOf, told, upwards, type ProfileTree } from './tree.ts';
import type { Owners } from './owners.ts';
import { placeText } from './words.ts';

/** Shorter ones are the usual work of a server. */
const LEAST_US = 20_000;
const MOST = 20;
const FRAMES = 40;
/** So long a sample of V8 itself between two of the same call is no end of the call. */
const PROGRAM_US = 3_000;

interface Stretch { fromUs: number; us: number; key: number; readonly byNode: Map<number, number> }

export function stretchesOf(tree: ProfileTree, owners: Owners): ProfileReport['stretches'] {
  const found: Stretch[] = [];
  const keys = keysOf(tree);
  let at = 0;
  let now: Stretch | undefined, last = 0;
  const end = (): void => { if (now !== undefined && now.us >= LEAST_US) found.push(now); now = undefined; };
  for (let i = 0; i < tree.samples.length; i += 1) {
    const node = tree.samples[i] as number;
    const us = tree.us[i] as number;
    const { category } = frameOf(tree, node);
    const within = now !== undefined && (category === 'gc' || (category === 'program' && us < PROGRAM_US) || keys[node] === now.key);
    if (!within) end();
    if (category !== 'idle' && category !== 'program' && category !== 'root' && category !== 'gc' && now === undefined) now = { fromUs: at, us: 0, key: keys[node] as number, byNode: new Map() };
    if (now !== undefined) { if (category !== 'gc') last = node; now.us += us; now.byNode.set(last, (now.byNode.get(last) ?? 0) + us); }
    at += us;
  }
  end();
  return found.sort((a, b) => b.us - a.us).slice(0, MOST).map((one) => toldStretch(tree, owners, one));
}

/** The outermost call of the app or a dependency, else the outermost call: as long as it is the same, it was not left. */
function keysOf(tree: ProfileTree): Int32Array {
  const key = new Int32Array(tree.count);
  const own = new Uint8Array(tree.count);
  for (let node = 0; node < tree.count; node += 1) {
    const up = tree.parent[node] as number;
    const { category } = frameOf(tree, node);
    if (up >= 0 && own[up] === 1) { key[node] = key[up] as number; own[node] = 1; }
    else if (category === 'app' || category === 'dependency') { key[node] = node; own[node] = 1; }
    else key[node] = up < 0 || frameOf(tree, up).category === 'root' ? node : key[up] as number;
  }
  return key;
}

function toldStretch(tree: ProfileTree, owners: Owners, { fromUs, us, byNode }: Stretch): ProfileReport['stretches'][number] {
  const byOwner = new Map<number, number>();
  for (const [node, amount] of byNode) { const own = owners.owner[node] as number; const at = own < 0 ? node : own; const frame = tree.frame[at] as number; byOwner.set(frame, (byOwner.get(frame) ?? 0) + amount); }
  const [frame = 0, amount = 0] = [...byOwner].sort((a, b) => b[1] - a[1])[0] ?? [];
  const [top = 0] = [...byNode].filter(([node]) => { const own = owners.owner[node] as number; return (tree.frame[own < 0 ? node : own] as number) === frame; }).sort((a, b) => b[1] - a[1])[0] ?? [];
  const own = tree.frames[frame] as ProfileTree['frames'][number];
  const share = us > 0 ? amount / us : 0;
  return {
    atMs: fromUs / 1e3, forMs: us / 1e3, share, frames: [...upwards(tree, top)].map((node) => frameOf(tree, node)).filter((one) => one.category !== 'root').slice(0, FRAMES).map(told),
    sentence: `For ${duration(us / 1e3)} nothing else of the event loop ran: ${placeText(own)} had ${percent(share * 100)} of it.`,
  };
}
