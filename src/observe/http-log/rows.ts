// Owns the way from a row to a RequestRow: masking, cutting, words; and which rows are not the site's own.
import { maskQuery, maskUrl } from '../../shared/mask.ts';
import type { RequestRow } from '../../shared/model.ts';
import { ABSENT } from './columns.ts';
import type { Columns, TextColumn, TextRole } from './columns.ts';
import { meaning } from './meaning.ts';
import { routeOf } from './route.ts';

/** Rows of the SCM site (Kudu, and we inside it) say so in s-sitename. */
const SCM_SITE = '~1';
/** Requests the agent itself makes carry this user agent. */
export const OWN_USER_AGENT = 'app-service-diag/';

/** Texts of rows are kept in memory by the thousand: longer ones are cut. */
const MAX_PATH = 1_000, MAX_QUERY = 1_000, MAX_AGENT = 300, MAX_HOST = 255, MAX_CLIENT = 64, MAX_METHOD = 32, MAX_REFERRER = 300, MAX_UPSTREAM = 200;

/** The one format that writes `+` for each space of a text. Elsewhere a `+` is one. */
export const PLUS_FORMAT = 'iis-w3c';

/** What a row says before it is masked and cut; numbers are ABSENT where it does not say. */
interface Said {
  readonly at: number;
  readonly offset: number;
  readonly status: number;
  readonly sub: number;
  readonly win32: number;
  readonly takenMs: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  text(role: TextRole): string | undefined;
}

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

/** The row as it is shown: secrets of queries masked, IIS's `+` of the user agent a space, the platform's X-ARR-LOG-ID taken off. `format`: id of the format it was read as; without it IIS's. */
export function requestRow(columns: Columns, row: number, source: string, format = PLUS_FORMAT): RequestRow {
  return shown(ofColumns(columns, row), source, format === PLUS_FORMAT);
}

function ofColumns(columns: Columns, row: number): Said {
  const number = (column: Float64Array | Int32Array): number => column[row] as number;
  return {
    at: number(columns.at), offset: number(columns.offset), status: number(columns.status), sub: number(columns.sub), win32: number(columns.win32),
    takenMs: number(columns.taken), sentBytes: number(columns.sent), receivedBytes: number(columns.received), text: (role) => textOf(columns, role, row),
  };
}

/** Text of a column; undefined when the row does not have it. */
export function textOf(columns: Columns, role: TextRole, row: number): string | undefined {
  const column = columns.text[role];
  const from = column.from[row] as number;
  const to = column.to[row] as number;
  return to <= from ? undefined : decode(columns.bytes, from, to);
}

/** Logs are UTF-8 unless the server was told to write ANSI: bytes that are not UTF-8 are read one by one. */
export function decode(bytes: Uint8Array, from: number, to: number): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
  const text = view.toString('utf8');
  return text.includes('\uFFFD') ? view.toString('latin1') : text;
}

function shown(said: Said, source: string, plusIsSpace: boolean): RequestRow {
  const path = said.text('path') ?? '/';
  const row: RequestRow = {
    at: said.at, method: cut(said.text('method') ?? '-', MAX_METHOD), path: cut(path, MAX_PATH), route: routeOf(path), status: said.status, source, offset: said.offset,
  };
  if (said.sub !== ABSENT) row.sub = said.sub;
  if (said.win32 !== ABSENT) row.win32 = said.win32;
  if (said.takenMs !== ABSENT) row.takenMs = said.takenMs;
  if (said.sentBytes !== ABSENT) row.sentBytes = said.sentBytes;
  if (said.receivedBytes !== ABSENT) row.receivedBytes = said.receivedBytes;
  const query = cleanQuery(said.text('query'));
  if (query !== undefined) row.query = query;
  const client = said.text('client');
  if (client !== undefined) row.client = cut(client, MAX_CLIENT);
  const agent = said.text('agent');
  if (agent !== undefined) row.userAgent = cut(plusIsSpace ? agent.replaceAll('+', ' ') : agent, MAX_AGENT);
  const host = said.text('host');
  if (host !== undefined) row.host = cut(host, MAX_HOST);
  const referrer = said.text('referrer');
  if (referrer !== undefined) row.referrer = cleanReferrer(referrer);
  const upstream = said.text('upstream');
  if (upstream !== undefined) row.upstream = cut(upstream, MAX_UPSTREAM);
  const reason = meaning(row.status, row.sub, row.win32, row.takenMs);
  if (reason !== undefined) row.reason = reason.says;
  return row;
}

function cleanQuery(query: string | undefined): string | undefined {
  if (query === undefined) return undefined;
  const own = query.split('&').filter((part) => !/^X-ARR-LOG-ID=/i.test(part)).join('&');
  return own === '' ? undefined : cut(maskQuery(own).query, MAX_QUERY);
}

/** The page a user came from may carry the same tokens in its query as a request. */
function cleanReferrer(referrer: string): string {
  return cut(maskUrl(referrer).url, MAX_REFERRER);
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}
