// Owns auto-heal as its form holds it: every field a text, and the rules that they make.
import { AutoHealRules, plainRules, type AutoHealActions } from '../../../shared/auto-heal.ts';
import { seconds, timeSpan } from '../../../shared/auto-heal-bounds.ts';

export interface StatusDraft { readonly status: string; readonly sub: string; readonly win32: string; readonly count: string; readonly withinS: string }
export interface HealDraft {
  readonly requests: boolean; readonly requestCount: string; readonly requestWithinS: string;
  readonly slow: boolean; readonly slowTakenS: string; readonly slowCount: string; readonly slowWithinS: string;
  readonly memory: boolean; readonly memoryKB: string;
  readonly statuses: readonly StatusDraft[];
  readonly action: AutoHealActions['actionType']; readonly exe: string; readonly parameters: string; readonly leastS: string;
}

export const NEW_STATUS: StatusDraft = { status: '502', sub: '', win32: '', count: '10', withinS: '300' };
const SOME_KB = 1_572_864;
const inS = (span: string | undefined, other: string): string => { const found = seconds(span); return found === undefined ? other : String(found); };

/** Rules of web.config as a draft; what is not there yet begins with values that make sense. */
export function healDraftOf({ triggers, actions }: AutoHealRules): HealDraft {
  const { requests, slowRequests, privateBytesInKB, statusCodes = [] } = triggers ?? {};
  return {
    requests: requests !== undefined, requestCount: String(requests?.count ?? 1_000), requestWithinS: inS(requests?.timeInterval, '600'),
    slow: slowRequests !== undefined, slowTakenS: inS(slowRequests?.timeTaken, '60'), slowCount: String(slowRequests?.count ?? 10), slowWithinS: inS(slowRequests?.timeInterval, '300'),
    memory: privateBytesInKB !== undefined, memoryKB: String(privateBytesInKB ?? SOME_KB),
    statuses: statusCodes.map((one) => ({ status: String(one.status), sub: one.subStatus === undefined ? '' : String(one.subStatus), win32: one.win32Status === undefined ? '' : String(one.win32Status), count: String(one.count), withinS: inS(one.timeInterval, '300') })),
    action: actions?.actionType ?? 'Recycle', exe: actions?.customAction?.exe ?? '', parameters: actions?.customAction?.parameters ?? '', leastS: actions?.minProcessExecutionTime === undefined ? '' : inS(actions.minProcessExecutionTime, ''),
  };
}

/** The rules, or what is wrong with a field. A draft without any trigger switches auto-heal off. */
export function rulesOf(draft: HealDraft): AutoHealRules | string {
  const triggers = {
    ...(draft.requests ? { requests: { count: whole(draft.requestCount), timeInterval: span(draft.requestWithinS) } } : {}),
    ...(draft.slow ? { slowRequests: { timeTaken: span(draft.slowTakenS), count: whole(draft.slowCount), timeInterval: span(draft.slowWithinS) } } : {}),
    ...(draft.memory ? { privateBytesInKB: whole(draft.memoryKB) } : {}),
    statusCodes: draft.statuses.map((one) => ({ status: whole(one.status), subStatus: one.sub.trim() === '' ? undefined : whole(one.sub), win32Status: one.win32.trim() === '' ? undefined : whole(one.win32), count: whole(one.count), timeInterval: span(one.withinS) })),
  };
  if (Object.keys(triggers).length === 1 && draft.statuses.length === 0) return {};
  const actions = { actionType: draft.action, ...(draft.action === 'CustomAction' ? { customAction: { exe: draft.exe, parameters: draft.parameters } } : {}), ...(draft.leastS.trim() === '' ? {} : { minProcessExecutionTime: span(draft.leastS) }) };
  const made = AutoHealRules.safeParse({ triggers, actions });
  if (made.success) return plainRules(made.data);
  const [first] = made.error.issues;
  return `${first?.path.join('.') ?? ''}: ${first?.message ?? ''}`;
}

const whole = (text: string): number => (/^\s*\d{1,10}\s*$/.test(text) ? Number(text) : NaN);
/** Not a number of seconds: a text that the schema refuses. */
const span = (text: string): string => (/^\s*\d{1,8}\s*$/.test(text) ? timeSpan(Number(text)) : text.trim() || 'missing');
