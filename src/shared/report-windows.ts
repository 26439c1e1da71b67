// Owns the windows of what was found: from when to when each cause and finding was seen at work, as a band on the timeline and the link that shows it.
import type { Cause } from './cause.ts';
import type { Finding, Report } from './model.ts';
import { utcForm, instant } from './report-parts.ts';
import type { Drawing } from './report-parts.ts';
import { el } from './view.ts';
import type { Element } from './view.ts';

export interface Seen { readonly id: string; readonly name: string; readonly from: number; readonly to: number }

/** Causes of one id are told apart by their place in the list. */
export function causeId(report: Report, cause: Cause): string {
  const alike = report.causes.filter((c) => c.id === cause.id);
  const place = alike.indexOf(cause);
  return `cause-${cause.id}${place > 0 ? `-${place + 1}` : ''}`;
}

/** From its begin to its last proof. */
export function windowOfCause(report: Report, cause: Cause): Seen | undefined {
  const ats = [cause.since, ...[...cause.for, ...cause.chain].flatMap((f) => [f.at, 'until' in f ? f.until : undefined])].flatMap((at) => (at === undefined ? [] : [at]));
  return cause.verdict === 'found' && cause.id !== 'healthy' ? spanOf(report, causeId(report, cause), cause.id, ats) : undefined;
}

/** From the first to the last instant in its proof. */
export function windowOfFinding(report: Report, finding: Finding): Seen | undefined {
  const ats = finding.evidence.flatMap((piece): number[] => {
    if (piece.kind === 'lines') return piece.lines.flatMap((line) => (line.at === undefined ? [] : [line.at]));
    if (piece.kind === 'table') return piece.rows.flatMap((row) => row.flatMap((cell, i) => ((piece.drawn === 'chain' ? i === 0 : piece.columns[i]?.unit === 'at') && typeof cell === 'number' ? [cell] : [])));
    return [];
  });
  return spanOf(report, `finding-${finding.id}`, finding.title, ats);
}

function spanOf({ window }: Report, id: string, name: string, ats: readonly number[]): Seen | undefined {
  const inside = ats.filter((at) => at >= window.from && at <= window.to);
  return inside.length === 0 ? undefined : { id, name, from: Math.min(...inside), to: Math.max(...inside) };
}

export function windowsOf(report: Report): Seen[] {
  return [...report.causes.map((c) => windowOfCause(report, c)), ...report.findings.map((f) => windowOfFinding(report, f))].flatMap((one) => (one === undefined ? [] : [one]));
}

const bandId = (seen: Seen): string => `window-${seen.id}`;

/** Shows its window: a place in the page for whoever has no script, and found by the keyboard like any link. */
export function windowLink(seen: Seen | undefined, on: Drawing): Element | undefined {
  if (seen === undefined) return undefined;
  const form = on.days ? 'full' : 'time';
  const when = seen.to - seen.from < 1_000 ? [instant(seen.from, form)] : [instant(seen.from, form), ' – ', instant(seen.to, form)];
  return el('p', { class: 'window-link' }, el('a', { href: `#${bandId(seen)}` }, 'Show on the timeline: ', when, ' UTC'));
}

/** One band each over all lanes, seen only while it is asked for. */
export function windowBands(report: Report, x: (at: number) => number): Element | undefined {
  const windows = windowsOf(report);
  if (windows.length === 0) return undefined;
  return el('svg', { class: 'windows', width: '100%', height: '100%', 'aria-hidden': 'true' }, windows.map((seen) => {
    const from = x(seen.from), wide = Math.max(LEAST_PERCENT, x(seen.to) - from);
    return el('rect', { id: bandId(seen), x: `${Math.min(from, 100 - wide)}%`, y: 0, width: `${Math.round(wide * 100) / 100}%`, height: '100%' }, el('title', {}, `${seen.name}: ${utcForm(seen.from, 'full')} to ${utcForm(seen.to, 'full')} UTC`));
  }));
}
/** A moment must be seen too. */
const LEAST_PERCENT = 0.6;
