// Owns the one line on a terminal that changes while something runs; where stderr is no terminal there is none.
import { columns, cut, safeLine } from './print.ts';

const on = (): boolean => process.stderr.isTTY === true;
let shown = false;

/** Replaces the line. */
export function showLine(text: string): void {
  if (!on()) return;
  process.stderr.write(`\r\u001b[K${cut(safeLine(text), columns(process.stderr) - 1)}`);
  shown = true;
}

/** A line that stays, above the one that changes. */
export function keepLine(text: string): void {
  if (!on()) return;
  clearLine();
  process.stderr.write(`${safeLine(text)}\n`);
}

export function clearLine(): void {
  if (shown) process.stderr.write('\r\u001b[K');
  shown = false;
}
