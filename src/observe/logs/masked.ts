// Owns the masking of a block of lines, once for all who follow: only what a quick look suspects is masked, and whole entries at a time.
import { instantOf } from '../../shared/log-fields.ts';
import { LogFlags } from '../../shared/log-frame.ts';
import type { Block, Holds } from './block.ts';
import { clean } from './lines.ts';

/** How secrets are found and hidden; handed in, for it knows what the site's processes hold. */
export interface LineMask {
  /** The place of something in [from, to) that may belong to a secret, -1 when there is none. */
  suspect(bytes: Uint8Array, from: number, to: number): number;
  /** Is this line a row of an HTTP log, whose columns decide what is secret? */
  row(bytes: Uint8Array, from: number, to: number): boolean;
  /** The text of an entry as it may be shown. */
  text(text: string): string;
  /** May what follows this entry decide about what is masked in it? */
  open(text: string): boolean;
}

const CR = 13;
const SPACE = 0x20;
const MASKED = '[masked]';

/** What the mask changed: the text of lines, and the instant of entries which no longer say it. */
export interface Masked { readonly texts: ReadonlyMap<number, string>; readonly ats: readonly (readonly [number, number])[] }

export const NOTHING_MASKED: Masked = { texts: new Map(), ats: [] };

export function maskBlock(block: Block, mask: LineMask, near: number | undefined): Masked {
  const lines = suspects(block, mask);
  if (lines.length === 0) return NOTHING_MASKED;
  const texts = new Map<number, string>();
  const ats: [number, number][] = [];
  let done = 0;
  for (const line of lines) {
    if (line < done) continue;
    const [from, to] = entryAround(block, line);
    done = to;
    maskEntry(block, from, to, mask, texts);
    const first = texts.get(from);
    const at = first === undefined || from === 0 && goesOn(block, 0) ? undefined : instantOf(textAt(block, from), near);
    if (at !== undefined && first !== undefined && instantOf(first, near) !== at) ats.push([from, at]);
  }
  return { texts, ats };
}

const goesOn = (block: Block, line: number): boolean => ((block.flags[line] as number) & LogFlags.joins) !== 0;

export function textAt(block: Block, line: number): string {
  const from = block.starts[line] as number;
  let to = (block.starts[line + 1] as number) - 1;
  if (to > from && block.bytes[to - 1] === CR) to -= 1;
  return clean(block.bytes.toString('utf8', from, to));
}

/** The lines that are looked at, in order. An entry that was suspected before its end was there stays so. */
function suspects(block: Block, mask: LineMask): readonly number[] {
  const { bytes, starts, count } = block;
  const found: number[] = [];
  if (block.before.length > 0 && mask.suspect(block.before, 0, block.before.length) !== -1) found.push(0);
  let line = 0;
  const end = starts[count] as number;
  for (let at = mask.suspect(bytes, starts[0] as number, end); at !== -1 && at < end; at = mask.suspect(bytes, starts[line] as number, end)) {
    line = lineOf(starts, count, at);
    found.push(line);
    line += 1;
    if (line >= count) break;
  }
  return withRows(block, mask, found);
}

function withRows(block: Block, mask: LineMask, found: number[]): readonly number[] {
  const { bytes, starts, count } = block;
  let rows = false;
  for (let i = 0; i < count; i += 1) {
    const from = starts[i] as number;
    if (bytes[from + 10] !== SPACE || bytes[from + 19] !== SPACE || !mask.row(bytes, from, (starts[i + 1] as number) - 1)) continue;
    found.push(i);
    rows = true;
  }
  return rows ? found.sort((a, b) => a - b) : found;
}

function lineOf(starts: Uint32Array, count: number, place: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}

function entryAround(block: Block, line: number): readonly [from: number, to: number] {
  let from = line;
  while (from > 0 && goesOn(block, from)) from -= 1;
  let to = line + 1;
  while (to < block.count && goesOn(block, to)) to += 1;
  return [from, to];
}

function maskEntry(block: Block, from: number, to: number, mask: LineMask, into: Map<number, string>): void {
  const above = from === 0 ? block.before.toString('utf8').split('\n').slice(0, -1).map((line) => clean(line.replace(/\r$/, ''))) : [];
  const own: string[] = [];
  for (let i = from; i < to; i += 1) own.push(textAt(block, i));
  const shown = shownLines(above, own, mask);
  shown.forEach((text, i) => { if (text !== own[i]) into.set(from + i, text); });
}

/** As many lines as there are: where the mask took line ends away (a private key), the last are empty. */
function shownLines(above: readonly string[], own: readonly string[], mask: LineMask): readonly string[] {
  const all = mask.text([...above, ...own].join('\n')).split('\n');
  if (all.length === above.length + own.length) return all.slice(above.length);
  if (above.length === 0) return own.map((_, i) => all[i] ?? '');
  return own.map((_, i) => (i === 0 ? MASKED : '')); // what was sent already cannot be taken back: of the rest nothing is shown
}

/** An entry waits for its end while a secret in it has none. */
export function holdsFor(mask: LineMask): Holds {
  return (entry) => mask.suspect(entry, 0, entry.length) !== -1 && mask.open(entry.toString('utf8'));
}
