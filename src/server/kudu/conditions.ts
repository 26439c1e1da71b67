// Owns what a request says about versions and parts of a file: If-Match, If-None-Match, If-Range and Range (RFC 9110), judged against the file as it is.
import type { IncomingHttpHeaders } from 'node:http';

const TAG = /(?:W\/)?"[^"]*"|\*/g;

const tagsIn = (header: string | undefined): readonly string[] | undefined => (header === undefined ? undefined : header.match(TAG) ?? []);

export interface Version { readonly etag: string; readonly modifiedAt: number }

/** Whether a change may go over this version: undefined when the request says nothing about versions. A weak tag never matches. */
export function mayChange({ 'if-match': header }: IncomingHttpHeaders, etag: string): boolean | undefined {
  const tags = tagsIn(header);
  return tags?.some((tag) => tag === '*' || tag === etag);
}

/** If-Modified-Since counts only where no tag was sent; it knows seconds. */
export function isUnchanged(headers: IncomingHttpHeaders, { etag, modifiedAt }: Version): boolean {
  const tags = tagsIn(headers['if-none-match']);
  if (tags !== undefined) return tags.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag);
  const since = Date.parse(headers['if-modified-since'] ?? '');
  return Number.isFinite(since) && Math.floor(modifiedAt / 1_000) * 1_000 <= since;
}

export interface Part { readonly start: number; readonly end: number }

/** The part that is asked for; undefined for the whole (none was asked for, another version, or several parts at once); 'bad' when it lies outside. */
export function partOf(headers: IncomingHttpHeaders, sizeBytes: number, { etag, modifiedAt }: Version): Part | 'bad' | undefined {
  const { range, 'if-range': only } = headers;
  if (range === undefined || (only !== undefined && only !== etag && Date.parse(String(only)) !== Math.floor(modifiedAt / 1_000) * 1_000)) return undefined;
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.replaceAll(' ', '')) ?? [];
  if (first === undefined || last === undefined) return range.startsWith('bytes=') && !range.includes(',') ? 'bad' : undefined;
  if (first === '') return last === '' || Number(last) === 0 || sizeBytes === 0 ? 'bad' : { start: Math.max(0, sizeBytes - Number(last)), end: sizeBytes - 1 };
  const start = Number(first);
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return start >= sizeBytes || end < start ? 'bad' : { start, end };
}
