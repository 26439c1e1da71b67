// Owns the difference of two texts by lines: hunks with their surroundings, the same form for every change that is shown before it is made.
import type { DiffView } from '../../shared/auto-heal.ts';

const CONTEXT = 3;
/** Cells of the table that finds the longest common lines; above it the changed stretch is shown as one. */
const MAX_CELLS = 4_000_000;
/** Lines shown at most. */
const MAX_LINES = 2_000;
const MAX_HUNKS = 500;
const MAX_CHARS = 2_000;

type Kind = ' ' | '+' | '-';
interface Row { readonly kind: Kind; readonly text: string }

/** Line ends are part of a line: a file that changes only them differs in every line. */
export function lineDiff(before: string, after: string, mask: (text: string) => string = (text) => text): DiffView {
  const rows = rowsOf(linesOf(before), linesOf(after));
  const { hunks, left } = hunksOf(rows, mask);
  return { added: rows.filter(({ kind }) => kind === '+').length, removed: rows.filter(({ kind }) => kind === '-').length, hunks, left };
}

/** With their line ends. */
export function linesOf(text: string): string[] {
  return text.match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g) ?? [];
}

function rowsOf(a: readonly string[], b: readonly string[]): Row[] {
  let begin = 0, end = 0;
  while (begin < a.length && begin < b.length && a[begin] === b[begin]) begin += 1;
  while (end < a.length - begin && end < b.length - begin && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const row = (kind: Kind) => (text: string): Row => ({ kind, text });
  return [...a.slice(0, begin).map(row(' ')), ...changed(a.slice(begin, a.length - end), b.slice(begin, b.length - end)), ...a.slice(a.length - end).map(row(' '))];
}

/** Longest common lines by the classic table. */
function changed(a: readonly string[], b: readonly string[]): Row[] {
  if (a.length * b.length > MAX_CELLS) return [...a.map((text): Row => ({ kind: '-', text })), ...b.map((text): Row => ({ kind: '+', text }))];
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] as number;
  for (let i = a.length - 1; i >= 0; i -= 1) for (let j = b.length - 1; j >= 0; j -= 1) common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const rows: Row[] = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { rows.push({ kind: ' ', text: a[i] as string }); i += 1; j += 1; } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) { rows.push({ kind: '-', text: a[i] as string }); i += 1; } else { rows.push({ kind: '+', text: b[j] as string }); j += 1; }
  }
  return rows;
}

function hunksOf(rows: readonly Row[], mask: (text: string) => string): Pick<DiffView, 'hunks' | 'left'> {
  const wanted = rows.map(() => false);
  rows.forEach(({ kind }, i) => { if (kind !== ' ') wanted.fill(true, Math.max(0, i - CONTEXT), Math.min(rows.length, i + CONTEXT + 1)); });
  const hunks: DiffView['hunks'] = [];
  let fromLine = 1, toLine = 1, shown = 0, left = 0, open = false;
  rows.forEach(({ kind, text }, i) => {
    if (wanted[i] === true && shown < MAX_LINES && (open || hunks.length < MAX_HUNKS)) {
      if (!open) hunks.push({ fromLine, toLine, lines: [] });
      hunks.at(-1)?.lines.push({ kind, text: shownLine(text, mask) });
      open = true;
      shown += 1;
    } else { open = false; if (kind !== ' ') left += 1; }
    if (kind !== '+') fromLine += 1;
    if (kind !== '-') toLine += 1;
  });
  return { hunks, left };
}

function shownLine(text: string, mask: (text: string) => string): string {
  const bare = mask(text.replace(/[\r\n]+$/, '').replace(/^\ufeff/, ''));
  return bare.length > MAX_CHARS ? `${bare.slice(0, MAX_CHARS)}…` : bare;
}

/** As `diff -u` writes it, without the names of the files. */
export function unified({ hunks, left }: DiffView): string[] {
  const lines = hunks.flatMap((hunk) => {
    const old = hunk.lines.filter(({ kind }) => kind !== '+').length, fresh = hunk.lines.filter(({ kind }) => kind !== '-').length;
    return [`@@ -${hunk.fromLine},${old} +${hunk.toLine},${fresh} @@`, ...hunk.lines.map(({ kind, text }) => `${kind}${text}`)];
  });
  return left > 0 ? [...lines, `${left} more changed lines are not shown`] : lines;
}
