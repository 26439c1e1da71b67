// Owns the search for words of the last error in the memory of a dump: bounded, each text once with how often, and the environment, both masked.
import { setImmediate } from 'node:timers/promises';
import { maskVariables } from '../../shared/mask.ts';
import { makeMasker, type Masker } from '../masker.ts';
import type { CoreMemory } from './memory.ts';

/** Searched at most; what lies beyond is said. */
const SEARCHED_BYTES = 512 * 1024 * 1024;
const PIECE_BYTES = 4 * 1024 * 1024;
const KEPT_TEXTS = 20;
const MAX_DIFFERENT = 2_000;
const MAX_TEXT = 400;
const LEAST_TEXT = 12;
/** The strongest first: what a runtime writes when it gives up, then errors by name. */
const NEEDLES = ['FATAL ERROR: ', 'terminate called ', '  what():  ', 'Assertion ', 'panic: ', 'Uncaught ', 'Unhandled ', 'Error: ', 'Exception: ', 'JavaScript heap out of memory'].map((text) => Buffer.from(text));
const NO_MESSAGE = /[`${}\\%]|=>|\bthrow\b|\bfunction\b|@param|new [A-Z]|\*\/|^\s*\*|\/\/ /;
const AT_EXECFN = 31;
const ENVIRONMENT_BYTES = 1024 * 1024;
const MAX_VARIABLES = 2_000;

export interface Found { readonly text: string; readonly times: number }

/** Ranges to look through: [place in the dump, bytes]. */
export async function searchTexts(read: (at: number, sizeBytes: number) => Buffer | undefined, ranges: readonly (readonly [number, number])[], mask: Masker, signal: AbortSignal, searched?: (fraction: number) => void): Promise<{ texts: Found[]; leftBytes: number }> {
  const found = new Map<string, { times: number; rank: number }>();
  let left = SEARCHED_BYTES;
  const all = ranges.reduce((sum, [, size]) => sum + size, 0);
  // Small areas first: stacks and young heaps are among them, and one big area must not use up what is searched.
  for (const [from, sizeBytes] of [...ranges].sort((a, b) => a[1] - b[1])) {
    for (let at = 0; at < sizeBytes && left > 0; at += PIECE_BYTES) {
      const size = Math.min(PIECE_BYTES, sizeBytes - at, left);
      left -= size;
      const piece = read(from + at, size);
      if (piece !== undefined) searchPiece(piece, found);
      signal.throwIfAborted();
      searched?.((SEARCHED_BYTES - left) / Math.max(1, Math.min(all, SEARCHED_BYTES)));
      await setImmediate();
    }
  }
  const texts = [...found].sort((a, b) => a[1].rank - b[1].rank || b[1].times - a[1].times || (a[0] < b[0] ? -1 : 1)).slice(0, KEPT_TEXTS).map(([text, { times }]) => ({ text: mask.text(text).text, times }));
  return { texts, leftBytes: Math.max(0, all - SEARCHED_BYTES) };
}

function searchPiece(piece: Buffer, found: Map<string, { times: number; rank: number }>): void {
  NEEDLES.forEach((needle, rank) => {
    for (let at = piece.indexOf(needle); at >= 0; at = piece.indexOf(needle, at + needle.length)) {
      const text = textAround(piece, at, needle.length);
      if (text === undefined) continue;
      const known = found.get(text);
      if (known !== undefined) known.times += 1;
      else if (found.size < MAX_DIFFERENT) found.set(text, { times: 1, rank });
    }
  });
}

/** The line a needle stands in; undefined for source code, and for a needle with nothing behind it. */
function textAround(piece: Buffer, at: number, needle: number): string | undefined {
  let [from, to] = [at, at + needle];
  while (from > 0 && at - from < 80 && printable(piece[from - 1] as number)) from -= 1;
  while (to < piece.length && to - from < MAX_TEXT && printable(piece[to] as number)) to += 1;
  if (at - from >= 80 || to - at < needle + 3) return undefined;
  const text = piece.toString('utf8', from, to).trim();
  return text.length < LEAST_TEXT || NO_MESSAGE.test(text) || text.includes('\uFFFD') || text.endsWith(':') ? undefined : text;
}

const printable = (byte: number): boolean => byte >= 0x20 && byte !== 0x7f;

export interface Environment { readonly shown: { name: string; value: string; masked: boolean }[]; readonly mask: Masker }

/** Variables as the process was started with: they end where the kernel put the program's own name. */
export function environmentOf(memory: CoreMemory): Environment {
  const end = memory.core.auxv.get(AT_EXECFN);
  const segment = end === undefined ? undefined : memory.segmentAt(end);
  if (end === undefined || segment === undefined) return { shown: [], mask: makeMasker([]) };
  const from = Math.max(segment.from, end - ENVIRONMENT_BYTES);
  const bytes = memory.read(from, end - from);
  const raw: { name: string; value: string }[] = [];
  let to = (bytes?.length ?? 0) - 1;
  while (bytes !== undefined && to > 0 && raw.length < MAX_VARIABLES) {
    const start = bytes.lastIndexOf(0, to - 1) + 1;
    const match = /^([A-Za-z_][\w.()-]*)=(.*)$/s.exec(bytes.toString('utf8', start, to));
    if (match === null) break;
    raw.push({ name: match[1] as string, value: match[2] as string });
    to = start - 1;
  }
  return maskedVariables(raw);
}

export function maskedVariables(raw: readonly { name: string; value: string }[]): Environment {
  const mask = makeMasker([...raw]);
  const shown = maskVariables(raw).map(({ name, value, masked }) => { const rest = mask.text(value); return { name, value: rest.text, masked: masked || rest.count > 0 }; });
  return { shown: shown.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)), mask };
}
