// Owns the sentence that stands first when a cause was named, and the few that follow: how sure, since when, what else, what is left unexplained.
import type { Cause, Diagnosis } from '../shared/cause.ts';
import type { Report } from '../shared/model.ts';
import { count, plural } from '../shared/units.ts';
import { clock, shareText } from './parse/words.ts';

/** From one request in a hundred on, users notice. */
const CRITICAL_SHARE = 0.01;
const ALSO_TOLD = 2;

/** Undefined: no cause was found, the findings speak. `missing`: what the session could not collect. */
export function causeHeadline(diagnosis: Diagnosis | undefined, missing: readonly string[]): Report['headline'] | undefined {
  const found = diagnosis?.causes.filter((c) => c.verdict === 'found') ?? [];
  const [first, ...others] = found;
  if (!first || !diagnosis) return undefined;
  const healthy = first.id === 'healthy';
  const detail = healthy ? [...first.for.slice(0, 1).map((f) => `Checked: ${f.text}.`), ...others.slice(0, ALSO_TOLD).map((c) => c.title)] : [sure(first), ...began(first), ...explained(first, diagnosis), ...others.filter((c) => c.id !== 'healthy').slice(0, ALSO_TOLD).map((c) => `Also: ${c.title}`)];
  return { severity: healthy ? 'good' : severityOf(first, diagnosis), text: first.title, detail: [...detail, ...missing] };
}

function severityOf(cause: Cause, { accounting }: Diagnosis): 'critical' | 'warning' | 'info' {
  if (cause.id === 'client-aborts') return 'info';
  const share = accounting.requests === 0 ? 1 : cause.failedRequests / accounting.requests;
  return share >= CRITICAL_SHARE || (cause.failedRequests === 0 && cause.slowRequests === 0) ? 'critical' : 'warning';
}

function sure({ confidence }: Cause): string {
  const reasons = confidence?.reasons.slice(0, 3) ?? [];
  return `This is ${confidence?.word ?? 'possible'}: ${reasons.join('; ')}.`;
}

function began({ since, before }: Cause): string[] {
  if (since === undefined) return before === undefined ? [] : [before];
  return [`It began at ${clock(since)}${before === undefined ? '.' : `; ${before}`}`];
}

function explained(cause: Cause, { accounting }: Diagnosis): string[] {
  const whole = accounting.failed + accounting.slow;
  const mine = cause.failedRequests + cause.slowRequests;
  const out: string[] = [];
  if (whole > 0 && mine > 0) out.push(`It explains ${mine >= whole ? 'all' : shareText(mine, whole)} of the ${plural(whole, 'request')} that failed or were slow.`);
  const left = accounting.unexplained.reduce((n, u) => n + u.count, 0);
  if (left > 0) out.push(`${count(left)} are not explained: ${accounting.unexplained.slice(0, 3).map((u) => `${count(u.count)} as ${u.key}`).join(', ')}.`);
  if (accounting.aborts > 0) out.push(`${plural(accounting.aborts, 'more was', 'more were')} given up by the client, which is not the app's fault.`);
  return out;
}
