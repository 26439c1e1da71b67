// Owns the report on a terminal: headline, findings with advice and stack, and the steps that gave nothing.
import type { Finding, Report, Severity, Step } from '../shared/model.ts';
import { plural } from '../shared/units.ts';
import { colour, print, safe, safeLine, wrap, type Colour } from './print.ts';

const SEVERITY: Readonly<Record<Severity, Colour>> = { critical: 'red', warning: 'yellow', info: 'blue', good: 'green', 'cannot-tell': 'dim' };
/** The place that throws and who called it; the whole stack is in report.html. */
const FRAMES = 6;

export function printReport(report: Report): void {
  print(colour('bold', wrap(safeLine(report.headline.text), '')));
  for (const line of report.headline.detail) print(wrap(safe(line), ''));
  for (const finding of report.findings) printFinding(finding);
  const failed = report.steps.filter((s) => s.state === 'failed' || s.state === 'cancelled');
  const skipped = report.steps.filter((s) => s.state === 'skipped');
  if (failed.length + skipped.length > 0) print();
  for (const step of [...failed, ...skipped]) print(colour(step.state === 'skipped' ? 'dim' : 'yellow', wrap(stepLine(step), '  ', '')));
}

function stepLine(step: Step): string {
  return `${step.state}: ${safeLine(step.title)}: ${safeLine(step.because ?? 'no reason given')}`;
}

function printFinding(finding: Finding): void {
  print();
  print(`${colour(SEVERITY[finding.severity], finding.severity.toUpperCase())}  ${safeLine(finding.title)}  ${colour('dim', finding.id)}`);
  print(wrap(safe(finding.why), '  '));
  if (finding.advice) print(wrap(safe(finding.advice), '    ', '  → '));
  for (const e of finding.evidence) {
    if (e.kind !== 'stack') continue;
    for (const f of e.frames.slice(0, FRAMES)) print(colour('dim', `      ${safeLine(f.text)}`));
    if (e.frames.length > FRAMES) print(colour('dim', `      … ${plural(e.frames.length - FRAMES, 'more frame')}`));
  }
}
