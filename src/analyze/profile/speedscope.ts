// Owns speedscope's file format: sampled profiles read into a call tree, and a tree written as one, in order of time where it is known.
import { z } from 'zod';
import { TreeBuilder, type ProfileTree } from './tree.ts';
import { unreadableProfile } from './unreadable.ts';

const SCHEMA = 'https://www.speedscope.app/file-format-schema.json';
const Shape = z.object({
  shared: z.object({ frames: z.array(z.object({ name: z.string(), file: z.string().optional(), line: z.number().optional(), col: z.number().optional() })) }),
  profiles: z.array(z.object({ type: z.string(), unit: z.string().catch('none'), samples: z.array(z.array(z.number())).optional(), weights: z.array(z.number()).optional(), events: z.array(z.object({ type: z.string(), at: z.number(), frame: z.number() })).optional() })).min(1),
});
const MICROSECONDS: Readonly<Record<string, number>> = { nanoseconds: 1e-3, microseconds: 1, milliseconds: 1e3, seconds: 1e6 };

export function readSpeedscope(json: unknown): ProfileTree {
  const parsed = Shape.safeParse(json);
  if (!parsed.success) throw unreadableProfile('it says to be of speedscope and has not its form');
  const { shared, profiles } = parsed.data;
  const build = new TreeBuilder();
  const frames = shared.frames.map((one) => build.frame(one.name, one.file ?? '', one.line, one.col));
  const root = build.frame('(root)');
  const unit = profiles[0]?.unit ?? 'none';
  const factor = MICROSECONDS[unit] ?? 1;
  for (const one of profiles) {
    if (one.unit !== unit) { build.notes.push('profiles of another unit in the same file are left out'); continue; }
    if (one.type === 'evented') { evented(one.events ?? [], frames, root, build, factor); continue; }
    const timed = unit in MICROSECONDS;
    (one.samples ?? []).forEach((stack, i) => { const amount = (one.weights?.[i] ?? 0) * factor; build.stack([root, ...stack.flatMap((at) => frames[at] ?? [])].slice(0, 4_096), amount, timed && amount >= 0 ? amount : undefined); });
  }
  if (build.sampled === 0) throw unreadableProfile('it is a speedscope file without samples');
  return build.tree('speedscope', unit in MICROSECONDS ? 'us' : unit === 'bytes' ? 'bytes' : 'samples');
}

function evented(events: readonly { type: string; at: number; frame: number }[], frames: readonly number[], root: number, build: TreeBuilder, factor: number): void {
  const open: number[] = [];
  let last = events[0]?.at ?? 0;
  for (const { type, at, frame } of events) {
    const us = (at - last) * factor;
    if (open.length > 0 && us > 0) build.stack([root, ...open].slice(0, 4_096), us, us);
    last = at;
    const one = frames[frame];
    if (type === 'O' && one !== undefined && open.length < 4_096) open.push(one);
    else if (type === 'C') open.pop();
  }
}

export function writeSpeedscope(tree: ProfileTree, name: string): string {
  const order = tree.samples.length > 0 ? Array.from(tree.samples) : Array.from(tree.self.keys()).filter((node) => (tree.self[node] as number) > 0);
  const weights = tree.samples.length > 0 ? Array.from(tree.us) : order.map((node) => tree.self[node] as number);
  const stackOf = (node: number): number[] => { const stack: number[] = []; for (let at = node; at >= 0; at = tree.parent[at] as number) stack.push(tree.frame[at] as number); return stack.reverse(); };
  return JSON.stringify({
    $schema: SCHEMA, name, exporter: 'diag', activeProfileIndex: 0,
    shared: { frames: tree.frames.map((one) => ({ name: one.name, ...(one.url === '' ? {} : { file: one.url }), ...(one.line > 0 ? { line: one.line } : {}), ...(one.column > 0 ? { col: one.column } : {}) })) },
    profiles: [{ type: 'sampled', name, unit: { us: 'microseconds', bytes: 'bytes', samples: 'none' }[tree.unit], startValue: 0, endValue: weights.reduce((sum, one) => sum + one, 0), samples: order.map(stackOf), weights }],
  });
}
