// Owns the history of the rules as a table: one line an entry, safe to open in a spreadsheet.
import type { RuleEntry } from './rules.ts';

const HEAD = ['time', 'instance', 'rule', 'did', 'firing', 'phase', 'heldBy', 'value', 'step', 'action', 'result', 'says', 'session', 'tookMs'] as const;

export function historyCsv(entries: readonly RuleEntry[]): string {
  return [HEAD.join(','), ...entries.map((entry) => cellsOf(entry).map(cell).join(','))].map((line) => `${line}\r\n`).join('');
}

function cellsOf(entry: RuleEntry): (string | number | undefined)[] {
  const has: Partial<Record<string, unknown>> = entry;
  const of = (name: string): string | number | undefined => { const value = has[name]; return typeof value === 'string' || typeof value === 'number' ? value : undefined; };
  return [new Date(entry.at).toISOString(), entry.instance, entry.rule, entry.did, of('firing'), of('phase'), of('heldBy'), of('value'), of('step'), of('type'), of('result'), of('says') ?? of('condition'), of('session'), of('tookMs')];
}

/** A cell that begins like a formula is text: spreadsheets would run it. */
function cell(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
