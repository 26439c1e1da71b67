// Owns the frames of a profile as their source maps say: maps that lie beside the app's files on this machine, small ones, and nothing that a profile could choose beyond.
import { open, stat } from 'node:fs/promises';
import { dirname, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SourceMap, type SourceMapText } from '../../shared/source-map.ts';
import { categoryOf } from './category.ts';
import type { Frame, ProfileTree } from './tree.ts';

const MAX_FILES = 50;
const MAX_SOURCE_BYTES = 16 * 1024 * 1024;
const MAX_MAP_BYTES = 32 * 1024 * 1024;
/** A minified function has a name of one or two signs. */
const SHORT_NAME = 2;
const SCRIPT = /\.[cm]?[jt]sx?$/;

interface Loaded { readonly map: SourceMap | undefined; readonly folder: string; readonly lines: readonly string[] }

/** The files of the app that the profile names, read once each. */
export class SourceFiles {
  readonly #files = new Map<string, Promise<Loaded | undefined>>();

  /** Undefined where it is not on this machine, or is nothing that may be read. */
  of(url: string): Promise<Loaded | undefined> {
    const known = this.#files.get(url);
    if (known !== undefined) return known;
    if (this.#files.size >= MAX_FILES) return Promise.resolve(undefined);
    const loading = loaded(url).catch(() => undefined);         // no file, no map, or none that can be read
    this.#files.set(url, loading);
    return loading;
  }
}

/** A plain local path of a script: no share of another machine, no other scheme. */
function pathOf(url: string): string | undefined {
  if (!SCRIPT.test(url) || url.length > 1_000) return undefined;
  try {
    const path = url.startsWith('file:') ? fileURLToPath(url) : url;
    return /^(?:\/(?!\/)|[A-Za-z]:[\\/])/.test(path) && !path.includes('\0') ? path : undefined;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

async function textOf(path: string, maxBytes: number): Promise<string | undefined> {
  const { size, isFile } = await stat(path).then((one) => ({ size: one.size, isFile: one.isFile() }));
  if (!isFile || size > maxBytes) return undefined;
  const file = await open(path, 'r');
  try { return await file.readFile('utf8'); } finally { await file.close(); }
}

async function loaded(url: string): Promise<Loaded | undefined> {
  const path = pathOf(url);
  const text = path === undefined ? undefined : await textOf(path, MAX_SOURCE_BYTES);
  if (path === undefined || text === undefined) return undefined;
  const folder = dirname(path);
  const map = await mapOf(text, folder).catch(() => undefined);
  return { map, folder, lines: text.split('\n', 200_000) };
}

async function mapOf(text: string, folder: string): Promise<SourceMap | undefined> {
  const [, address = ''] = [...text.slice(-2 * 1024 * 1024).matchAll(/^\/\/[#@] sourceMappingURL=(\S+)\s*$/gm)].at(-1) ?? [];
  const inline = /^data:application\/json;(?:charset=[\w-]+;)?base64,(.+)$/.exec(address)?.[1];
  if (inline !== undefined) return parsed(Buffer.from(inline, 'base64').toString('utf8'));
  // Beside the file or below it only: the app's text chooses no other file.
  if (address === '' || /^[a-z]+:|^[\\/]|\.\./i.test(address)) return undefined;
  return parsed(await textOf(posix.join(folder.replaceAll('\\', '/'), decodeURIComponent(address)), MAX_MAP_BYTES));
}

function parsed(text: string | undefined): SourceMap | undefined {
  const map = text === undefined ? null : JSON.parse(text) as Partial<SourceMapText> | null;
  if (typeof map?.mappings !== 'string' || !Array.isArray(map.sources)) return undefined;
  return new SourceMap({ sources: map.sources, mappings: map.mappings, ...(Array.isArray(map.names) ? { names: map.names } : {}), ...(typeof map.sourceRoot === 'string' ? { sourceRoot: map.sourceRoot } : {}) });
}

/** The same tree with frames and lines of its sources. */
export async function withSources(tree: ProfileTree, files: SourceFiles): Promise<ProfileTree> {
  const frames: Frame[] = [];
  let mapped = 0;
  for (const frame of tree.frames) {
    const source = frame.line > 0 && (frame.category === 'app' || frame.category === 'dependency') ? await files.of(frame.url) : undefined;
    const next = source?.map === undefined ? frame : placed(frame, source.map, source.folder);
    if (next !== frame) mapped += 1;
    const minified = next === frame && frame.name.length <= SHORT_NAME && (frame.column > 500 || /\.min\.[cm]?js$/.test(frame.url));
    frames.push(minified ? { ...frame, minified: true } : next);
  }
  if (mapped === 0) return { ...tree, frames };
  return { ...tree, frames, lines: await mappedLines(tree, frames, files), notes: tree.notes };
}

/** Lines and columns from 1, in and out; `folder`: that of the file which the map belongs to. */
export function positionIn(map: SourceMap, folder: string, line: number, column: number): { readonly url: string; readonly line: number; readonly column: number; readonly name: string | undefined } | undefined {
  const at = map.at(line - 1, Math.max(0, column - 1));
  if (at === undefined) return undefined;
  const plain = at.source.replace(/^webpack:\/\/[^/]*\//, '').replace(/\?[\w]*$/, '');
  return { url: /^(?:\/|[a-z]+:)/i.test(plain) ? plain : posix.join(folder.replaceAll('\\', '/'), plain), line: at.line + 1, column: at.column + 1, name: at.name };
}

function placed(frame: Frame, map: SourceMap, folder: string): Frame {
  const at = positionIn(map, folder, frame.line, frame.column);
  if (at === undefined) return frame;
  const { url } = at;
  const name = at.name !== undefined && (frame.name.length <= SHORT_NAME || frame.name === '(anonymous)') ? at.name : frame.name;
  return { name, url, line: at.line, column: at.column, ...categoryOf(name, url), ...(frame.name.length <= SHORT_NAME && at.name === undefined ? { minified: true } : {}) };
}

async function mappedLines(tree: ProfileTree, frames: readonly Frame[], files: SourceFiles): Promise<ProfileTree['lines']> {
  const lines = new Map<number, readonly (readonly [number, number])[]>();
  for (const [node, seen] of tree.lines) {
    const index = tree.frame[node] as number;
    const before = tree.frames[index] as Frame;
    const map = before === frames[index] ? undefined : (await files.of(before.url))?.map;
    // A line of a minified file is the whole program: it tells nothing.
    lines.set(node, map === undefined ? seen : seen.flatMap(([line, ticks]) => { const at = before.column > 500 ? undefined : map.at(line - 1, Number.MAX_SAFE_INTEGER); return at === undefined ? [] : [[at.line + 1, ticks] as const]; }));
  }
  return lines;
}
