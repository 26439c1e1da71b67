// Owns the running of a filter over typed columns: compiled once, then one cheap call per row.
import { PART_FIELDS } from '../../shared/http-filter.ts';
import type { Comparison, Condition, HttpFilter, HttpTerm, NumberField, Pattern, RoutePattern, StatusPattern, TextField } from '../../shared/http-filter.ts';
import type { Columns, TextRole } from './columns.ts';
import { derivedTest } from './derived.ts';
import { textTest } from './filter-text.ts';
import type { TextTest } from './filter-text.ts';
import { TextCache } from './text-cache.ts';
import { routeOf } from './route.ts';
import { PLUS_FORMAT } from './rows.ts';

export type RowTest = (columns: Columns, row: number) => boolean;

/** What holds for every row of a file. */
export interface FileWords {
  /** Id of its format; without it IIS's. */
  readonly format?: string;
  readonly source?: string;
  readonly instance?: string;
}

/** A failed request, everywhere: status 500 and above. */
export const FAILED_FROM = 500;

/** True for rows that pass. Has a cache inside: one per thread and file. */
export function compileHttpFilter(filter: HttpFilter, file: FileWords = {}): RowTest {
  const tests = filter.terms.map((term) => compileTerm(term, file)).sort((a, b) => a.cost - b.cost).map((one) => one.test);
  const [first, second] = tests;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  return (columns, row) => {
    for (const test of tests) if (!test(columns, row)) return false;
    return true;
  };
}

interface Priced { readonly test: RowTest; /** Cheap ones run first. */ readonly cost: number }

function compileTerm(term: HttpTerm, file: FileWords): Priced {
  const { test, cost } = compileCondition(term, file);
  return { test: term.not ? (columns, row) => !test(columns, row) : test, cost };
}

function compileCondition(one: Condition, file: FileWords): Priced {
  if (one.field === 'failed') return { test: (columns, row) => (columns.status[row] as number) >= FAILED_FROM, cost: 0 };
  if (one.field === 'is') return { test: some(one.any.map(statusTest)), cost: 0 };
  if (one.field === 'route') return { test: some(one.any.map(routeTest)), cost: 2 };
  if ('compare' in one) return { test: some(one.any.map((value) => numberTest(one.field, one.compare, value))), cost: 0 };
  return { test: some(one.any.map((pattern) => fieldTest(one.field, pattern, file))), cost: one.field === 'text' ? 4 : 3 };
}

function some(tests: readonly RowTest[]): RowTest {
  const [first, ...others] = tests;
  if (first === undefined) return () => false;
  if (others.length === 0) return first;
  return (columns, row) => tests.some((test) => test(columns, row));
}

function statusTest(pattern: StatusPattern): RowTest {
  if ('family' in pattern) {
    const least = pattern.family * 100;
    return ({ status }, row) => { const value = status[row] as number; return value >= least && value < least + 100; };
  }
  const { status: wanted, sub: wantedSub, win32: wantedWin32 } = pattern;
  if (wantedSub === undefined) return ({ status }, row) => status[row] === wanted;
  if (wantedWin32 === undefined) return ({ status, sub }, row) => status[row] === wanted && sub[row] === wantedSub;
  return ({ status, sub, win32 }, row) => status[row] === wanted && sub[row] === wantedSub && win32[row] === wantedWin32;
}

/** A row without the number passes no comparison: missing is not zero. */
function numberTest(field: NumberField, compare: Comparison, value: number): RowTest {
  const column = (columns: Columns, row: number): number => columns[field][row] as number;
  switch (compare) {
    case '=': return (columns, row) => column(columns, row) === value;
    case '>': return (columns, row) => column(columns, row) > value;
    case '>=': return (columns, row) => { const is = column(columns, row); return is >= value && is >= 0; };
    case '<': return (columns, row) => { const is = column(columns, row); return is < value && is >= 0; };
    case '<=': return (columns, row) => { const is = column(columns, row); return is <= value && is >= 0; };
  }
}

function routeTest({ method, route }: RoutePattern): RowTest {
  const methodFits = method === undefined ? undefined : textTest(method === '-' ? [] : [method], { part: false, plusIsSpace: false });
  const routeFits = routeMatcher(route);
  const verdicts = new TextCache((path) => (routeFits(routeOf(path)) ? 1 : 0));
  const withoutPath = routeFits(routeOf('/'));
  return (columns, row) => {
    const { method: methods, path } = columns.text;
    if (methodFits !== undefined && !methodFits(columns.bytes, methods.from[row] as number, methods.to[row] as number)) return false;
    const verdict = verdicts.of(columns, path, row);
    return verdict === undefined ? withoutPath : verdict === 1;
  };
}

/** Routes are names of ours and compared with case, as the report tells them apart. */
function routeMatcher(pattern: Pattern): (route: string) => boolean {
  const [first = '', ...rest] = pattern;
  const last = rest.pop();
  if (last === undefined) return (route) => route === first;
  return (route) => {
    if (route.length < first.length + last.length || !route.startsWith(first) || !route.endsWith(last)) return false;
    let at = first.length;
    for (const piece of rest) {
      const found = route.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= route.length - last.length;
  };
}

/** Where a text without a field is looked for. */
const SEARCHED: readonly TextRole[] = ['path', 'query', 'agent', 'referrer', 'host', 'client'];
const IN_PART: readonly string[] = PART_FIELDS;

function fieldTest(field: TextField, pattern: Pattern, file: FileWords): RowTest {
  if (field === 'family' || field === 'refhost') return derivedTest(field, pattern);
  // A text that is looked for in many places may stand anywhere in them, whatever wildcards it has.
  const fits = textTest(field === 'text' ? ['', ...pattern, ''] : pattern, { part: IN_PART.includes(field), plusIsSpace: (file.format ?? PLUS_FORMAT) === PLUS_FORMAT });
  if (field === 'text') return some(SEARCHED.map((role) => roleTest(role, fits)));
  if (field === 'source' || field === 'instance') {
    const word = Buffer.from(file[field] ?? '');
    const passes = fits(word, 0, word.length);
    return () => passes;
  }
  return roleTest(field, fits);
}

function roleTest(role: TextRole, fits: TextTest): RowTest {
  return (columns, row) => {
    const column = columns.text[role];
    return fits(columns.bytes, column.from[row] as number, column.to[row] as number);
  };
}
