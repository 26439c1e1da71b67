// Owns what the time under a function goes into, told from the names of Node's own calls below it and from its lines; and the advice that fits.
import type { ProfileSign } from '../../shared/profile.ts';
import { frameOf, upwards, type Frame, type ProfileTree } from './tree.ts';
import type { Owners } from './owners.ts';

interface Known { readonly sign: ProfileSign; fits(frame: Frame): boolean }
const at = (url: RegExp, name = /./) => (frame: Frame): boolean => url.test(frame.url) && name.test(frame.name);
/** The first that fits a frame between the sample and its owner. */
const KNOWN: readonly Known[] = [
  { sign: 'regex', fits: (frame) => frame.name.startsWith('RegExp: ') },
  { sign: 'json', fits: (frame) => frame.url === '' && /^(?:JSON\.)?(?:parse|stringify|JsonParse|JsonStringify)$|Builtin:Json/.test(frame.name) },
  { sign: 'sync-child', fits: at(/^node:(?:internal\/)?child_process/) },
  { sign: 'sync-compress', fits: at(/^node:(?:internal\/)?zlib/) },
  { sign: 'sync-crypto', fits: at(/^node:(?:internal\/)?crypto/) },
  { sign: 'sync-io', fits: at(/^node:(?:internal\/)?fs/, /Sync$|^(?:readFileUtf8|writeFileUtf8|tryReadSync|tryStatSync)/) },
  { sign: 'modules', fits: at(/^node:internal\/modules/) },
  { sign: 'logging', fits: at(/^node:internal\/(?:console|util\/inspect)/) },
  { sign: 'compile', fits: at(/^node:(?:internal\/)?vm/) },
  { sign: 'copy', fits: (frame) => frame.name === 'structuredClone' },
];
const ENOUGH = 0.3;
/** All code makes garbage: below this share it is not what the time goes into. */
const GARBAGE = 0.45;
const DEEP = 3;

export interface Cause { readonly sign: ProfileSign; readonly detail?: string; readonly share: number }

/** `lines`: the text of the lines on which the samples of the function fell, and of the one that calls it. */
export function signOf(tree: ProfileTree, owners: Owners, key: number, given: { readonly own: readonly string[]; readonly caller: readonly string[]; readonly collected: number }): Cause {
  if (tree.unit === 'bytes') return { sign: 'allocation', share: 1 };
  const bySign = new Map<ProfileSign, { amount: number; detail: Map<string, number> }>();
  let all = given.collected, deep = 0;
  const note = (sign: ProfileSign, amount: number, detail: string): void => { const one = bySign.get(sign) ?? { amount: 0, detail: new Map<string, number>() }; one.amount += amount; one.detail.set(detail, (one.detail.get(detail) ?? 0) + amount); bySign.set(sign, one); };
  for (let node = 0; node < tree.count; node += 1) {
    const own = owners.owner[node] as number;
    const self = tree.self[node] as number;
    if (self <= 0 || own < 0 || tree.frame[own] !== key) continue;
    all += self;
    if (depthOf(tree, own, key) >= DEEP) deep += self;
    const found = below(tree, node, own);
    if (found !== undefined) note(found.sign, self, found.detail);
  }
  if (given.collected >= all * GARBAGE) note('gc', given.collected, '');
  const [most] = [...bySign].sort((a, b) => b[1].amount - a[1].amount);
  if (most !== undefined && most[1].amount >= all * ENOUGH) { const [detail = ''] = [...most[1].detail].sort((a, b) => b[1] - a[1])[0] ?? []; return { sign: most[0], share: most[1].amount / all, ...(detail === '' ? {} : { detail }) }; }
  return { sign: byText(frameOf(tree, ownNode(tree, key)), given, deep >= all * ENOUGH), share: 1 };
}

function ownNode(tree: ProfileTree, key: number): number {
  return Math.max(0, tree.frame.indexOf(key));
}

/** How often the function stands on the stack, counted to a few. */
function depthOf(tree: ProfileTree, node: number, key: number): number {
  let depth = 0;
  for (const up of upwards(tree, node)) if (tree.frame[up] === key && (depth += 1) >= DEEP) break;
  return depth;
}

