// Owns the tests of editing a line without a terminal: keys in, what a screen shows and what is sent; the screen is a small terminal of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { draw, erase, MAX_HISTORY, MAX_LINE, newLine, type, type Effect, type Line } from '../../../src/platform/shell/line-editor.ts';
import { widthOf, widthOfOutput } from '../../../src/platform/shell/width.ts';

const ESC = '\x1b';
const KEY = { left: `${ESC}[D`, right: `${ESC}[C`, up: `${ESC}[A`, down: `${ESC}[B`, home: `${ESC}[H`, end: `${ESC}[F`, del: `${ESC}[3~`, back: '\x7f', enter: '\r', wordLeft: `${ESC}[1;5D`, wordRight: `${ESC}[1;5C` };

/** What a terminal of some columns shows: printing with the late wrap, CR, LF, BS, and the few sequences that the editor uses. */
class Screen {
  rows: string[][] = [[]];
  row = 0;
  col = 0;
  #wraps = false;
  readonly #cols: number;
  constructor(cols: number) { this.#cols = cols; }
  write(text: string): this {
    for (const [key] of text.matchAll(/\x1b\[[0-9;]*[A-Za-z]|[^]/gu)) this.#take(key);
    return this;
  }
  #take(key: string): void {
    const sequence = /^\x1b\[(\d*)([A-Z])$/.exec(key);
    if (sequence) { this.#move(Number(sequence[1] || '1'), sequence[2] ?? ''); return; }
    if (key === '\x07') return;
    if (key === '\r') { this.col = 0; this.#wraps = false; return; }
    if (key === '\n') { this.#down(); return; }
    const width = widthOf(key);
    if (width === 0) { const at = this.#wraps ? this.col : this.col - 1; this.#line()[at] += key; return; }
    if (this.#wraps || this.col + width > this.#cols) { this.#down(); this.col = 0; this.#wraps = false; }
    this.#line()[this.col] = key;
    if (width === 2) this.#line()[this.col + 1] = '';
    if (this.col + width >= this.#cols) { this.col = this.#cols - 1; this.#wraps = true; } else this.col += width;
  }
  #line(): string[] { return (this.rows[this.row] ??= []); }
  #down(): void { this.row += 1; this.rows[this.row] ??= []; }
  #move(by: number, what: string): void {
    this.#wraps = false;
    if (what === 'A') this.row -= by;
    else if (what === 'B') this.row += by;
    else if (what === 'C') this.col += by;
    else if (what === 'D') this.col -= by;
    else if (what === 'H') { this.row = 0; this.col = 0; } else if (what === 'J') {
      this.rows.length = this.row + 1;
      this.#line().length = Math.min(this.#line().length, this.col);
    } else throw new Error(`the screen does not know ${what}`);
    assert.ok(this.row >= 0 && this.col >= 0 && this.col < this.#cols, `the cursor left the screen: ${this.row} ${this.col}`);
  }
  text(): string { return this.rows.map((row) => Array.from(row, (sign) => sign ?? ' ').join('').trimEnd()).join('\n').trimEnd(); }
}

function typed(keys: string, cols = 40, prompt = '$ '): { line: Line; effects: Effect[]; screen: Screen; sent: string[] } {
  const screen = new Screen(cols).write(prompt);
  const { line, effects } = type({ ...newLine(cols), from: prompt.length }, keys);
  for (const effect of effects) if ('show' in effect) screen.write(effect.show);
  return { line, effects, screen, sent: effects.flatMap((e) => ('send' in e ? [e.send] : [])) };
}

const rows: readonly (readonly [name: string, keys: string, line: string, at: number])[] = [
  ['letters', 'echo hi', 'echo hi', 7],
  ['an insertion in the middle', `echo${KEY.left}${KEY.left}XY`, 'ecXYho', 4],
  ['backspace', `abc${KEY.back}${KEY.back}`, 'a', 1],
  ['backspace at the beginning does nothing', `${KEY.back}a${KEY.home}${KEY.back}`, 'a', 0],
  ['delete', `abc${KEY.home}${KEY.del}`, 'bc', 0],
  ['Ctrl+D deletes where there is a line', `abc${KEY.home}\x04`, 'bc', 0],
  ['home and end', `bc${KEY.home}a${KEY.end}d`, 'abcd', 4],
  ['Ctrl+A, Ctrl+E, Ctrl+B, Ctrl+F', 'bd\x01a\x06c\x05e\x02!', 'abcd!e', 5],
  ['Ctrl+U and Ctrl+K cut to the ends', `one two${KEY.wordLeft}\x0b`, 'one ', 4],
  ['Ctrl+U', `one two${KEY.wordLeft}\x15`, 'two', 0],
  ['Ctrl+W cuts a word', 'one two  \x17', 'one ', 4],
  ['by words', `one two three${KEY.wordLeft}${KEY.wordLeft}X${KEY.wordRight}Y`, 'one XtwoY three', 9],
  ['Alt+B and Alt+F', `one two${ESC}bX${ESC}f!`, 'one Xtwo!', 9],
  ['signs of East Asia take two cells', `日本語${KEY.left}${KEY.left}X`, '日X本語', 2],
  ['a sign with its accent is one step', `e\u0301a${KEY.left}${KEY.left}X`, 'Xe\u0301a', 1],
  ['backspace takes the sign with its accent', `ae\u0301${KEY.back}`, 'a', 1],
  ['keys that mean nothing are passed over', `a${ESC}[15~${ESC}[200~b${ESC}[201~`, 'ab', 2],
  ['control signs do not get into a line', 'a\x00\x1fb\tc', 'abc', 3],
];
for (const [name, keys, wanted, at] of rows) {
  for (const cols of [40, 7, 3]) {
    test(`${name}, on ${cols} columns: the screen shows the line and the cursor where it is`, () => {
      const { line, screen } = typed(keys, cols);
      assert.deepEqual([line.signs.join(''), line.at], [wanted, at]);
      const whole = new Screen(cols).write('$ ').write(wanted);
      assert.equal(screen.text(), whole.text());
      const before = new Screen(cols).write('$ ').write(line.signs.slice(0, at).join('')).write(' ');
      screen.write(' ');                                       // makes a wrap that waits
      assert.deepEqual([screen.row, screen.col], [before.row, before.col], 'the cursor');
    });
  }
}

const lines: readonly (readonly [name: string, keys: string, effects: readonly unknown[]])[] = [
  ['enter sends the line', 'ls\r', [{ show: 'ls\r\n' }, { send: 'ls' }]],
  ['enter in the middle sends the whole line', `ls${KEY.home}\r`, [{ show: `ls${ESC}[2D${ESC}[2C\r\n` }, { send: 'ls' }]],
  ['a paste of three lines sends two', 'a\r\nb\nc', [{ show: 'a\r\n' }, { send: 'a' }, { show: 'b\r\n' }, { send: 'b' }, { show: 'c' }]],
  ['Ctrl+C drops the line', 'rm\x03', [{ show: 'rm^C\r\n' }, { do: 'interrupt' }]],
  ['Ctrl+D on an empty line ends', '\x04', [{ do: 'end' }]],
  ['tab rings', '\t', [{ show: '\x07' }]],
];
for (const [name, keys, effects] of lines) test(name, () => { assert.deepEqual(typed(keys).effects, effects); });

test('after Ctrl+C and after enter the next line is empty', () => {
  assert.deepEqual(typed('rm -rf\x03\rls\r').sent, ['', 'ls']);
});

test('sequences may come in any pieces', () => {
  let line: Line = { ...newLine(40), from: 2 };
  for (const sign of `abc${KEY.left}${KEY.wordLeft}X${KEY.del}日`) ({ line } = type(line, sign));
  assert.deepEqual([line.signs.join(''), line.rest], ['X日bc', '']);
});

test('the history is walked, keeps the new line, leaves out blanks and repetitions, and is bounded', () => {
  const { line, sent } = typed(`one\rtwo\rtwo\r   \rnew${KEY.up}${KEY.up}${KEY.down}${KEY.down}!\r${KEY.up}${KEY.up}${KEY.up}\r${KEY.down}`);
  assert.deepEqual(sent, ['one', 'two', 'two', '   ', 'new!', 'one']);
  assert.deepEqual(line.history, ['one', 'two', 'new!', 'one']);
  const many = typed(Array.from({ length: MAX_HISTORY + 50 }, (_, i) => `c${i}\r`).join('')).line.history;
  assert.deepEqual([many.length, many[0], many.at(-1)], [MAX_HISTORY, 'c50', `c${MAX_HISTORY + 49}`]);
});

test('a line has an end', () => {
  const { line } = typed('x'.repeat(MAX_LINE + 100));
  assert.equal(line.signs.length, MAX_LINE);
});

test('output comes where the line stands, and the line after it: over every width and cursor', () => {
  for (const cols of [3, 5, 8, 40]) {
    for (let left = 0; left <= 9; left += 1) {
      const { line, screen } = typed(`abc日defgh${KEY.left.repeat(left)}`, cols, '$ ');
      const from = widthOfOutput('> ');
      screen.write(erase(line)).write('\r\nnews\r\n> ').write(draw({ ...line, from }));
      const wanted = new Screen(cols).write('$ \r\nnews\r\n> ').write('abc日defgh');
      assert.equal(screen.text(), wanted.text(), `${cols} columns, ${left} left`);
    }
  }
});

test('the width of a prompt leaves out colours, titles and what a return overwrote', () => {
  assert.deepEqual(['', 'ab', `${ESC}[1;32mroot${ESC}[0m# `, `${ESC}]0;title\x07$ `, 'loading\r> ', '日本> '].map(widthOfOutput), [0, 2, 6, 2, 2, 6]);
});
