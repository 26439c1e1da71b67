// Owns the filter language of HTTP rows, one for page, API and command line: text in, checked terms out, and back to text.
import { DiagError } from './errors.ts';

/** Longer filters are refused; a person writes a hundred characters. */
export const MAX_FILTER_CHARS = 2_000;
const MAX_TERMS = 32;
const MAX_VALUES = 64;

/** Texts compared as a whole, ASCII letters without case; `*` stands for anything. family: of the user agent; refhost: the host a user came from, both as the report tells them apart. */
export const WHOLE_FIELDS = ['method', 'path', 'client', 'host', 'site', 'instance', 'source', 'family', 'refhost'] as const;
/** Texts in which the value may stand anywhere, unless it has a `*`. */
export const PART_FIELDS = ['agent', 'query', 'referrer', 'upstream', 'text'] as const;
export const NUMBER_FIELDS = ['status', 'sub', 'win32', 'taken', 'sent', 'received'] as const;
export type TextField = (typeof WHOLE_FIELDS)[number] | (typeof PART_FIELDS)[number];
export type NumberField = (typeof NUMBER_FIELDS)[number];
export type Comparison = '>' | '>=' | '<' | '<=' | '=';

const NUMBERS: readonly string[] = NUMBER_FIELDS;
const FIELDS: readonly string[] = ['route', ...NUMBER_FIELDS, ...WHOLE_FIELDS, ...PART_FIELDS];

/** What stands between the wildcards: `['a']` is a itself, `['a', '']` begins with a. Empty: the row does not have the text, written `-`. */
export type Pattern = readonly string[];
/** `5xx` is a family; else a status, with its sub-status and win32 status where they are named. */
export type StatusPattern = { readonly family: number } | { readonly status: number; readonly sub?: number; readonly win32?: number };
/** Method `-`: a row without one. */
export interface RoutePattern { readonly method?: string; readonly route: Pattern }

export type Condition =
  | { readonly field: 'failed' }
  | { readonly field: 'is'; readonly any: readonly StatusPattern[] }
  | { readonly field: 'route'; readonly any: readonly RoutePattern[] }
  | { readonly field: TextField; readonly any: readonly Pattern[] }
  | { readonly field: NumberField; readonly compare: Comparison; readonly any: readonly number[] };
/** `not` turns the condition round: it then holds for rows that lack the field, too. */
export type HttpTerm = Condition & { readonly not: boolean };
/** A row passes when every term holds. */
export interface HttpFilter { readonly terms: readonly HttpTerm[] }

export const EVERYTHING: HttpFilter = { terms: [] };

interface Place { readonly text: string; at: number }
interface Value { readonly pieces: Pattern; readonly plain: string; readonly at: number; readonly quoted: boolean }

/** @throws HTTP_FILTER_BAD with the place (the first character is 1) and the reason */
export function parseHttpFilter(text: string): HttpFilter {
  if (text.length > MAX_FILTER_CHARS) bad(MAX_FILTER_CHARS, `it has ${text.length} characters, at most ${MAX_FILTER_CHARS} are read`);
  const place: Place = { text, at: 0 };
  const terms: HttpTerm[] = [];
  for (skipSpace(place); place.at < text.length; skipSpace(place)) {
    if (terms.length === MAX_TERMS) bad(place.at, `it has more than ${MAX_TERMS} terms`);
    terms.push(term(place));
  }
  return { terms };
}

function term(place: Place): HttpTerm {
  const not = place.text[place.at] === '-';
  if (not) place.at += 1;
  const start = place.at;
  const head = /^([A-Za-z][A-Za-z0-9]*)(:|>=|<=|>|<|=)/.exec(place.text.slice(start, start + 40));
  const name = head?.[1]?.toLowerCase() ?? '';
  // `id=17` is mostly a piece of a query.
  if (head === null || (head[2] === '=' && !FIELDS.includes(name))) return { ...bareTerm(place), not };
  place.at += head[0].length;
  const sign = head[2] === '=' && !NUMBERS.includes(name) ? ':' : head[2] as ':' | Comparison;
  return { ...condition(place, name, sign, start), not };
}

