// Owns the editing of one line where no terminal does it: keys in, what to show and what to send out. Pure: state and text give state and effects.
import { widthOf } from './width.ts';

export interface Line {
  /** One code point each. */
  readonly signs: readonly string[];
  /** Before which sign the cursor stands. */
  readonly at: number;
  /** The column where the line begins: after the prompt. */
  readonly from: number;
  readonly cols: number;
  /** Oldest first. */
  readonly history: readonly string[];
  /** Which line of the history is shown; its length: the new line. */
  readonly past: number;
  /** The new line, while an older one is shown. */
  readonly draft: string;
  /** The beginning of a sequence whose rest is still to come. */
  readonly rest: string;
}

export type Effect = { readonly show: string } | { readonly send: string } | { readonly do: 'interrupt' | 'end' };

/** As long as cmd takes one. */
export const MAX_LINE = 8_191;
export const MAX_HISTORY = 200;
const BELL = '\x07';

export const newLine = (cols: number): Line => ({ signs: [], at: 0, from: 0, cols, history: [], past: 0, draft: '', rest: '' });

/** Text or keys as a terminal sends them, in any pieces. */
export function type(line: Line, text: string): { line: Line; effects: Effect[] } {
  const effects: Effect[] = [];
  let now: Line = { ...line, rest: '' };
  let left = line.rest + text;
  while (left !== '') {
    const key = /^(?:\x1b(?:\[[0-9;?]*[@-~]|O[@-~]|[^[O])|[^\x00-\x1f\x7f]+|[^\x1b])/us.exec(left)?.[0];
    if (key === undefined) return { line: { ...now, rest: left.slice(0, 16) }, effects: joined(effects) };
    left = left.slice(key.length);
    // A line end of another system comes as two signs.
    if (key === '\r' && left.startsWith('\n')) left = left.slice(1);
    now = press(now, key, effects);
  }
  return { line: now, effects: joined(effects) };
}

/** Takes the line off the screen, so that output can come in its place; `draw` puts it there again. */
export function erase(line: Line): string {
  if (line.signs.length === 0) return '';
  return `${toStart(line)}\x1b[J`;
}

export function draw(line: Line): string {
  if (line.signs.length === 0) return '';
  const { col } = place(line, line.signs.length);
  // On the last column a terminal waits with its wrap: a space makes it, so that we know where the cursor is.
  return `${line.signs.join('')}${col === 0 ? ' \r' : ''}${moved(place(line, line.signs.length), place(line, line.at))}`;
}

type Press = (line: Line, effects: Effect[]) => Line;

const KEYS: Readonly<Record<string, Press>> = {
  '\r': enter, '\n': enter,
  '\x7f': back, '\b': back,
  '\x03': (line, effects) => { effects.push({ show: `${toEnd(line)}^C\r\n` }, { do: 'interrupt' }); return cleared(line); },
  '\x04': (line, effects) => { if (line.signs.length > 0) return remove(line, line.at, afterOf(line), effects); effects.push({ do: 'end' }); return line; },
  '\x01': (line, effects) => go(line, 0, effects), '\x05': (line, effects) => go(line, line.signs.length, effects),
  '\x02': (line, effects) => go(line, beforeOf(line), effects), '\x06': (line, effects) => go(line, afterOf(line), effects),
  '\x15': (line, effects) => remove(line, 0, line.at, effects), '\x0b': (line, effects) => remove(line, line.at, line.signs.length, effects),
  '\x17': (line, effects) => remove(line, wordBefore(line), line.at, effects),
  '\x0c': (line, effects) => { effects.push({ show: `\x1b[2J\x1b[H${draw({ ...line, from: 0 })}` }); return { ...line, from: 0 }; },
  '\x10': older, '\x0e': newer,
};

const SEQUENCES: Readonly<Record<string, Press>> = {
  A: older, B: newer, C: (line, effects) => go(line, afterOf(line), effects), D: (line, effects) => go(line, beforeOf(line), effects),
  H: (line, effects) => go(line, 0, effects), F: (line, effects) => go(line, line.signs.length, effects),
  '1~': (line, effects) => go(line, 0, effects), '4~': (line, effects) => go(line, line.signs.length, effects), '3~': (line, effects) => remove(line, line.at, afterOf(line), effects),
  '1;5C': (line, effects) => go(line, wordAfter(line), effects), '1;5D': (line, effects) => go(line, wordBefore(line), effects),
};
const ALT: Readonly<Record<string, Press>> = { b: (line, effects) => go(line, wordBefore(line), effects), f: (line, effects) => go(line, wordAfter(line), effects), '\x7f': (line, effects) => remove(line, wordBefore(line), line.at, effects) };

function press(line: Line, key: string, effects: Effect[]): Line {
  if (key.length > 1 && key.startsWith('\x1b')) {
    const known = /^\x1b[[O]/.test(key) ? SEQUENCES[key.slice(2)] : ALT[key.slice(1)];
    return known === undefined ? line : known(line, effects);  // a key that means nothing here
  }
  const known = KEYS[key];
  if (known !== undefined) return known(line, effects);
  if (/^[\x00-\x1f]$/.test(key)) { effects.push({ show: BELL }); return line; }
  return insert(line, Array.from(key), effects);
}

/** All that came together at once: a paste of a megabyte must not be copied sign by sign. */
function insert(line: Line, signs: readonly string[], effects: Effect[]): Line {
  const taken = signs.slice(0, Math.max(0, MAX_LINE - line.signs.length));
  if (taken.length < signs.length) effects.push({ show: BELL });
  if (taken.length === 0) return line;
  const next = { ...line, signs: [...line.signs.slice(0, line.at), ...taken, ...line.signs.slice(line.at)], at: line.at + taken.length };
  if (line.at === line.signs.length) effects.push({ show: `${taken.join('')}${place(next, next.at).col === 0 && taken.some((sign) => widthOf(sign) > 0) ? ' \r' : ''}` });
  else redraw(line, next, effects);
  return next;
}

function enter(line: Line, effects: Effect[]): Line {
  const text = line.signs.join('');
  effects.push({ show: `${toEnd(line)}\r\n` }, { send: text });
  const history = text.trim() === '' || line.history.at(-1) === text ? line.history : [...line.history, text].slice(-MAX_HISTORY);
  return cleared({ ...line, history });
}

const cleared = (line: Line): Line => ({ ...line, signs: [], at: 0, from: 0, past: line.history.length, draft: '' });

function back(line: Line, effects: Effect[]): Line {
  return remove(line, beforeOf(line), line.at, effects);
}

function remove(line: Line, from: number, to: number, effects: Effect[]): Line {
  if (from >= to) { effects.push({ show: BELL }); return line; }
  const next = { ...line, signs: [...line.signs.slice(0, from), ...line.signs.slice(to)], at: from };
  redraw(line, next, effects);
  return next;
}

function go(line: Line, at: number, effects: Effect[]): Line {
  if (at !== line.at) effects.push({ show: moved(place(line, line.at), place(line, at)) });
  return { ...line, at };
}

function older(line: Line, effects: Effect[]): Line { return recall(line, line.past - 1, effects); }
function newer(line: Line, effects: Effect[]): Line { return recall(line, line.past + 1, effects); }

function recall(line: Line, past: number, effects: Effect[]): Line {
  if (past < 0 || past > line.history.length) { effects.push({ show: BELL }); return line; }
  const draft = line.past === line.history.length ? line.signs.join('') : line.draft;
  const signs = Array.from(past === line.history.length ? draft : line.history[past] ?? '');
  const next = { ...line, signs, at: signs.length, past, draft };
  redraw(line, next, effects);
  return next;
}

function redraw(before: Line, after: Line, effects: Effect[]): void {
  effects.push({ show: `${erase(before)}${draw(after)}` });
}

/** Whole signs: what joins another one is no place for the cursor. */
function beforeOf(line: Line): number {
  let at = line.at - 1;
  while (at > 0 && widthOf(line.signs[at] ?? '') === 0) at -= 1;
  return Math.max(0, at);
}

function afterOf(line: Line): number {
  let at = line.at + 1;
  while (at < line.signs.length && widthOf(line.signs[at] ?? '') === 0) at += 1;
  return Math.min(line.signs.length, at);
}

function wordBefore({ signs, at }: Line): number {
  let to = at;
  while (to > 0 && signs[to - 1] === ' ') to -= 1;
  while (to > 0 && signs[to - 1] !== ' ') to -= 1;
  return to;
}

function wordAfter({ signs, at }: Line): number {
  let to = at;
  while (to < signs.length && signs[to] === ' ') to += 1;
  while (to < signs.length && signs[to] !== ' ') to += 1;
  return to;
}

interface Place { readonly row: number; readonly col: number }

/** Where the sign stands, in rows below the line's first one. */
function place({ signs, from, cols }: Line, at: number): Place {
  let row = 0;
  let col = from;
  for (let i = 0; i < at; i += 1) {
    const width = widthOf(signs[i] ?? '');
    if (col + width > cols) { row += 1; col = 0; }
    col += width;
  }
  return col >= cols ? { row: row + 1, col: 0 } : { row, col };
}

function moved(from: Place, to: Place): string {
  const rows = from.row === to.row ? '' : from.row > to.row ? `\x1b[${from.row - to.row}A` : `\x1b[${to.row - from.row}B`;
  if (from.col === to.col) return rows;
  return `${rows}${to.col < from.col ? `\x1b[${from.col - to.col}D` : `\x1b[${to.col - from.col}C`}`;
}

const toStart = (line: Line): string => moved(place(line, line.at), place(line, 0));
const toEnd = (line: Line): string => moved(place(line, line.at), place(line, line.signs.length));

/** What is shown one after the other is one piece. */
function joined(effects: readonly Effect[]): Effect[] {
  const whole: Effect[] = [];
  for (const effect of effects) {
    const last = whole.at(-1);
    if ('show' in effect && last !== undefined && 'show' in last) whole[whole.length - 1] = { show: last.show + effect.show };
    else whole.push(effect);
  }
  return whole;
}
