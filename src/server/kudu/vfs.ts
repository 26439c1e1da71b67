// Owns Kudu's file system address: listing, reading with versions and parts, writing, making and removing below the home.
import { pipeline } from 'node:stream/promises';
import { DiagError } from '../../shared/errors.ts';
import type { Entry, FileDoor, Place } from '../../platform/files/door.ts';
import type { Agent } from '../../agent/agent.ts';
import { isUnchanged, mayChange, partOf } from './conditions.ts';
import { answerFault, isFault } from './fault.ts';
import { FOLDER, LINK, mediaTypeOf } from './media.ts';
import type { KuduCall, KuduRoutes } from './route.ts';
import { instant, isSet, originOf, word } from './shape.ts';

/** A file of the site that a browser shows has no origin and runs nothing: whoever may upload there must not act as the agent's page. */
const FILE_CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'";
/** Entries looked at in one step. */
const STEP = 1_000;

export function vfsRoutes(routes: KuduRoutes, agent: Agent, door: FileDoor): void {
  routes.below('/vfs', async (call) => {
    const meant = meantBy(call);
    switch (call.req.method) {
      case 'GET': case 'HEAD': await get(agent, door, meant, call); return;
      case 'PUT': await put(agent, door, meant, call); return;
      case 'DELETE': await remove(agent, door, meant, call); return;
      default: throw new DiagError('METHOD_REFUSED', { method: call.req.method, path: '/vfs' });
    }
  });
}

/** `slash`: the address says that it means a folder. */
export interface Meant { readonly place: Place; readonly slash: boolean }

