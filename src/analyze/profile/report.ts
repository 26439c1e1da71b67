// Owns the report of a profile: read, its sources found, then hot path, sums, stretches, comparison and the tree for drawing.
import { basename } from 'node:path';
import type { ProfileReport } from '../../shared/profile.ts';
import { plural } from '../../shared/units.ts';
import { changeOf } from './change.ts';
import { columnsOf } from './columns.ts';
import { hotOf } from './hot.ts';
import { SourceFiles, withSources } from './maps.ts';
import { categoriesOf, functionsOf, modulesOf, ownersOf, packagesOf } from './owners.ts';
import { readProfileFile } from './read.ts';
import { stretchesOf } from './stretches.ts';
import type { ProfileTree } from './tree.ts';

const FUNCTIONS = 500;
const MODULES = 200;

/** nodes: how many of the tree at most. */
export interface ProfileOrder { readonly path: string; readonly base?: string | undefined; readonly nodes?: number | undefined }

/** @throws PROFILE_UNREADABLE, what the disk throws */
export async function profileReport(order: ProfileOrder, signal: AbortSignal): Promise<ProfileReport> {
  const tree = await readProfileFile(order.path, signal);
  const base = order.base === undefined ? undefined : { tree: await readProfileFile(order.base, signal), name: basename(order.base) };
  return await reportOf(tree, { file: basename(order.path), base, nodes: order.nodes, signal });
}

export async function reportOf(given: ProfileTree, about: { readonly file: string; readonly base?: { readonly tree: ProfileTree; readonly name: string } | undefined; readonly nodes?: number | undefined; readonly signal?: AbortSignal }): Promise<ProfileReport> {
  const files = new SourceFiles();
  const tree = await withSources(given, files);
  about.signal?.throwIfAborted();
  const owners = ownersOf(tree);
  const { idle, busy } = owners;
  const hot = await hotOf(tree, owners, files);
  const functions = functionsOf(tree);
  const modules = modulesOf(tree);
  const stretches = stretchesOf(tree, owners);
  about.signal?.throwIfAborted();
  const base = about.base === undefined ? undefined : await withSources(about.base.tree, files);
  const short = tree.frames.filter((one) => one.minified === true).length;
  return {
    version: 1, file: about.file, format: tree.format, unit: tree.unit, notes: [...tree.notes, ...(short > 0 ? [`${plural(short, 'function')} of minified files keep their short names: their source maps are not beside them`] : [])],
    nodes: tree.count, samples: tree.sampled, total: idle + busy, idle, busy, ...(tree.samples.length > 0 ? { wallMs: tree.us.reduce((sum, one) => sum + one, 0) / 1e3 } : {}),
    ...(hot === undefined ? {} : { hot }), categories: categoriesOf(tree, owners), modules: modules.slice(0, MODULES), moreModules: Math.max(0, modules.length - MODULES), packages: packagesOf(tree).slice(0, MODULES),
    functions: functions.slice(0, FUNCTIONS), moreFunctions: Math.max(0, functions.length - FUNCTIONS), stretches,
    ...(base === undefined || about.base === undefined ? {} : { change: changeOf(tree, busy, { tree: base, busy: ownersOf(base).busy, name: about.base.name }) }),
    tree: columnsOf(tree, about.nodes),
  };
}
