// Owns the way from a raw row to a RequestRow: masking, cutting, words; and which rows are not the site's own.
import { maskQuery } from '../../shared/mask.ts';
import type { RequestRow } from '../../shared/model.ts';
import { meaning } from './meaning.ts';
import { ABSENT } from './parse.ts';
import type { RawRow } from './parse.ts';
import { routeOf } from './route.ts';

/** Rows of the SCM site (Kudu, and we inside it) say so in s-sitename. */
const SCM_SITE = '~1';
/** Requests the agent itself makes carry this user agent. */
export const OWN_USER_AGENT = 'app-service-diag/';

/** Texts of rows are kept in memory by the thousand: longer ones are cut. */
const MAX_PATH = 1_000, MAX_QUERY = 1_000, MAX_AGENT = 300, MAX_HOST = 255, MAX_CLIENT = 64, MAX_METHOD = 32;

/** The SCM site's row, or one of our own requests: left out of all figures, and counted. */
export function leftOut(raw: RawRow): boolean {
  return raw.begins('site', SCM_SITE) || raw.begins('agent', OWN_USER_AGENT);
}

/** The row as it is shown: secrets of the query masked, `+` of the user agent a space, the platform's X-ARR-LOG-ID taken off. */
export function requestRow(raw: RawRow, source: string): RequestRow {
  const path = raw.text('path') ?? '/';
  const row: RequestRow = {
    at: raw.at, method: cut(raw.text('method') ?? '-', MAX_METHOD), path: cut(path, MAX_PATH), route: routeOf(path), status: raw.status, source, offset: raw.offset,
  };
  if (raw.sub !== ABSENT) row.sub = raw.sub;
  if (raw.win32 !== ABSENT) row.win32 = raw.win32;
  if (raw.takenMs !== ABSENT) row.takenMs = raw.takenMs;
  if (raw.sentBytes !== ABSENT) row.sentBytes = raw.sentBytes;
  if (raw.receivedBytes !== ABSENT) row.receivedBytes = raw.receivedBytes;
  const query = cleanQuery(raw.text('query'));
  if (query !== undefined) row.query = query;
  const client = raw.text('client');
  if (client !== undefined) row.client = cut(client, MAX_CLIENT);
  const agent = raw.text('agent');
  if (agent !== undefined) row.userAgent = cut(agent.replaceAll('+', ' '), MAX_AGENT);
  const host = raw.text('host');
  if (host !== undefined) row.host = cut(host, MAX_HOST);
  const reason = meaning(row.status, row.sub, row.win32, row.takenMs);
  if (reason !== undefined) row.reason = reason.says;
  return row;
}

function cleanQuery(query: string | undefined): string | undefined {
  if (query === undefined) return undefined;
  const own = query.split('&').filter((part) => !/^X-ARR-LOG-ID=/i.test(part)).join('&');
  return own === '' ? undefined : cut(maskQuery(own).query, MAX_QUERY);
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}