/** The path below the home, decoded once: what is encoded twice is a name with a percent sign. @throws BAD_INPUT */
export function meantBy({ req }: KuduCall): Meant {
  const raw = (req.url.split('?', 1)[0] ?? '').replace(/^\//, '');
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch (error) {
    throw new DiagError('BAD_INPUT', { why: 'the address is not well encoded' }, { cause: error });
  }
  const slash = path === '' ? req.originalUrl.split('?', 1)[0]?.endsWith('/') === true : path.endsWith('/');
  return { place: { root: 'home', path: path.replace(/\/$/, '') }, slash };
}

/** The entry; undefined where there is none. */
export async function lookAt(door: FileDoor, place: Place): Promise<Entry | undefined> {
  try {
    return await door.stat(place);
  } catch (error) {
    if (isFault(error, 'FILE_UNKNOWN')) return undefined;
    throw error;
  }
}

export const unknown = ({ path }: Place): DiagError => new DiagError('FILE_UNKNOWN', { path: path === '' ? '/' : path });

/** To the same address with or without its last slash: 307 keeps method and body. */
export function redirect({ req, res }: KuduCall, slash: boolean): void {
  const [path = '', ...query] = req.originalUrl.split('?');
  const rest = query.length === 0 ? '' : `?${query.join('?')}`;
  res.setHeader('location', `${originOf(req)}${slash ? `${path}/` : path.replace(/(?:\/|%2f)+$/i, '')}${rest}`);
  res.status(307).end();
}

async function get(agent: Agent, door: FileDoor, { place, slash }: Meant, call: KuduCall): Promise<void> {
  const entry = await lookAt(door, place);
  if (entry === undefined) throw unknown(place);
  if (entry.kind === 'folder') {
    if (!slash) { redirect(call, true); return; }
    await list(door, place, call);
    return;
  }
  if (slash) { redirect(call, false); return; }
  await read(agent, door, place, call);
}

async function list(door: FileDoor, place: Place, { req, res, signal }: KuduCall): Promise<void> {
  const { names, more } = await door.names(place, signal);
  const base = `${originOf(req)}${req.originalUrl.split('?', 1)[0] ?? ''}`;
  const listed: object[] = [];
  for (let from = 0; from < names.length; from += STEP) {
    const entries = await door.entries(place, names.slice(from, from + STEP).map(({ name }) => name), signal);
    for (const entry of entries) listed.push(shown(door, place, entry, base));
  }
  if (more) res.setHeader('x-diag-more', 'this folder has more entries than are listed here');
  res.status(200).type('application/json').send(JSON.stringify(listed));
}

function shown(door: FileDoor, { root, path }: Place, entry: Entry, base: string): object {
  const { name, kind, sizeBytes = 0, modifiedAt, createdAt } = entry;
  return {
    name, size: sizeBytes,
    ...(modifiedAt === undefined ? {} : { mtime: instant(modifiedAt) }), ...(createdAt === undefined ? {} : { crtime: instant(createdAt) }),
    mime: kind === 'folder' ? FOLDER : kind === 'link' ? LINK : mediaTypeOf(name),
    href: `${base}${encodeURIComponent(name)}${kind === 'folder' ? '/' : ''}`,
    path: door.describe({ root, path: path === '' ? name : `${path}/${name}` }),
  };
}

async function read(agent: Agent, door: FileDoor, place: Place, { req, res, who, signal }: KuduCall): Promise<void> {
  const opened = await door.open(place);
  try {
    const { etag, modifiedAt, sizeBytes, name } = opened.entry;
    res.setHeader('etag', etag);
    res.setHeader('last-modified', new Date(modifiedAt).toUTCString());
    res.setHeader('accept-ranges', 'bytes');
    res.setHeader('cache-control', 'private, no-cache');
    res.setHeader('content-security-policy', FILE_CSP);
    if (isUnchanged(req.headers, opened.entry)) { res.status(304).end(); return; }
    const part = partOf(req.headers, sizeBytes, opened.entry);
    if (part === 'bad') { res.setHeader('content-range', `bytes */${sizeBytes}`); answerFault(res, 416, new DiagError('RANGE_BAD').message, 'RANGE_BAD'); return; }
    if (part !== undefined) res.setHeader('content-range', `bytes ${part.start}-${part.end}/${sizeBytes}`);
    res.status(part === undefined ? 200 : 206);
    const type = mediaTypeOf(name);
    res.setHeader('content-type', type.startsWith('text/') ? `${type}; charset=utf-8` : type);
    res.setHeader('content-length', part === undefined ? sizeBytes : part.end - part.start + 1);
    if (req.method === 'HEAD') { res.end(); return; }
    await agent.audit(who, 'read file', place.path, part === undefined ? 'sent' : 'a part sent');
    if (sizeBytes === 0) { res.end(); return; }
    // A file that grows meanwhile is sent as it was when it was opened.
    await pipeline(opened.stream(part ?? { start: 0, end: sizeBytes - 1 }), res, { signal });
  } catch (error) {
    if (!signal.aborted && !res.destroyed) throw error;
  } finally {
    await opened.close();
  }
}

async function put(agent: Agent, door: FileDoor, { place, slash }: Meant, call: KuduCall): Promise<void> {
  const { req, res, who, signal } = call;
  const entry = await lookAt(door, place);
  if (entry?.kind === 'folder') throw new DiagError('FILE_KIND', { path: place.path, wanted: 'a file, and a folder that is there is not changed by PUT' });
  if (slash && entry === undefined) {
    await door.makeFolder(place, { parents: true });
    await agent.audit(who, 'make folder', place.path, 'made');
    res.status(201).end();
    return;
  }
  if (slash) { redirect(call, false); return; }
  if (entry !== undefined && !agrees(entry, call)) return;
  const written = await door.write(place, req, { parents: true, ...(entry === undefined ? { onlyNew: true } : { ifMatch: req.headers['if-match'] === '*' || entry.etag === undefined ? '*' : entry.etag }) }, signal);
  await agent.audit(who, 'write file', place.path, `${written.created ? 'made' : 'changed'}, ${written.sizeBytes} bytes`);
  res.setHeader('etag', written.etag);
  res.status(written.created ? 201 : 204).end();
}

/** What is there is only changed by who says which version he means. False: it was refused, with the version that is there. */
function agrees(entry: Entry, { req, res }: KuduCall): boolean {
  const { etag = '', name } = entry;
  const may = mayChange(req.headers, etag);
  if (may === true) return true;
  if (etag !== '') res.setHeader('etag', etag);
  answerFault(res, 412, may === undefined ? `${name} is there already. To change it, send If-Match with its ETag, or "*" for any.` : `${name} was changed by somebody else meanwhile: the ETag does not match.`, 'FILE_CHANGED');
  req.resume();
  return false;
}

async function remove(agent: Agent, door: FileDoor, { place, slash }: Meant, call: KuduCall): Promise<void> {
  const { req, res, who, signal } = call;
  const entry = await lookAt(door, place);
  if (entry === undefined) throw unknown(place);
  const folder = entry.kind === 'folder';
  if (place.path === '') throw new DiagError('FILE_KIND', { path: 'The home', wanted: 'something that can be removed' });
  if (!folder && slash) { redirect(call, false); return; }
  if (entry.kind === 'file' && !agrees(entry, call)) return;
  const recursive = folder && isSet(word(req, 'recursive'));
  // Kudu's delete is for ever, and scripts that make room rely on it.
  const removed = await door.remove(place, { mode: 'forever', recursive, ...(entry.kind === 'file' && entry.etag !== undefined && req.headers['if-match'] !== '*' ? { ifMatch: entry.etag } : {}) }, signal);
  await agent.audit(who, 'delete', place.path, `removed${folder ? ` with ${removed.files} files` : ''}`);
  res.status(200).end();
}
