// Owns the words of a rule: its condition as a sentence, and what was measured.
import { metric as row } from '../../shared/metrics.ts';
import type { Condition, HeldBy, Rule } from '../../shared/rules.ts';
import { duration, percent, quantity } from '../../shared/units.ts';

/** "CPU at or above 90 %", "at least 5 requests with status 502.3 within 1 min". */
export function sayCondition(condition: Condition): string {
  switch (condition.type) {
    case 'metric': {
      const { what, limit, above } = metricWords(condition);
      return `${what} ${above ? 'at or above' : 'below'} ${limit}`;
    }
    case 'status': return counted(condition, `with status ${condition.status}${onPath(condition.path)}`, 'request') + share(condition.sharePercent);
    case 'slow': return counted(condition, `of ${duration(condition.overMs)} or more${onPath(condition.path)}`, 'request') + share(condition.sharePercent);
    case 'log': return counted(condition, `that match ${condition.pattern}${condition.source === undefined ? '' : ` in ${condition.source}`}`, 'log line');
    case 'exit': return counted(condition, condition.codes === undefined || condition.codes.length === 0 ? 'that nobody asked for' : `with ${condition.codes.join(' or ')}`, 'exit');
    case 'exception': return counted(condition, condition.filters.length === 0 ? 'of any kind' : `with ${condition.filters.join(' or ')}`, 'exception');
    case 'event': return counted(condition, [condition.source, condition.eventId].filter((one) => one !== undefined).join(' ') || 'of any source', 'event');
    case 'cause': return `the cause ${condition.cause} is found`;
    case 'schedule': return `at ${condition.at.join(', ')}${condition.days === undefined ? '' : ` on ${condition.days.join(', ')}`} (${condition.timeZone})`;
    case 'probe': return `${condition.path} fails ${condition.failures} times in a row, asked every ${duration(condition.everyMs)}`;
  }
}

/** What was measured, in the condition's unit. */
export function sayValue(condition: Condition, value: number): string {
  if (condition.type !== 'metric') return String(value);
  return condition.of === undefined ? quantity(value, row(condition.metric).unit) : percent(value);
}

/** The whole rule: condition, hold, limits. */
export function sayRule(rule: Rule): string {
  const hold = rule.forMs === 0 ? '' : `, for ${duration(rule.forMs)}${rule.sharePercent < 100 ? ` in ${percent(rule.sharePercent)} of what is measured` : ''}`;
  const { cooldownMs, perHour, perDay } = rule.limits;
  const limits = [`at most once in ${duration(cooldownMs)}`, ...(perHour === undefined ? [] : [`${perHour} an hour`]), ...(perDay === undefined ? [] : [`${perDay} a day`])];
  return `${sayCondition(rule.when)}${hold}: ${rule.do.map(({ type }) => type).join(', then ')}; ${limits.join(', ')}`;
}

const HELD: Readonly<Record<HeldBy, string>> = {
  cooldown: 'the cool-down lasts', 'per-hour': 'it has fired as often as it may in an hour', 'per-day': 'it has fired as often as it may in a day',
  'quiet-hours': 'these are its quiet hours', 'warm-up': 'the process is too young', acting: 'its actions still run',
};
export const sayHeld = (by: HeldBy): string => HELD[by];

function metricWords({ metric, of, above, below }: Extract<Condition, { type: 'metric' }>): { readonly what: string; readonly limit: string; readonly above: boolean } {
  const limit = above ?? below ?? 0;
  return of === undefined
    ? { what: row(metric).title, limit: quantity(limit, row(metric).unit), above: above !== undefined }
    : { what: `${row(metric).title} of ${row(of).title}`, limit: percent(limit), above: above !== undefined };
}

const counted = ({ count, withinMs }: { count: number; withinMs: number }, which: string, one: string): string => `at least ${count} ${one}${count === 1 ? '' : 's'} ${which} within ${duration(withinMs)}`;
const onPath = (path: string | undefined): string => (path === undefined ? '' : ` on ${path}`);
const share = (sharePercent: number | undefined): string => (sharePercent === undefined ? '' : `, ${percent(sharePercent)} of all`);
