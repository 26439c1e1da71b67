// Owns the way from a row to a RequestRow: masking, cutting, words; and which rows are not the site's own.
import { maskQuery, maskUrl } from '../../shared/mask.ts';
import type { RequestRow } from '../../shared/model.ts';
import { ABSENT, NO_UPSTREAM, hashOf } from './columns.ts';
import type { Columns, TextColumn, TextRole } from './columns.ts';
import { RouteFold } from './figures/fold.ts';
import { meaning } from './meaning.ts';
import { Words, decode } from './words.ts';

export { decode } from './words.ts';

/** Rows of the SCM site (Kudu, and we inside it) say so in s-sitename. */
const SCM_SITE = '~1';
/** Requests the agent itself makes carry this user agent. */
export const OWN_USER_AGENT = 'app-service-diag/';

/** Texts of rows are kept in memory by the thousand: longer ones are cut. */
const MAX_PATH = 1_000, MAX_QUERY = 1_000, MAX_AGENT = 300, MAX_HOST = 255, MAX_CLIENT = 64, MAX_METHOD = 32, MAX_REFERRER = 300, MAX_UPSTREAM = 200;

/** The one format that writes `+` for each space of a text. Elsewhere a `+` is one. */
export const PLUS_FORMAT = 'iis-w3c';

/** The SCM site's row, or one of our own requests: left out of all figures, and counted. */
export function leftOut(columns: Columns, row: number): boolean {
  return begins(columns, columns.text.site, row, SCM_SITE) || begins(columns, columns.text.agent, row, OWN_USER_AGENT);
}

function begins({ bytes }: Columns, { from, to }: TextColumn, row: number, ascii: string): boolean {
  const start = from[row] as number;
  if ((to[row] as number) - start < ascii.length) return false;
  for (let i = 0; i < ascii.length; i += 1) if (bytes[start + i] !== ascii.charCodeAt(i)) return false;
  return true;
}

/** Text of a column; undefined when the row does not have it. */
export function textOf(columns: Columns, role: TextRole, row: number): string | undefined {
  const column = columns.text[role];
  const from = column.from[row] as number;
  const to = column.to[row] as number;
  return to <= from ? undefined : decode(columns.bytes, from, to);
}

/** Strings that many rows share. */
const methods = new Words(32, (text) => cut(text, MAX_METHOD));
const hosts = new Words(64, (text) => cut(text, MAX_HOST));
const clients = new Words(512, (text) => cut(text, MAX_CLIENT));
const referrers = new Words(256, (text) => cleanReferrer(text));
const agents = new Words(256, (text) => cut(text, MAX_AGENT));
const plusAgents = new Words(256, (text) => cut(text.replaceAll('+', ' '), MAX_AGENT));
const routes = new Words(512, (text) => text);
const fold = new RouteFold();

/** The row as it is shown: secrets of queries masked, IIS's `+` of the user agent a space, the platform's X-ARR-LOG-ID taken off. `format`: id of the format it was read as; without it IIS's. */
export function requestRow(columns: Columns, row: number, source: string, format = PLUS_FORMAT): RequestRow {
  const { text } = columns;
  const number = (column: Float64Array | Int32Array): number => column[row] as number;
  const made: RequestRow = {
    at: number(columns.at), method: methods.of(columns, text.method, row) ?? '-', path: pathOf(columns.bytes, text.path.from[row] as number, text.path.to[row] as number), route: routeAt(columns, row),
    status: number(columns.status), source, offset: number(columns.offset),
  };
  const sub = number(columns.sub), win32 = number(columns.win32), taken = number(columns.taken), sent = number(columns.sent), received = number(columns.received);
  if (sub !== ABSENT) made.sub = sub;
  if (win32 !== ABSENT) made.win32 = win32;
  if (taken !== ABSENT) made.takenMs = taken;
  if (sent !== ABSENT) made.sentBytes = sent;
  if (received !== ABSENT) made.receivedBytes = received;
  const { upstream } = columns;
  if (upstream !== undefined) {
    const upstreamStatus = number(upstream.status), upstreamMs = number(upstream.taken);
    if (upstreamStatus > NO_UPSTREAM) made.upstreamStatus = upstreamStatus;
    if (upstreamMs !== ABSENT) made.upstreamMs = upstreamMs;
  }
  addTexts(made, columns, row, format === PLUS_FORMAT ? plusAgents : agents);
  const reason = meaning(made.status, made.sub, made.win32, made.takenMs);
  if (reason !== undefined) made.reason = reason.says;
  return made;
}

/** The path that a row shows. */
export function pathOf(bytes: Uint8Array, from: number, to: number): string {
  return to <= from ? '/' : cut(decode(bytes, from, to), MAX_PATH);
}

function addTexts(made: RequestRow, columns: Columns, row: number, agentWords: Words): void {
  const { text } = columns;
  const query = cleanQuery(textOf(columns, 'query', row));
  if (query !== undefined) made.query = query;
  const client = clients.of(columns, text.client, row);
  if (client !== undefined) made.client = client;
  const agent = agentWords.of(columns, text.agent, row);
  if (agent !== undefined) made.userAgent = agent;
  const host = hosts.of(columns, text.host, row);
  if (host !== undefined) made.host = host;
  const referrer = referrers.of(columns, text.referrer, row);
  if (referrer !== undefined) made.referrer = referrer;
  const upstream = textOf(columns, 'upstream', row);
  if (upstream !== undefined) made.upstream = cut(upstream, MAX_UPSTREAM);
}

/** routeOf() of the row's path. */
function routeAt(columns: Columns, row: number): string {
  const { from, to } = columns.text.path;
  const begin = from[row] as number, end = to[row] as number;
  if (end <= begin) return '/';
  const size = fold.write(0, columns.bytes, begin, end);
  return routes.at(fold.bytes, 0, size, hashOf(fold.bytes, 0, size));
}

/** What the platform's front end adds. */
const LOG_ID = /(?:^|&)X-ARR-LOG-ID=/i;
/** Pairs of which no value can be a secret by its form: those are longer or have other signs. */
const PLAIN_PAIRS = /^\w{1,32}=\w{0,19}(?:&\w{1,32}=\w{0,19}){0,20}$/;
/** Values of every kind that PLAIN_PAIRS lets through. */
const SAMPLES = ['1', 'x9', 'on', '1234567890123456789', 'abcdefghijklmnopqrs', 'aB3dE5fG7hI9jK1lM3n'];
const MAX_NAMES = 1_000;
/** Names of query parameters: is such a value of them never masked? */
const harmless = new Map<string, boolean>();

function cleanQuery(query: string | undefined): string | undefined {
  if (query === undefined) return undefined;
  if (PLAIN_PAIRS.test(query) && query.split('&').every((pair) => isHarmless(pair.slice(0, pair.indexOf('='))))) return query;
  const own = LOG_ID.test(query) ? query.split('&').filter((part) => !LOG_ID.test(part)).join('&') : query;
  return own === '' ? undefined : cut(maskQuery(own).query, MAX_QUERY);
}

function isHarmless(name: string): boolean {
  let is = harmless.get(name);
  if (is === undefined) {
    is = SAMPLES.every((value) => maskQuery(`${name}=${value}`).query === `${name}=${value}`);
    if (harmless.size >= MAX_NAMES) harmless.clear();
    harmless.set(name, is);
  }
  return is;
}

/** The page a user came from may carry the same tokens in its query as a request. */
function cleanReferrer(referrer: string): string {
  return cut(maskUrl(referrer).url, MAX_REFERRER);
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}
