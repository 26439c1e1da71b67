// Owns the frames as their source maps say: read when a failure is told, never at its throw; small maps only, as the app waits while one is read.
import { promises } from 'node:fs';
import { dirname, join } from 'node:path';

const MAX_MAP_BYTES = 2 * 2 ** 20;
const MAX_FILES = 20;
/** The address of a map stands at the end of a file. */
const TAIL_BYTES = 1_024;
const FRAME = /^(.*?)\(?((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^()]*?):(\d{1,7}):(\d{1,7})\)?$/;
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Int8Array(128).fill(-1);
for (let i = 0; i < DIGITS.length; i += 1) VALUES[DIGITS.charCodeAt(i)] = i;

export interface SourceMap { readonly sources: readonly (string | null)[]; readonly mappings: string; readonly sourceRoot?: string }
interface Place { readonly source: number; readonly line: number; readonly column: number }

/** What stood at a place of the generated text, counted from 0: the last mapping at or before it on its line. */
export function placeIn(mappings: string, line: number, column: number): Place | undefined {
  let at = 0;
  for (let skipped = 0; skipped < line; skipped += 1) {
    at = mappings.indexOf(';', at) + 1;
    if (at === 0) return undefined;
  }
  // Sources and their lines go on from segment to segment over all lines before.
  const state = { source: 0, line: 0, column: 0 };
  let found: Place | undefined;
  walk(mappings, at, state, (isOnLine, generated) => {
    if (!isOnLine) return true;
    if (generated > column) return false;
    found = { ...state };
    return true;
  });
  return found;
}

/** Each segment from the begin; `see` is told whether it is on the line that begins at `from`, and says whether to go on. */
function walk(mappings: string, from: number, state: { source: number; line: number; column: number }, see: (isOnLine: boolean, generated: number) => boolean): void {
  let generated = 0;
  for (let at = 0; at < mappings.length;) {
    const code = mappings.charCodeAt(at);
    if (code === SEMICOLON) { if (at >= from) return; generated = 0; at += 1; continue; }
    if (code === COMMA) { at += 1; continue; }
    const isOnLine = at >= from;
    let fields = 0;
    const read = [0, 0, 0, 0, 0];
    while (at < mappings.length && mappings.charCodeAt(at) !== SEMICOLON && mappings.charCodeAt(at) !== COMMA) {
      let value = 0;
      for (let shift = 0, digit = CONTINUES; (digit & CONTINUES) !== 0; shift += 5) {
        digit = VALUES[mappings.charCodeAt(at++)] ?? -1;
        if (digit < 0 || shift > 30) return;                   // no map that we can read
        value += (digit & (CONTINUES - 1)) * 2 ** shift;
      }
      if (fields < read.length) read[fields] = value % 2 === 1 ? -Math.floor(value / 2) : value / 2;
      fields += 1;
    }
    generated += read[0] as number;
    if (fields < 4) continue;
    state.source += read[1] as number;
    state.line += read[2] as number;
    state.column += read[3] as number;
    if (!see(isOnLine, generated)) return;
  }
}
const SEMICOLON = 59, COMMA = 44, CONTINUES = 32;

export class Sources {
  readonly #maps = new Map<string, Promise<SourceMap & { readonly folder: string } | undefined>>();

  /** The frames with the places of their sources; undefined when no frame has one. */
  async of(frames: readonly string[]): Promise<string[] | undefined> {
    let any = false;
    const mapped: string[] = [];
    for (const frame of frames) {
      const source = await this.#frame(frame);
      any ||= source !== undefined;
      mapped.push(source ?? frame);
    }
    return any ? mapped : undefined;
  }

  async #frame(frame: string): Promise<string | undefined> {
    const [, name = '', url = '', line = '', column = ''] = FRAME.exec(frame) ?? [];
    if (url === '') return undefined;
    const map = await this.#mapOf(decoded(url));
    if (map === undefined) return undefined;
    const place = placeIn(map.mappings, Number(line) - 1, Number(column) - 1);
    const source = place === undefined ? undefined : map.sources[place.source];
    if (place === undefined || typeof source !== 'string') return undefined;
    const path = /^(?:\/|[a-z]+:)/i.test(source) ? source : join(map.folder, map.sourceRoot ?? '', source);
    return `${name.trim() === '' ? '' : `${name.trim()} `}(${path}:${place.line + 1}:${place.column + 1})`.slice(0, 300);
  }

  #mapOf(file: string): Promise<SourceMap & { readonly folder: string } | undefined> {
    const known = this.#maps.get(file);
    if (known !== undefined) return known;
    if (this.#maps.size >= MAX_FILES) return Promise.resolve(undefined);
    const read = readMap(file).catch(() => undefined);         // no map, or none that can be read
    this.#maps.set(file, read);
    return read;
  }
}

function decoded(url: string): string {
  return url.startsWith('file://') ? decodeURIComponent(url.slice(/^file:\/\/\/[A-Za-z]:/.test(url) ? 8 : 7)) : url;
}

async function readMap(file: string): Promise<SourceMap & { readonly folder: string } | undefined> {
  const [, address = ''] = [...(await tailOf(file)).matchAll(/^\/\/[#@] sourceMappingURL=([^\s'"]+)\s*$/gm)].at(-1) ?? [];
  // Of the file system only, and beside the file or below it: the app's text chooses no file of ours to read.
  if (address === '' || /^[a-z]+:|^[\\/]|\.\./i.test(address)) return undefined;
  const path = join(dirname(file), decodeURIComponent(address));
  if ((await promises.stat(path)).size > MAX_MAP_BYTES) return undefined;
  const map = JSON.parse(await promises.readFile(path, 'utf8')) as Partial<SourceMap> | null;
  if (typeof map?.mappings !== 'string' || !Array.isArray(map.sources)) return undefined;
  return { sources: map.sources, mappings: map.mappings, ...(typeof map.sourceRoot === 'string' ? { sourceRoot: map.sourceRoot } : {}), folder: dirname(path) };
}

async function tailOf(file: string): Promise<string> {
  const opened = await promises.open(file, 'r');
  try {
    const { size } = await opened.stat();
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
    await opened.read(bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('latin1');
  } finally {
    await opened.close();
  }
}
