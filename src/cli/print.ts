// Owns printing: answers to stdout, remarks to stderr, colours only on a terminal, control characters of foreign text made visible.

const COLOURS = { red: 31, yellow: 33, green: 32, blue: 34, dim: 90, bold: 1 } as const;
export type Colour = keyof typeof COLOURS;

/** NO_COLOR with any value that is not empty switches colours off (no-color.org). */
export function colour(name: Colour, text: string): string {
  const on = process.stdout.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  return on ? `\u001b[${COLOURS[name]}m${text}\u001b[0m` : text;
}

/** Escape sequences drive a terminal, direction marks turn what is read around, and some terminals take U+0080 to U+009F as commands too. Newline and tab stay. */
const HOSTILE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text of many lines from logs, file names or an agent, without power over the terminal. */
export function safe(text: string): string {
  return text.replace(HOSTILE, (c) => { const code = c.charCodeAt(0); return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`; });
}

/** The same for a place that is one line: a table's cell, a title. */
export function safeLine(text: string): string {
  return safe(text.replace(/\n/g, '\\n').replace(/\t/g, ' '));
}

/** Cut to a width; the end says that it was. */
export function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
}

export function print(text = ''): void { process.stdout.write(`${text}\n`); }
/** JSON escapes only what is below U+0020; the rest of what drives a terminal is escaped too, and stays the same JSON. */
export function json(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(HOSTILE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
export function printJson(value: unknown): void { print(json(value, 1)); }
/** Progress and remarks go to stderr, so that stdout stays the answer. */
export function remark(text: string): void { process.stderr.write(`${text}\n`); }

/** A terminal that does not know its size says 0. */
const COLUMNS = 80;
const ROWS = 24;
/** Characters of a line; no limit where the output is no terminal. */
export function columns(of: NodeJS.WriteStream = process.stdout): number { return of.isTTY ? of.columns || COLUMNS : Number.POSITIVE_INFINITY; }
export function rows(): number { return process.stdout.rows || ROWS; }

/** Columns as wide as their longest cell; `right` names the numeric ones. A line longer than the terminal is cut there. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const all = [head, ...rows];
  const widths = head.map((_, c) => Math.max(...all.map((r) => (r[c] ?? '').length)));
  const line = (row: readonly string[]): string => cut(row.map((cell, c) => (right.includes(c) ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0))).join('  ').trimEnd(), columns());
  return [colour('dim', line(head)), ...rows.map(line)].join('\n');
}

/** Words of each line wrapped at the terminal's width, every line after `indent`; a word longer than a line stays whole. */
export function wrap(text: string, indent: string, first = indent): string {
  const width = columns();
  const out: string[] = [];
  let lead = first;
  for (const line of text.split('\n')) {
    let current = '';
    for (const word of line.split(' ')) {
      if (current !== '' && lead.length + current.length + 1 + word.length > width) { out.push(lead + current); lead = indent; current = word; }
      else current = current === '' ? word : `${current} ${word}`;
    }
    out.push(lead + current);
    lead = indent;
  }
  return out.join('\n');
}
