// Owns the way between auto-heal and our rules: what each can say of the other, and a sentence for everything that it cannot.
import { plainRules, type AutoHealActions, type AutoHealRules, type AutoHealTriggers, type StatusTrigger } from '../../shared/auto-heal.ts';
import { MAX_MIN_PROCESS_S, MAX_STATUS, MIN_STATUS, seconds, statusKey, timeSpan } from '../../shared/auto-heal-bounds.ts';
import { Rule, type ActionStep, type Condition } from '../../shared/rules.ts';
import { duration } from '../../shared/units.ts';

export interface AsRules { readonly rules: Rule[]; readonly lost: string[] }
export interface AsAutoHeal { readonly autoHeal: AutoHealRules; readonly lost: string[] }

const HOUR_MS = 3_600_000;
/** Auto-heal knows no limits; a rule that recycles must have some. */
const PER_HOUR = 4, PER_DAY = 24;

/** Each trigger becomes a rule of its own, off: two that heal the same would otherwise both act. */
export function toRules(given: AutoHealRules): AsRules {
  const { triggers, actions } = plainRules(given);
  const lost: string[] = [], rules: Rule[] = [];
  if (triggers === undefined || actions === undefined) return { rules, lost: ['Auto-heal is off: there is nothing to say.'] };
  const steps = stepsOf(actions, lost);
  const warmUpMs = 1_000 * (seconds(actions.minProcessExecutionTime) ?? 0);
  const add = (id: string, title: string, when: Condition): void => {
    const cooldownMs = Math.max('withinMs' in when ? when.withinMs : 60_000, warmUpMs);
    rules.push(Rule.parse({ id: `auto-heal-${id}`, title, enabled: false, when, warmUpMs, do: steps, limits: { cooldownMs, perHour: PER_HOUR, perDay: PER_DAY } }));
  };
  if (triggers.requests) lost.push(`All requests, ${triggers.requests.count} within ${triggers.requests.timeInterval}: our rules count failing or slow ones; use a metric such as http.requests.`);
  if (triggers.privateBytesInKB !== undefined) {
    add('memory', `Auto-heal: ${triggers.privateBytesInKB} KB of private bytes`, { type: 'metric', metric: 'process.private-bytes', above: triggers.privateBytesInKB * 1_024 });
    lost.push('Private bytes: our rule judges each process of the site, children of the worker too.');
  }
  for (const [i, one] of conditionsOf(triggers, lost).entries()) add(`${one.type}-${i + 1}`, `Auto-heal: ${one.says}`, one.when);
  if (rules.length > 0) lost.push(`Limits: auto-heal has none; each rule acts at most ${PER_HOUR} times an hour and ${PER_DAY} times a day, and is off until you turn it on.`);
  return { rules, lost };
}

function conditionsOf(triggers: AutoHealTriggers, lost: string[]): { type: 'status' | 'slow'; says: string; when: Condition }[] {
  const made: { type: 'status' | 'slow'; says: string; when: Condition }[] = [];
  const counted = (says: string, one: { count: number; timeInterval: string; path?: string | undefined }): { count: number; withinMs: number; path?: string } | undefined => {
    const withinMs = 1_000 * (seconds(one.timeInterval) ?? 0);
    if (withinMs < 1_000 || withinMs > HOUR_MS || one.count < 1 || one.count > 1_000_000) { lost.push(`${says}: our rules count within 1 s to 1 h, up to a million.`); return undefined; }
    if (one.path !== undefined && !one.path.startsWith('/')) { lost.push(`${says}: a path of our rules begins with /.`); return undefined; }
    return { count: one.count, withinMs, ...(one.path === undefined ? {} : { path: one.path }) };
  };
  for (const one of triggers.statusCodes ?? []) {
    const says = `${one.count} answers ${statusKey(one)} within ${one.timeInterval}`, counts = counted(says, one);
    if (counts && one.status >= 100 && one.status <= 599) made.push({ type: 'status', says, when: { type: 'status', status: statusKey({ ...one, path: undefined }), ...counts } });
    else if (counts) lost.push(`${says}: our rules know statuses from 100 to 599.`);
  }
  for (const one of triggers.statusCodesRange ?? []) {
    const says = `${one.count} answers ${one.statusCodes} within ${one.timeInterval}`, pattern = patternOf(one.statusCodes), counts = pattern === undefined ? undefined : counted(says, one);
    if (pattern === undefined) lost.push(`${says}: our rules know single statuses and whole classes as 5xx, no other range.`);
    if (pattern !== undefined && counts) made.push({ type: 'status', says, when: { type: 'status', status: pattern, ...counts } });
  }
  for (const one of [...(triggers.slowRequests ? [triggers.slowRequests] : []), ...(triggers.slowRequestsWithPath ?? [])]) {
    const overMs = 1_000 * (seconds(one.timeTaken) ?? 0), says = `${one.count} requests over ${one.timeTaken} within ${one.timeInterval}`, counts = counted(says, one);
    if (overMs < 1 || overMs > HOUR_MS) lost.push(`${says}: our rules know times up to 1 h.`);
    else if (counts) made.push({ type: 'slow', says, when: { type: 'slow', overMs, ...counts } });
  }
  return made;
}