function below(tree: ProfileTree, node: number, owner: number): { sign: ProfileSign; detail: string } | undefined {
  let found: { sign: ProfileSign; detail: string } | undefined;
  let outer = '';
  for (const up of upwards(tree, node)) {
    if (up === owner) break;
    const frame = frameOf(tree, up);
    found ??= KNOWN.flatMap(({ sign, fits }) => (fits(frame) ? [{ sign, detail: frame.name }] : []))[0];
    outer = frame.name;
  }
  // What the app itself called is what its owner knows; of a regular expression its text.
  return found === undefined || found.sign === 'regex' ? found : { sign: found.sign, detail: outer };
}

function byText(frame: Frame, { own, caller }: { readonly own: readonly string[]; readonly caller: readonly string[] }, isDeep: boolean): ProfileSign {
  if (frame.name.startsWith('get ')) return 'getter';
  if (own.some((line) => /\bJSON\s*\.\s*(?:parse|stringify)\b/.test(line))) return 'json';
  if (own.some((line) => /\bnew\s+Function\b|\beval\s*\(|\bFunction\s*\(|\bcompileFunction\b/.test(line))) return 'compile';
  if (own.some((line) => /\bstructuredClone\b/.test(line))) return 'copy';
  if (caller.some((line) => /\.(?:sort|toSorted)\s*\(/.test(line))) return 'sort';
  return isDeep ? 'recursion' : 'own-code';
}

/** In words after "nearly all of it in"; of what the function itself is, a clause of its own. */
export function signWords({ sign, detail }: Cause): string {
  const name = detail === undefined ? '' : `\`${detail.replaceAll('`', "'").slice(0, 80)}\``;
  const words: Readonly<Record<ProfileSign, string>> = {
    regex: `the regular expression \`/${(detail ?? '').replace(/^RegExp: /, '').replaceAll('`', "'").slice(0, 80)}/\``, json: 'JSON', 'sync-io': `the synchronous file call ${name}`, 'sync-crypto': `the synchronous crypto call ${name}`,
    'sync-compress': `the synchronous compression ${name}`, 'sync-child': `waiting for a child program (${name})`, compile: 'compiling code from text', recursion: ', calling itself', sort: ', once for each comparison of a sort', getter: ', computed anew at each look',
    logging: `printing objects (${name})`, copy: 'copying a structure', modules: 'loading modules', gc: 'collecting the garbage it makes', 'own-code': 'its own code', allocation: 'what it allocates',
  };
  return words[sign];
}

export const ADVICE: Readonly<Record<ProfileSign, string>> = {
  regex: 'Rewrite the expression so that no repetition stands inside another, bound the length of its input, or match with a linear-time engine (re2).',
  json: 'Make the object smaller (pages, chosen fields), keep the text that was made, or stream it; for large ones use a worker thread.',
  'sync-io': 'Use the asynchronous call of the same name (node:fs/promises), or read the file once at the start and keep it.',
  'sync-crypto': 'Use the asynchronous form of the call: it works on the thread pool, and the event loop goes on.',
  'sync-compress': 'Use the asynchronous form or a stream of node:zlib, lower the level, or keep the compressed answer.',
  'sync-child': 'Start the program asynchronously (spawn, execFile), and keep its answer where it does not change.',
  compile: 'Compile templates and functions once, at the start, and keep what was compiled.',
  recursion: 'Copy or walk only what changes, bound the depth and the size, or cut the work into pieces that let the event loop in between.',
  sort: 'Compute the keys once before sorting, compare plain values, or let the database sort; sort less than everything where only the first are shown.',
  getter: 'Compute the value once when it changes and keep it, rather than at every look.',
  logging: 'Log fewer fields and levels, without inspecting whole objects; let a logger of JSON with an asynchronous destination write.',
  copy: 'Copy only what changes, or share what nobody changes.',
  modules: 'Load modules at the start, not while requests are answered.',
  gc: 'Make fewer objects that live for a while: reuse them, keep columns of numbers rather than objects, and bound what is remembered; a heap snapshot shows what fills the heap.',
  'own-code': 'Do this work less often or on less: keep the result, bound the input, keep the objects it sees of one shape, or move it to a worker thread or cut it into pieces.',
  allocation: 'Look at what this function keeps: a heap snapshot names who holds it; reuse or bound what it makes.',
};
