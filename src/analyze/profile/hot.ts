// Owns the hot path as a sentence: the function of the app that takes most, with file and line, what its time goes into, and what to do.
import type { ProfileHot } from '../../shared/profile.ts';
import { percent } from '../../shared/units.ts';
import type { SourceFiles } from './maps.ts';
import type { Owners } from './owners.ts';
import { ADVICE, signOf, signWords } from './signs.ts';
import { frameOf, told, upwards, type ProfileTree } from './tree.ts';
import { amountText, placeText } from './words.ts';

const FRAMES = 60;
const MOST_OF_IT = 0.8;

export async function hotOf(tree: ProfileTree, owners: Owners, files: SourceFiles): Promise<ProfileHot | undefined> {
  const amounts = byOwner(tree, owners);
  const [hottest] = [...amounts].sort((a, b) => b[1].amount - a[1].amount);
  if (hottest === undefined || owners.busy <= 0) return undefined;
  const [key, { amount, collected, node }] = hottest;
  const frame = tree.frames[key] as ProfileTree['frames'][number];
  const hotLine = lineOf(tree, key);
  const text = await linesAround(tree, key, frame.url, files);
  const cause = signOf(tree, owners, key, { ...text, collected });
  const share = amount / owners.busy;
  const verb = tree.unit === 'bytes' ? 'made' : 'takes';
  const what = tree.unit === 'us' ? 'of the CPU time' : tree.unit === 'bytes' ? 'of the bytes that were alive' : 'of the samples';
  const words = signWords(cause);
  const into = cause.sign === 'own-code' || cause.sign === 'allocation' ? '' : words.startsWith(',') ? words : `, ${cause.share >= MOST_OF_IT ? 'nearly all' : 'most'} of it in ${words}`;
  return {
    sentence: `${placeText(frame, frame.line > 0 ? frame.line : hotLine)} ${verb} ${percent(share * 100)} ${what} (${amountText(amount, tree.unit)} of ${amountText(owners.busy, tree.unit)})${into}.`,
    advice: ADVICE[cause.sign], sign: cause.sign, function: told(frame), amount, share, ...(hotLine === undefined ? {} : { hotLine }),
    frames: [...upwards(tree, node)].map((at) => frameOf(tree, at)).filter((one) => one.category !== 'root').slice(0, FRAMES).map(told),
  };
}

interface Amount { amount: number; collected: number; node: number; most: number }
/** By frame of the owner; `node`: where in the tree most of it fell. Code of the app goes before what no app's code called. */
function byOwner(tree: ProfileTree, owners: Owners): Map<number, Amount> {
  const found = new Map<number, Amount>();
  const note = (own: number, node: number, amount: number, collected: number): void => {
    const key = tree.frame[own] as number;
    const one = found.get(key) ?? { amount: 0, collected: 0, node, most: 0 };
    one.amount += amount; one.collected += collected;
    if (amount > one.most && collected === 0) { one.most = amount; one.node = node; }
    found.set(key, one);
  };
  for (let node = 0; node < tree.count; node += 1) { const own = owners.owner[node] as number; if (own >= 0 && (tree.self[node] as number) > 0) note(own, node, tree.self[node] as number, 0); }
  for (const [own, amount] of owners.collected) note(own, own, amount, amount);
  const app = [...found].filter(([key]) => (tree.frames[key] as { category: string }).category === 'app');
  return app.length > 0 && app.reduce((sum, [, one]) => sum + one.amount, 0) >= owners.busy * 0.2 ? new Map(app) : found;
}

/** The line of the function on which most samples fell. */
function lineOf(tree: ProfileTree, key: number): number | undefined {
  return [...hitsOf(tree, key)].sort((a, b) => b[1] - a[1])[0]?.[0];
}

function hitsOf(tree: ProfileTree, key: number): Map<number, number> {
  const hits = new Map<number, number>();
  for (const [node, lines] of tree.lines) if (tree.frame[node] === key) for (const [line, ticks] of lines) hits.set(line, (hits.get(line) ?? 0) + ticks);
  return hits;
}

const LINES_LOOKED = 5;
/** A line with fewer of the samples does not say what the function does. */
const LINE_SHARE = 0.3;
/** The hottest lines of the function, and those of who calls it, where the file lies here. */
async function linesAround(tree: ProfileTree, key: number, url: string, files: SourceFiles): Promise<{ own: string[]; caller: string[] }> {
  const hits = [...hitsOf(tree, key)].sort((a, b) => b[1] - a[1]);
  const all = hits.reduce((sum, [, ticks]) => sum + ticks, 0);
  const own = await textAt(url, hits.filter(([, ticks]) => ticks >= all * LINE_SHARE).map(([line]) => line), files);
  const callers = new Map<number, number>();
  for (let node = 0; node < tree.count; node += 1) { const up = tree.parent[node] as number; if (tree.frame[node] === key && up >= 0) callers.set(tree.frame[up] as number, (callers.get(tree.frame[up] as number) ?? 0) + (tree.total[node] as number)); }
  const [caller] = [...callers].sort((a, b) => b[1] - a[1])[0] ?? [];
  if (caller === undefined) return { own, caller: [] };
  const frame = tree.frames[caller] as ProfileTree['frames'][number];
  return { own, caller: await textAt(frame.url, [frame.line, ...hitsOf(tree, caller).keys()].slice(0, LINES_LOOKED), files) };
}

async function textAt(url: string, lines: readonly number[], files: SourceFiles): Promise<string[]> {
  const text = lines.length === 0 || url === '' ? undefined : (await files.of(url))?.lines;
  return lines.flatMap((line) => text?.[line - 1]?.slice(0, 500) ?? []);
}
