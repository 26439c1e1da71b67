// Owns the way from a place to a root and judged names: which roots there are, and what of them is the agent's own.
import { relative, sep, isAbsolute } from 'node:path';
import { DiagError } from '../../shared/errors.ts';
import type { FileRoot, Place, Private } from './door.ts';
import { realRoot } from './hold.ts';
import { judgePath, sameName, within, type PathRules } from './path-guard.ts';

/** look: to read; change: to write it, or something in it; uproot: to remove or move it with all below. */
export type Use = 'look' | 'change' | 'uproot';

/** A place that was judged. */
export interface Spot {
  readonly root: string;
  /** The root's own folder, without links. */
  readonly folder: string;
  readonly parts: readonly string[];
  /** As a user wrote it, for errors. */
  readonly path: string;
}

export class Places {
  readonly #roots: ReadonlyMap<string, FileRoot>;
  readonly #own: Private | undefined;
  readonly #real = new Map<string, Promise<{ folder: string; own: readonly string[] | undefined }>>();
  readonly rules: PathRules;

  /** own.path is absolute. */
  constructor(roots: readonly FileRoot[], own: Private | undefined, rules: PathRules) {
    this.#roots = new Map(roots.map((root) => [root.name, root]));
    this.#own = own;
    this.rules = rules;
  }

  /** @throws ROOT_UNKNOWN, PATH_REFUSED, FILE_PRIVATE */
  async spot(place: Place, use: Use): Promise<Spot> {
    const root = this.#roots.get(place.root);
    if (root === undefined) throw new DiagError('ROOT_UNKNOWN', { root: place.root.slice(0, 100) });
    const judged = judgePath(place.path, this.rules);
    if ('refused' in judged) throw new DiagError('PATH_REFUSED', { path: place.path.slice(0, 300), why: judged.refused });
    const { parts } = judged;
    if (use === 'uproot' && parts.length === 0) throw new DiagError('PATH_REFUSED', { path: root.title, why: 'a root itself is neither moved nor removed' });
    const { folder, own } = await this.#realOf(root);
    if (own !== undefined && this.#isOwn(parts, own, use)) throw new DiagError('FILE_PRIVATE', { path: place.path });
    return { root: root.name, folder, parts, path: parts.join('/') };
  }

  /** Why a name in a folder is not for users; undefined when it is. */
  async closed(spot: Spot, name: string): Promise<string | undefined> {
    const root = this.#roots.get(spot.root);
    const own = root === undefined ? undefined : (await this.#realOf(root)).own;
    return own !== undefined && this.#isOwn([...spot.parts, name], own, 'look') ? 'it belongs to this agent' : undefined;
  }

  /** Whether a folder has private parts at or below a name: a walk asks before it goes down. */
  async hides(spot: Spot): Promise<(parts: readonly string[]) => boolean> {
    const root = this.#roots.get(spot.root);
    const own = root === undefined ? undefined : (await this.#realOf(root)).own;
    return own === undefined ? () => false : (parts) => this.#isOwn(parts, own, 'look');
  }

  #isOwn(parts: readonly string[], own: readonly string[], use: Use): boolean {
    if (use === 'uproot' && within(own, parts)) return true;
    if (!within(parts, own)) return false;
    if (use !== 'look') return true;
    const name = parts[own.length];
    return name !== undefined && !(this.#own?.readable.some((one) => sameName(one, name)) ?? false);
  }

  #realOf(root: FileRoot): Promise<{ folder: string; own: readonly string[] | undefined }> {
    const known = this.#real.get(root.name) ?? this.#find(root);
    this.#real.set(root.name, known);
    known.catch(() => { this.#real.delete(root.name); });      // its folder may be made later
    return known;
  }

  async #find(root: FileRoot): Promise<{ folder: string; own: readonly string[] | undefined }> {
    const folder = await realRoot(root.path).catch((error: unknown) => { throw new DiagError('FILE_UNKNOWN', { path: root.title }, { cause: error }); });
    if (this.#own === undefined) return { folder, own: undefined };
    const below = relative(folder, await realRoot(this.#own.path).catch(() => this.#own?.path ?? ''));
    const isInside = below === '' || (below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below));
    return { folder, own: isInside ? below.split(sep).filter((part) => part !== '') : undefined };
  }
}
