// Owns the way through all folders below one: each held while it is worked on, links never entered, what cannot be read told.
import { DiagError } from '../../shared/errors.ts';
import type { Name } from './door.ts';
import type { Held } from './hold.ts';
import { namesIn } from './look.ts';
import { nameFault, type PathRules } from './path-guard.ts';

export interface Folder {
  readonly held: Held;
  /** Names from where the walk began. */
  readonly parts: readonly string[];
  /** What is in it, sorted, without what is hidden. */
  readonly names: readonly Name[];
}

export interface Walk {
  readonly signal: AbortSignal;
  /** By which a name must be one that a path may have; undefined: any. */
  readonly rules: PathRules | undefined;
  /** Parts of the agent's own, which no walk enters or gives. */
  hides(parts: readonly string[]): boolean;
  /** Before the folders in it. */
  enter(folder: Folder): Promise<void>;
  /** After all that is in it; with the folder above it, held. */
  leave?(above: Held, name: string, parts: readonly string[]): Promise<void>;
  /** A folder or name that is left out, and why. */
  leftOut(parts: readonly string[], error: unknown): void;
}

/** Deeper than any path may be that a user names. */
const MAX_DEPTH = 200;

export async function walk(held: Held, how: Walk, parts: readonly string[] = []): Promise<void> {
  how.signal.throwIfAborted();
  const names = await readable(held, how, parts);
  if (names === undefined) return;
  await how.enter({ held, parts, names });
  for (const { name, kind } of names) {
    if (kind !== 'folder') continue;
    const below = [...parts, name];
    if (below.length > MAX_DEPTH) { how.leftOut(below, new DiagError('PATH_REFUSED', { path: name, why: `it lies more than ${MAX_DEPTH} folders deep` })); continue; }
    await into(held, name, how, below);
  }
}

async function into(held: Held, name: string, how: Walk, below: readonly string[]): Promise<void> {
  let inner: Held;
  try {
    inner = await held.down(name);
  } catch (error) {
    how.leftOut(below, error);
    return;
  }
  try {
    await walk(inner, how, below);
  } finally {
    await inner.letGo();
  }
  await how.leave?.(held, name, below);
}

async function readable(held: Held, how: Walk, parts: readonly string[]): Promise<Name[] | undefined> {
  try {
    const { names, more } = await namesIn(held, parts.join('/'), how.signal);
    if (more) how.leftOut(parts, new DiagError('BAD_INPUT', { why: 'the folder has more names than are read' }));
    return names.filter(({ name }) => wanted(name, how, parts));
  } catch (error) {
    how.signal.throwIfAborted();
    how.leftOut(parts, error);
    return undefined;
  }
}

function wanted(name: string, how: Walk, parts: readonly string[]): boolean {
  const below = [...parts, name];
  if (how.hides(below)) { how.leftOut(below, new DiagError('FILE_PRIVATE', { path: below.join('/') })); return false; }
  const why = how.rules === undefined || name.includes('\ufffd') ? undefined : nameFault(name, how.rules);
  if (why !== undefined) how.leftOut(below, new DiagError('PATH_REFUSED', { path: name, why }));
  return why === undefined;
}
