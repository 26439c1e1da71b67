// Owns where a number of the HTTP report leads: the rows it was counted from, as a filter and a range in the address.
import { DiagError, sayError } from '../../../shared/errors.ts';
import { EVERYTHING, exactly, onRoute, parseHttpFilter, printHttpFilter, withStatus, type HttpFilter, type HttpTerm, type NumberField, type TextField } from '../../../shared/http-filter.ts';
import type { Query, View } from '../../address.ts';
import { formatRange, type Span } from '../../range.ts';
import { viewOf } from '../../router.tsx';

export const FAILED: HttpTerm = { field: 'failed', not: false };
export const status = (key: string): readonly HttpTerm[] => [withStatus(key)];
export const route = (row: { readonly method: string; readonly route: string }): readonly HttpTerm[] => [onRoute(row.method, row.route)];
/** A value as the log has it; "-" is a row without one. */
export const named = (field: TextField, name: string): HttpTerm => (name === '-' || name === '' ? { field, any: [[]], not: false } : exactly(field, name));
export const compared = (field: NumberField, compare: '>=' | '<=', n: number): HttpTerm => ({ field, compare, any: [n], not: false });

/** The rows of some terms, inside what the page shows already; with a span, of that time only. */
export type RowsOf = (terms: readonly HttpTerm[], span?: Span) => View;
export function rowsOf(filter: HttpFilter): RowsOf {
  return (terms, span) => viewOf('observe', { part: 'requests', filter: printHttpFilter({ terms: [...filter.terms, ...terms.filter((t) => !has(filter, t))] }) || undefined, ...(span === undefined ? {} : { range: formatRange({ kind: 'between', ...span }) }) });
}
const has = (filter: HttpFilter, term: HttpTerm): boolean => filter.terms.some((t) => JSON.stringify(t) === JSON.stringify(term));

/** The filter of an address as its reader wrote it. Older addresses said failed, status and route in words of their own. */
export function filterText(query: Query): string {
  if (query['filter'] !== undefined) return query['filter'];
  const { failed, status: key, route: path } = query;
  return [failed === '1' ? 'failed' : '', key === undefined || key === '' ? '' : `status:${key.split(/[.·\s]+/).filter(Boolean).join('.')}`, path === undefined || path === '' ? '' : printHttpFilter({ terms: [{ field: 'route', any: [{ route: [path, ''] }], not: false }] })].filter((w) => w !== '').join(' ');
}

export interface Read { readonly filter: HttpFilter; readonly fault?: string }
/** What a text says, or why it says nothing: in words, with the place. */
export function readFilter(text: string): Read {
  try {
    return { filter: parseHttpFilter(text) };
  } catch (error) {
    if (error instanceof DiagError) return { filter: EVERYTHING, fault: sayError(error) };
    throw error;
  }
}
