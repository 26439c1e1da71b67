// Owns printing for people: aligned tables, colours only on a terminal, control characters of foreign text made visible.
import type { Finding, Report, Severity } from '../shared/model.ts';
import { duration } from '../shared/units.ts';

const COLOURS = { red: 31, yellow: 33, green: 32, blue: 34, dim: 90, bold: 1 } as const;

export function colour(name: keyof typeof COLOURS, text: string): string {
  const on = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
  return on ? `\u001b[${COLOURS[name]}m${text}\u001b[0m` : text;
}

/** Text from logs may carry escape sequences that would drive the terminal. */
export function safe(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

export function print(text = ''): void { process.stdout.write(`${text}\n`); }
export function printJson(value: unknown): void { process.stdout.write(`${JSON.stringify(value, null, 1)}\n`); }
/** Progress and remarks go to stderr, so that stdout stays the answer. */
export function remark(text: string): void { process.stderr.write(`${text}\n`); }

/** Columns as wide as their longest cell; `right` names the numeric ones. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const all = [head, ...rows];
  const widths = head.map((_, c) => Math.max(...all.map((r) => (r[c] ?? '').length)));
  const line = (row: readonly string[]): string => row.map((cell, c) => (right.includes(c) ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0))).join('  ').trimEnd();
  return [colour('dim', line(head)), ...rows.map(line)].join('\n');
}

const SEVERITY: Readonly<Record<Severity, keyof typeof COLOURS>> = { critical: 'red', warning: 'yellow', info: 'blue', good: 'green', 'cannot-tell': 'dim' };

export function printReport(report: Report): void {
  print(colour('bold', safe(report.headline.text)));
  for (const line of report.headline.detail) print(safe(line));
  for (const finding of report.findings) printFinding(finding);
  const bad = report.steps.filter((s) => s.state === 'failed' || s.state === 'skipped');
  if (bad.length > 0) print();
  for (const s of bad) print(colour(s.state === 'failed' ? 'yellow' : 'dim', `${s.state}: ${s.title}: ${safe(s.because ?? 'no reason given')}`));
}

function printFinding(finding: Finding): void {
  print();
  print(`${colour(SEVERITY[finding.severity], finding.severity.toUpperCase())}  ${safe(finding.title)}  ${colour('dim', finding.id)}`);
  print(`  ${safe(finding.why)}`);
  if (finding.advice) print(`  → ${safe(finding.advice)}`);
  for (const e of finding.evidence) {
    if (e.kind === 'stack') for (const f of e.frames.slice(0, 6)) print(colour('dim', `      ${safe(f.text)}`));
  }
}

export function took(ms: number | undefined): string { return ms === undefined ? '' : duration(ms); }
