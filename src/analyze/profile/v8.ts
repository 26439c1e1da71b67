// Owns the two profiles that V8 writes, of the CPU and of allocations: JSON of any damage into a call tree, partial where the end is missing.
import { z } from 'zod';
import { elementsOf, numbersOf } from './salvage.ts';
import { inlineTargets } from './inlined.ts';
import { TreeBuilder, type ProfileTree } from './tree.ts';
import { unreadableProfile } from './unreadable.ts';

const Call = z.object({ functionName: z.string().catch(''), url: z.string().catch(''), lineNumber: z.number().catch(-1), columnNumber: z.number().catch(-1) });
const CpuNode = z.object({ id: z.number(), callFrame: Call, parent: z.number().optional(), children: z.array(z.number()).optional().catch(undefined), hitCount: z.number().optional().catch(undefined), positionTicks: z.array(z.object({ line: z.number(), ticks: z.number() })).optional().catch(undefined) });
type CpuNode = z.infer<typeof CpuNode>;
const ROOT = -1;

interface Raw { readonly nodes: readonly unknown[]; readonly samples: readonly unknown[]; readonly timeDeltas: readonly unknown[]; readonly startTime: number | undefined; readonly endTime: number | undefined; readonly notes: readonly string[] }

export function readCpuProfile(json: unknown, text: string): ProfileTree {
  const raw = json === undefined ? salvaged(text) : rawOf(json);
  const build = new TreeBuilder();
  build.notes.push(...raw.notes);
  const known = new Map<number, CpuNode>();
  let bad = 0;
  for (const one of raw.nodes) { const parsed = CpuNode.safeParse(one); if (parsed.success) known.set(parsed.data.id, parsed.data); else bad += 1; }
  if (known.size === 0) throw unreadableProfile('it has no node that could be read');
  if (bad > 0) build.notes.push(`${bad} of its nodes are damaged and left out`);
  const at = placed(known, build);
  weigh(raw, known, at, build);
  return build.tree('cpuprofile', 'us');
}

/** Id of V8 to node of ours; what no root reaches is counted. */
function placed(known: ReadonlyMap<number, CpuNode>, build: TreeBuilder): Map<number, number> {
  const at = new Map<number, number>();
  const children = new Map<number, number[]>();
  const inner = new Set<number>();
  const link = (parent: number, child: number): void => {
    if (inner.has(child) || parent === child || !known.has(child)) return;
    inner.add(child);
    const list = children.get(parent);
    if (list === undefined) children.set(parent, [child]); else list.push(child);
  };
  for (const node of known.values()) for (const child of node.children ?? []) link(node.id, child);
  for (const node of known.values()) if (node.parent !== undefined && known.has(node.parent)) link(node.parent, node.id);
  const open: [number, number][] = [...known.keys()].filter((id) => !inner.has(id)).reverse().map((id) => [id, ROOT]);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [id, parent] = next;
    const node = known.get(id) as CpuNode;
    const { functionName, url, lineNumber, columnNumber } = node.callFrame;
    const own = build.child(parent, build.frame(functionName, url, lineNumber + 1, columnNumber + 1));
    at.set(id, own);
    for (const tick of node.positionTicks ?? []) build.line(own, tick.line, tick.ticks);
    for (const child of (children.get(id) ?? []).reverse()) open.push([child, own]);
  }
  if (at.size < known.size) build.notes.push(`${known.size - at.size} of its nodes call each other in a ring and are left out`);
  return at;
}

