// Owns functions that V8 built into their callers: such have no frame, but the lines of the samples, and calls seen before, tell which they were.
import type { TreeBuilder } from './tree.ts';

const OWN = new Set(['app', 'dependency']);

/** For a sample's node the node it belongs to: itself, or the callee that was built into it, in the proportion of the lines. */
export function inlineTargets(build: TreeBuilder): (node: number) => number {
  const callees = calleesByCaller(build);
  const shares = new Map<number, { readonly child: number; readonly share: number; owed: number }[]>();
  for (const [node, lines] of build.lines) {
    const frame = build.frameOf(node);
    const seen = callees.get(build.frameIdOf(node));
    if (!OWN.has(frame.category) || seen === undefined) continue;
    const all = lines.reduce((sum, [, ticks]) => sum + ticks, 0);
    const moved = new Map<number, number>();
    for (const [line, ticks] of lines) {
      const callee = line === frame.line && lines.length === 1 ? onlyCallee(build, seen) : line < frame.line ? before(build, seen, line) : undefined;
      if (callee !== undefined) moved.set(callee, (moved.get(callee) ?? 0) + ticks);
    }
    if (moved.size > 0) shares.set(node, [...moved].map(([callee, ticks]) => ({ child: build.child(node, callee), share: ticks / all, owed: 0 })));
  }
  return (node) => {
    for (const one of shares.get(node) ?? []) {
      one.owed += one.share;
      if (one.owed >= 0.5) { one.owed -= 1; return one.child; }
    }
    return node;
  };
}

/** Functions of the same file that a function was seen to call. */
function calleesByCaller(build: TreeBuilder): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>();
  for (let node = 0; node < build.size; node += 1) {
    const parent = build.parentOf(node);
    const frame = build.frameOf(node);
    if (parent < 0 || frame.url === '' || frame.url !== build.frameOf(parent).url || build.frameIdOf(parent) === build.frameIdOf(node)) continue;
    const caller = build.frameIdOf(parent);
    const set = found.get(caller);
    if (set === undefined) found.set(caller, new Set([node])); else set.add(node);
  }
  return found;
}

/** A function of one line does nothing but call: the only callee is what runs there. */
function onlyCallee(build: TreeBuilder, seen: ReadonlySet<number>): number | undefined {
  const frames = new Set([...seen].map((node) => build.frameIdOf(node)));
  return frames.size === 1 ? [...frames][0] : undefined;
}

/** A line before the function's own begin is of the callee that begins nearest before it. */
function before(build: TreeBuilder, seen: ReadonlySet<number>, line: number): number | undefined {
  let best: number | undefined, bestLine = 0;
  for (const node of seen) { const at = build.frameOf(node).line; if (at <= line && at > bestLine) { bestLine = at; best = build.frameIdOf(node); } }
  return best;
}
