// Owns the question whether a known block can hold a row that a filter lets through: a no is certain, a yes is not.
import type { HttpFilter, HttpTerm } from '../../../shared/http-filter.ts';
import { newColumns } from '../columns.ts';
import { FAILED_FROM, compileHttpFilter } from '../filter.ts';
import { hasBit, inBloom, nameHash, pairHash } from './block-index.ts';
import type { BlockIndex, StatusKey } from './block-index.ts';

const ALL_BITS = 64;

/** Only of known blocks. */
export type BlockTest = (block: number) => boolean;

export interface Wanted { readonly filter: HttpFilter; readonly from: number; readonly to: number }

export function blockTest(index: BlockIndex, { filter, from, to }: Wanted): BlockTest {
  const passing = passingKeys(filter, index.keys);
  const failing = index.keys.map(({ status }) => status >= FAILED_FROM);
  const leastTaken = least(filter);
  const routes = hashesOf(filter, routeHashes);
  const clients = hashesOf(filter, clientHashes);
  return (block) => {
    const { columns } = index;
    if (columns.rows[block] === 0 || (columns.lastAt[block] as number) < from || (columns.firstAt[block] as number) > to) return false;
    if ((columns.maxTaken[block] as number) < leastTaken) return false;
    let some = false;
    let onlyFailed = true;
    for (let bit = 0; bit < ALL_BITS; bit += 1) {
      // A bit without a key stands for all keys that had no room.
      if (!hasBit(columns.statuses, block * 2, bit) || passing[bit] === false) continue;
      some = true;
      if (failing[bit] !== true) onlyFailed = false;
    }
    if (!some) return false;
    if (!onlyFailed) return true;
    return routes.every((any) => any.some((hash) => inBloom(columns.failedRoutes, block, hash))) && clients.every((any) => any.some((hash) => inBloom(columns.failedClients, block, hash)));
  };
}

/** Which keys pass all that the filter says about status, sub-status and win32 status. */
function passingKeys(filter: HttpFilter, keys: readonly StatusKey[]): readonly boolean[] {
  const terms = filter.terms.filter((term) => term.field === 'failed' || term.field === 'is' || term.field === 'status' || term.field === 'sub' || term.field === 'win32');
  const test = compileHttpFilter({ terms });
  const one = newColumns(undefined, 1);
  one.rows = 1;
  return keys.map(({ status, sub, win32 }) => {
    one.status[0] = status;
    one.sub[0] = sub;
    one.win32[0] = win32;
    return test(one, 0);
  });
}

/** The time-taken that every row has at least; 0 when the filter does not say. */
function least(filter: HttpFilter): number {
  let found = 0;
  for (const term of filter.terms) {
    if (term.not || term.field !== 'taken' || !('compare' in term) || term.compare === '<' || term.compare === '<=') continue;
    found = Math.max(found, Math.min(...term.any));
  }
  return found;
}

/** For each term that can be looked up: hashes of which one at least must be there. */
function hashesOf(filter: HttpFilter, hashes: (term: HttpTerm) => readonly number[] | undefined): readonly (readonly number[])[] {
  return filter.terms.filter((term) => !term.not).flatMap((term) => {
    const found = hashes(term);
    return found === undefined ? [] : [found];
  });
}

/** Texts whose bytes and hash say the same: other signs may be spelled in several ways. */
const PLAIN = /^[\w.:[\]%-]+$/;

function routeHashes(term: HttpTerm): readonly number[] | undefined {
  if (term.field !== 'route' || term.any.some(({ method, route }) => route.length !== 1 || (method !== undefined && !PLAIN.test(method)))) return undefined;
  return term.any.map(({ method, route }) => {
    const hash = nameHash(route[0] ?? '');
    return method === undefined ? hash : pairHash(nameHash(method), hash);
  });
}

function clientHashes(term: HttpTerm): readonly number[] | undefined {
  if (term.field !== 'client' || term.any.some((pattern) => pattern.length !== 1 || !PLAIN.test((pattern as readonly string[])[0] ?? ''))) return undefined;
  return term.any.map((pattern) => nameHash((pattern as readonly string[])[0] ?? ''));
}