function bareTerm(place: Place): Condition {
  const value = readValue(place, false);
  if (value.plain === '' || (value.pieces.length === 0)) bad(value.at, 'a text to look for is missing here');
  return !value.quoted && value.plain === 'failed' ? { field: 'failed' } : { field: 'text', any: [value.pieces] };
}

function condition(place: Place, name: string, sign: ':' | Comparison, start: number): Condition {
  if (sign !== ':') {
    const field = NUMBER_FIELDS.find((one) => one === name) ?? bad(start, `${name} is not a number (those are ${NUMBER_FIELDS.join(', ')}): write ${name}:value, or put the text into quotes`);
    return { field, compare: sign, any: [numberOf(field, readValue(place, true))] };
  }
  const values = readValues(place);
  if (name === 'status') return { field: 'is', any: values.map(statusOf) };
  if (name === 'route') return { field: 'route', any: values.map(routeOfValue) };
  const text = [...WHOLE_FIELDS, ...PART_FIELDS].find((one) => one === name);
  const none = name === 'text' ? values.find((value) => value.pieces.length === 0) : undefined;
  if (none !== undefined) bad(none.at, 'a text to look for is missing here: put - into quotes');
  if (text !== undefined) return { field: text, any: values.map((value) => value.pieces) };
  const number = NUMBER_FIELDS.find((one) => one === name);
  if (number !== undefined) return { field: number, compare: '=', any: values.map((value) => numberOf(number, value)) };
  return bad(start, `there is no field ${name} (there are ${FIELDS.join(', ')}); put a text to look for into quotes`);
}

function readValues(place: Place): readonly Value[] {
  const values = [readValue(place, true)];
  while (place.text[place.at] === ',') {
    place.at += 1;
    if (values.length === MAX_VALUES) bad(place.at, `a term has more than ${MAX_VALUES} values`);
    values.push(readValue(place, true));
  }
  const empty = values.find((value) => value.plain === '' && !value.quoted);
  if (empty !== undefined) bad(empty.at, 'a value is missing here');
  return values;
}

/** A bare value ends at a space (in a list at a comma too), a quoted one at its quote; `\` takes the sign from `"`, `*`, `,`, `\` and the space. */
function readValue(place: Place, list: boolean): Value {
  const { text } = place;
  const start = place.at;
  const quoted = text[start] === '"';
  if (quoted) place.at += 1;
  const pieces = [''];
  let plain = '';
  for (; place.at < text.length; place.at += 1) {
    const sign = text[place.at] as string;
    if (quoted ? sign === '"' : /\s/.test(sign) || (list && sign === ',')) break;
    if (sign === '"') bad(place.at, 'a quote begins in the middle of a value: put the whole value into quotes');
    const next = text[place.at + 1] ?? '';
    const escaped = sign === '\\' && '"*,\\ '.includes(next) && next !== '';
    if (escaped) place.at += 1;
    plain += escaped ? next : sign;
    if (sign === '*') pieces.push(''); else pieces[pieces.length - 1] += escaped ? next : sign;
  }
  if (quoted) {
    if (place.at >= text.length) bad(start, 'the quote that begins here does not end');
    place.at += 1;
    const after = text[place.at];
    if (after !== undefined && !/\s/.test(after) && !(list && after === ',')) bad(place.at, 'a space is missing after the quote');
  }
  return { pieces: !quoted && plain === '-' ? [] : merged(pieces), plain, at: start, quoted };
}

/** Several wildcards in a row are one. */
function merged(pieces: readonly string[]): Pattern {
  return pieces.filter((piece, i) => piece !== '' || i === 0 || i === pieces.length - 1);
}