/** "500-599" is 5xx, as far as statuses are defined; "502" and "502-502" are 502. */
function patternOf(range: string): string | undefined {
  const [from = '', to = from] = range.split('-');
  if (from === to) return /^[1-5]/.test(from) ? from : undefined;
  const last = Number(to) - Number(from[0]) * 100;
  return Number(from) % 100 === 0 && /^[1-5]/.test(from) && (last === 99 || (from[0] === '5' && Number(to) === MAX_STATUS)) ? `${from[0]}xx` : undefined;
}

function stepsOf({ actionType, customAction }: AutoHealActions, lost: string[]): ActionStep[] {
  if (actionType === 'Recycle') return [{ type: 'recycle', what: 'worker', overlapped: true }];
  if (actionType === 'LogEvent') { lost.push('The line in the event log: a rule writes its own history and tells your channels instead.'); return [{ type: 'notify' }]; }
  if (/%\d+%/.test(customAction?.parameters ?? '')) lost.push('Placeholders such as %1%: our program finds the process in DIAG_PID of its environment instead.');
  return [{ type: 'run', program: (customAction?.exe ?? '').slice(0, 500) || 'missing.exe', arguments: words(customAction?.parameters ?? ''), limitMs: HOUR_MS }];
}

/** A Windows command line as its arguments; quotes hold words together. */
function words(text: string): string[] {
  return [...text.matchAll(/(?:[^\s"]|"[^"]*"?)+/g)].slice(0, 50).map(([word]) => word.replaceAll('"', ''));
}

type Lists = Omit<AutoHealTriggers, 'statusCodes' | 'statusCodesRange' | 'slowRequestsWithPath'> & { [K in 'statusCodes' | 'statusCodesRange' | 'slowRequestsWithPath']: NonNullable<AutoHealTriggers[K]> };

/** One set of auto-heal has one action: the first rule's is taken, what differs is told. */
export function toAutoHeal(rules: readonly Rule[]): AsAutoHeal {
  const lost: string[] = [];
  const triggers: Lists = { statusCodes: [], statusCodesRange: [], slowRequestsWithPath: [] };
  let action: AutoHealActions | undefined, leastS = 0;
  for (const rule of rules) {
    const own = actionOf(rule);
    if (action !== undefined && (own.actionType !== action.actionType || own.customAction?.exe !== action.customAction?.exe || own.customAction?.parameters !== action.customAction?.parameters)) { lost.push(`Rule ${rule.id}: it does something else than the first one, and auto-heal has one action for all.`); continue; }
    const why = addTrigger(rule.when, triggers);
    if (why !== undefined) { lost.push(`Rule ${rule.id}: ${why}.`); continue; }
    action ??= own;
    leastS = Math.max(leastS, Math.ceil(rule.warmUpMs / 1_000));
    lost.push(...leftOf(rule));
  }
  if (action === undefined) return { autoHeal: {}, lost };
  if (leastS > MAX_MIN_PROCESS_S) lost.push(`The warm-up of ${duration(leastS * 1_000)}: auto-heal takes at most ${duration(MAX_MIN_PROCESS_S * 1_000)}.`);
  return { autoHeal: plainRules({ triggers, actions: { ...action, ...(leastS > 0 ? { minProcessExecutionTime: timeSpan(Math.min(leastS, MAX_MIN_PROCESS_S)) } : {}) } }), lost };
}

/** Why a condition cannot be a trigger; undefined: it was added. */
function addTrigger(when: Condition, triggers: Lists): string | undefined {
  if ('sharePercent' in when && when.sharePercent !== undefined) return 'auto-heal knows no share of all requests, and without it the trigger would fire more often';
  if (when.type === 'metric') {
    if (when.metric !== 'process.private-bytes' || when.of !== undefined || when.above === undefined) return 'of the metrics auto-heal knows private bytes at or above a limit';
    if (triggers.privateBytesInKB !== undefined) return 'auto-heal has one memory limit, and an earlier rule took it';
    triggers.privateBytesInKB = Math.round(when.above / 1_024);
    return undefined;
  }
  if (when.type !== 'status' && when.type !== 'slow') return `auto-heal has no trigger for the condition ${when.type}`;
  if (when.path?.includes('*') === true) return 'the path holds *, and what auto-heal makes of it is not documented';
  const counted = { count: when.count, timeInterval: timeSpan(when.withinMs / 1_000), ...(when.path === undefined ? {} : { path: when.path }) };
  if (when.type === 'slow') {
    const slow = { timeTaken: timeSpan(Math.max(1, Math.ceil(when.overMs / 1_000))), ...counted };
    if (when.path !== undefined) triggers.slowRequestsWithPath.push(slow);
    else if (triggers.slowRequests !== undefined) return 'auto-heal has one trigger for slow requests without a path, and an earlier rule took it';
    else triggers.slowRequests = slow;
    return undefined;
  }
  const all = /^([1-5])xx$/.exec(when.status)?.[1];
  if (all !== undefined) triggers.statusCodesRange.push({ statusCodes: `${Math.max(MIN_STATUS, Number(all) * 100)}-${Math.min(MAX_STATUS, Number(all) * 100 + 99)}`, ...counted });
  else triggers.statusCodes.push(statusOf(when.status, counted));
  return undefined;
}

function statusOf(pattern: string, counted: { count: number; timeInterval: string; path?: string }): StatusTrigger {
  const [status = 0, subStatus, win32Status] = pattern.split('.').map(Number);
  return { status, ...(subStatus === undefined ? {} : { subStatus }), ...(win32Status === undefined ? {} : { win32Status }), ...counted };
}

function actionOf(rule: Rule): AutoHealActions {
  const run = rule.do.find((one) => one.type === 'run');
  if (rule.do.some(({ type }) => type === 'recycle')) return { actionType: 'Recycle' };
  if (run === undefined) return { actionType: 'LogEvent' };
  const parameters = run.arguments.map((one) => (/\s|^$/.test(one) ? `"${one}"` : one)).join(' ');
  return { actionType: 'CustomAction', customAction: { exe: run.program, ...(parameters === '' ? {} : { parameters }) } };
}

/** What of a rule that becomes a trigger is left behind. */
function leftOf(rule: Rule): string[] {
  const { actionType } = actionOf(rule);
  const done: Readonly<Record<string, string>> = { Recycle: 'recycle', CustomAction: 'run', LogEvent: '' };
  const steps = rule.do.filter(({ type }) => type !== done[actionType]).map(({ type }) => type);
  const { perHour, perDay, cooldownMs } = rule.limits;
  const left = [
    ...(steps.length > 0 ? [`the steps ${steps.join(', ')}`] : []), ...(actionType === 'LogEvent' ? ['that it only tells becomes a line in the event log'] : []),
    ...(rule.do.some((one) => one.type === 'recycle' && one.what === 'site') ? ['that all workers are recycled: auto-heal recycles the one'] : []),
    ...(rule.forMs > 0 ? [`the hold of ${duration(rule.forMs)}`] : []), `its limits (at most once in ${duration(cooldownMs)}${perHour === undefined ? '' : `, ${perHour} an hour`}${perDay === undefined ? '' : `, ${perDay} a day`})`,
    ...(rule.quiet === undefined ? [] : ['its quiet hours']), ...(rule.until === undefined ? [] : ['its end']),
    ...(rule.when.type === 'status' && rule.when.status === '5xx' ? [`statuses above ${MAX_STATUS}, which the portal does not take`] : []), ...(rule.enabled ? [] : ['that it is off']),
  ];
  return left.map((one) => `Rule ${rule.id}: ${one}.`);
}
