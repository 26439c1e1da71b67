// Owns the words of findings: hostile text made one safe line, long text cut, shares, paths and instants as people say them.
import { plural, percent, utcTime } from '../../shared/units.ts';
import { visible } from '../../shared/view.ts';

/** Longest text of one evidence cell or log line kept in a report: a stack of 40 frames fits, a line of 1 MB does not. */
export const KEPT_CHARS = 4_000;
/** Longest text from outside inside a title or sentence. */
const TITLE_CHARS = 160;

/** Text from outside as one line without control characters, cut: safe in a title, a terminal and a sentence. */
export function oneLine(text: string, max = TITLE_CHARS): string {
  return cut(visible(text.slice(0, max * 4).replace(/\s+/g, ' ').trim()), max);
}

/** The text, or its beginning and how much is left out. */
export function cut(text: string, max = KEPT_CHARS): string {
  if (text.length <= max) return text;
  const end = isHigh(text.charCodeAt(max - 1)) ? max - 1 : max;   // not inside a surrogate pair
  return `${text.slice(0, end)}… (${plural(text.length - end, 'character')} more)`;
}

const isHigh = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;

/** "5.1 %": never "0 %" for something, never "100 %" for not all. */
export function shareText(part: number, whole: number): string {
  if (whole <= 0) return '0 %';
  const share = (part / whole) * 100;
  if (part > 0 && share < 0.01) return 'under 0.01 %';
  if (part < whole && share > 99.9) return 'over 99.9 %';
  return percent(share);
}

/** A source file as its owner knows it: below wwwroot, else its last two segments. "lib/cart.js" */
export function shortFile(file: string): string {
  const plain = file.replace(/^file:\/\/\/?/, '').replaceAll('\\', '/');
  const root = plain.toLowerCase().lastIndexOf('wwwroot/');
  if (root >= 0) return oneLine(plain.slice(root + 'wwwroot/'.length), 120);
  return oneLine(plain.split('/').filter((part) => part !== '').slice(-2).join('/'), 120);
}

/** "02:14:07 UTC". */
export function clock(at: number): string {
  return `${utcTime(at)} UTC`;
}

/** "once", "twice", "4 times". */
export function times(n: number): string {
  return n === 1 ? 'once' : n === 2 ? 'twice' : `${n.toLocaleString('en-US')} times`;
}

/** Letters and digits joined by dashes: part of an id that can be linked to. */
export function slug(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40) || 'unnamed';
}

/** "502.3 · 12030", "500.0", "503". */
export function codeName(code: { readonly status: number; readonly sub?: number | undefined; readonly win32?: number | undefined }): string {
  return `${code.status}${code.sub === undefined ? '' : `.${code.sub}`}${code.win32 === undefined || code.win32 === 0 ? '' : ` · ${code.win32}`}`;
}

export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