function statusOf(value: Value): StatusPattern {
  const family = /^([0-9])xx$/i.exec(value.plain)?.[1];
  if (family !== undefined) return { family: Number(family) };
  const parts = /^(\d{1,3})(?:\.(\d{1,9})(?:\.(\d{1,10}))?)?$/.exec(value.plain);
  if (parts === null) return bad(value.at, 'a status is 5xx, 502, 502.3 or 502.3.12030');
  const [, status, sub, win32] = parts;
  return { status: Number(status), ...(sub === undefined ? {} : { sub: Number(sub) }), ...(win32 === undefined ? {} : { win32: Number(win32) }) };
}

function routeOfValue(value: Value): RoutePattern {
  const [first = '', ...rest] = value.pieces;
  const method = /^([^\s/]{1,32}) /.exec(first)?.[1];
  if (value.pieces.length === 0) return bad(value.at, 'every row has a route');
  return method === undefined ? { route: value.pieces } : { method, route: [first.slice(method.length + 1), ...rest] };
}

const UNIT_MS: Readonly<Record<string, number>> = { '': 1, 'ms': 1, 's': 1_000, 'm': 60_000 };

function numberOf(field: NumberField, value: Value): number {
  const parts = /^(\d{1,15}(?:\.\d{1,6})?)(ms|s|m)?$/.exec(value.plain);
  if (parts === null) return bad(value.at, `${field} takes a number${field === 'taken' ? ' of ms, or with s or m behind it' : ''}`);
  if (parts[2] !== undefined && field !== 'taken') return bad(value.at, `${field} has no unit ${parts[2]}`);
  const number = Number(parts[1]) * (UNIT_MS[parts[2] ?? ''] as number);
  return number < 1e15 ? number : bad(value.at, `${field} is too large`);
}

function skipSpace(place: Place): void {
  while (/\s/.test(place.text[place.at] ?? '')) place.at += 1;
}

function bad(at: number, why: string): never {
  throw new DiagError('HTTP_FILTER_BAD', { at: at + 1, why });
}

/** The filter as text; parsing it gives the same filter. */
export function printHttpFilter(filter: HttpFilter): string {
  return filter.terms.map((one) => `${one.not ? '-' : ''}${printCondition(one)}`).join(' ');
}

function printCondition(one: Condition): string {
  if (one.field === 'failed') return 'failed';
  if (one.field === 'is') return `status:${one.any.map(printStatus).join(',')}`;
  if (one.field === 'route') return `route:${one.any.map(({ method, route }) => printPattern(method === undefined ? route : [`${method} ${route[0] ?? ''}`, ...route.slice(1)])).join(',')}`;
  if ('compare' in one) return one.compare === '=' && one.field !== 'status' ? `${one.field}:${one.any.join(',')}` : `${one.field}${one.compare}${one.any[0] ?? 0}`;
  return `${one.field}:${one.any.map(printPattern).join(',')}`;
}

function printStatus(one: StatusPattern): string {
  if ('family' in one) return `${one.family}xx`;
  return [one.status, one.sub, one.win32].filter((part) => part !== undefined).join('.');
}

function printPattern(pieces: Pattern): string {
  if (pieces.length === 0) return '-';
  const text = pieces.map((piece) => piece.replace(/[\\"*]/g, (sign) => `\\${sign}`)).join('*');
  return text === '' || text === '-' || /[\s,"]/.test(text) ? `"${text}"` : text;
}

/** A text as it stands, for a term that a page or program makes of a figure: a `*` in it is one. */
export function exactly(field: TextField, text: string): HttpTerm {
  return { field, any: [[text]], not: false };
}

/** All rows of one route of the report. */
export function onRoute(method: string, route: string): HttpTerm {
  return { field: 'route', any: [{ method, route: [route] }], not: false };
}

/** All rows with one status key of the report, such as "502.3.12030". @throws HTTP_FILTER_BAD when it is none */
export function withStatus(key: string): HttpTerm {
  return { field: 'is', any: [statusOf({ pieces: [key], plain: key, at: 0, quoted: true })], not: false };
}

/** Both filters hold. */
export function both(one: HttpFilter, other: HttpFilter): HttpFilter {
  return { terms: [...one.terms, ...other.terms] };
}
