// Owns reading a CPU profile: the stack that was seen most often in its last milliseconds.

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
  readonly positionTicks?: readonly { readonly line: number; readonly ticks: number }[];
}
export interface Profile { readonly nodes: readonly Node[]; readonly endTime: number; readonly startTime: number; readonly samples?: readonly number[]; readonly timeDeltas?: readonly number[] }

const MAX_FRAMES = 20;
const NOT_CODE = /^\((?:idle|root|program)\)$/;

/** Innermost first; the line of the first is the one that was busy, those of the others are where their functions begin. */
export function hottestStack(profile: Profile, lastMs: number): string[] {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map<number, number>();
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node.id);
  const hits = new Map<number, number>();
  let best: number | undefined;
  for (const id of lastSamples(profile, lastMs)) {
    if (NOT_CODE.test(byId.get(id)?.callFrame.functionName ?? '(root)')) continue;
    hits.set(id, (hits.get(id) ?? 0) + 1);
    if (best === undefined || (hits.get(id) as number) > (hits.get(best) as number)) best = id;
  }
  const frames: string[] = [];
  for (let id = best; id !== undefined && frames.length < MAX_FRAMES; id = parents.get(id)) {
    const node = byId.get(id) as Node;
    if (node.callFrame.functionName === '(root)') break;
    frames.push(frameOf(node, id === best));
  }
  return frames;
}

function lastSamples({ samples = [], timeDeltas = [], startTime, endTime }: Profile, lastMs: number): number[] {
  const from = endTime - lastMs * 1_000;
  let at = startTime;
  return samples.filter((_, i) => { at += timeDeltas[i] ?? 0; return at >= from; });
}

function frameOf({ callFrame: { functionName, url, lineNumber }, positionTicks = [] }: Node, isBusy: boolean): string {
  const busiest = isBusy ? [...positionTicks].sort((a, b) => b.ticks - a.ticks)[0] : undefined;
  const place = url === '' ? '' : ` (${url.replace(/^file:\/\//, '')}:${busiest?.line ?? lineNumber + 1})`;
  return `${functionName === '' ? '(anonymous)' : functionName}${place}`.slice(0, 300);
}