/** A sample lasts until the next one; the last until the end. */
function weigh(raw: Raw, known: ReadonlyMap<number, CpuNode>, at: ReadonlyMap<number, number>, build: TreeBuilder): void {
  if (raw.samples.length === 0) { weighByHits(known, at, build); return; }
  let clock = raw.startTime ?? 0;
  const times: [number, number][] = [];
  let lost = Math.max(0, raw.samples.length - raw.timeDeltas.length);
  raw.samples.slice(0, raw.timeDeltas.length).forEach((id, index) => {
    const delta = raw.timeDeltas[index];
    const node = typeof id === 'number' ? at.get(id) : undefined;
    if (node === undefined || typeof delta !== 'number' || !Number.isFinite(delta) || Math.abs(delta) > 1e13) { lost += 1; return; }
    clock += delta;
    times.push([clock, node]);
  });
  if (lost > 0) build.notes.push(`${lost} of its ${raw.samples.length} samples have no time or no stack and are left out`);
  if (times.some(([time], i) => i > 0 && time < (times[i - 1] as [number, number])[0])) times.sort((a, b) => a[0] - b[0]);
  const targetOf = inlineTargets(build);
  const end = raw.endTime !== undefined && raw.endTime - clock < 1e9 ? raw.endTime : clock;
  times.forEach(([time, seen], i) => {
    const node = targetOf(seen);
    const us = Math.max(0, (times[i + 1]?.[0] ?? end) - time);
    build.add(node, us);
    build.sample(node, us);
  });
  build.sampled = times.length;
}

const USUAL_INTERVAL_US = 1_000;
function weighByHits(known: ReadonlyMap<number, CpuNode>, at: ReadonlyMap<number, number>, build: TreeBuilder): void {
  build.notes.push('it has no samples in order of time: amounts are counts of hits at the usual 1 ms each');
  for (const [id, node] of known) if (node.hitCount !== undefined && node.hitCount > 0 && node.hitCount < 1e9) { build.add(at.get(id) ?? -1, node.hitCount * USUAL_INTERVAL_US); build.sampled += Math.round(node.hitCount); }
}

const arrayOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value as unknown[] : []);
const timeOf = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);

function rawOf(json: unknown): Raw {
  const outer = json as Record<string, unknown>;
  // The inspector's answer has the profile inside.
  const one = (typeof outer['profile'] === 'object' && outer['profile'] !== null ? outer['profile'] : outer) as Record<string, unknown>;
  return { nodes: arrayOf(one['nodes']), samples: arrayOf(one['samples']), timeDeltas: arrayOf(one['timeDeltas']), startTime: timeOf(one['startTime']), endTime: timeOf(one['endTime']), notes: [] };
}

function salvaged(text: string): Raw {
  return { nodes: elementsOf(text, 'nodes'), samples: numbersOf(text, 'samples'), timeDeltas: numbersOf(text, 'timeDeltas'), startTime: numberAt(text, 'startTime'), endTime: numberAt(text, 'endTime'), notes: ['the file is cut off or damaged: only what is whole in it is told'] };
}

function numberAt(text: string, key: string): number | undefined {
  const at = text.lastIndexOf(`"${key}":`);
  return at < 0 ? undefined : timeOf(Number(/^\s*(-?\d{1,17}(?:\.\d+)?)/.exec(text.slice(at + key.length + 3, at + key.length + 40))?.[1] ?? NaN));
}

interface HeapNode { readonly callFrame?: unknown; readonly selfSize?: unknown; readonly children?: unknown }

/** Bytes that lived when it was taken, by the stack that made them. */
export function readHeapProfile(json: unknown): ProfileTree {
  const outer = json as { head?: unknown; profile?: { head?: unknown } };
  const head = outer.head ?? outer.profile?.head;
  if (typeof head !== 'object' || head === null) throw unreadableProfile('it has no head');
  const build = new TreeBuilder();
  const open: [HeapNode, number][] = [[head as HeapNode, ROOT]];
  let bad = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [node, parent] = next;
    const call = Call.safeParse(node.callFrame);
    if (!call.success) { bad += 1; continue; }
    const { functionName, url, lineNumber, columnNumber } = call.data;
    const own = build.child(parent, build.frame(functionName, url, lineNumber + 1, columnNumber + 1));
    if (typeof node.selfSize === 'number') build.add(own, node.selfSize);
    for (const child of [...arrayOf(node.children)].reverse()) if (typeof child === 'object' && child !== null) open.push([child as HeapNode, own]); else bad += 1;
  }
  if (bad > 0) build.notes.push(`${bad} of its nodes are damaged and left out`);
  build.sampled = arrayOf((json as { samples?: unknown }).samples).length;
  return build.tree('heapprofile', 'bytes');
}
