// Owns what the form of a rule holds: texts as they are typed, and the rule that they make.
import { Rule, type ActionStep, type Condition } from '../../../shared/rules.ts';

export const FORM_TYPES = ['metric', 'status', 'slow', 'exit', 'exception', 'log', 'probe', 'cause'] as const;
export type FormType = (typeof FORM_TYPES)[number];
export const FORM_ACTIONS = ['diagnose', 'collect', 'recycle', 'end-process', 'notify'] as const;
export type FormAction = (typeof FORM_ACTIONS)[number];

/** Everything is text: half a number is what somebody is typing. */
export interface Draft {
  readonly id: string; readonly title: string; readonly enabled: boolean;
  readonly type: FormType; readonly metric: string; readonly side: 'above' | 'below'; readonly limit: string;
  readonly status: string; readonly overMs: string; readonly path: string; readonly share: string; readonly count: string; readonly withinS: string;
  readonly pattern: string; readonly source: string; readonly cause: string; readonly everyS: string;
  readonly forS: string; readonly warmUpS: string; readonly cooldownMin: string; readonly perHour: string; readonly perDay: string;
  readonly steps: readonly { readonly type: FormAction; readonly diagnosers: string; readonly evenIfFailed: boolean }[];
}

const NEW: Draft = {
  id: '', title: '', enabled: true, type: 'metric', metric: 'site.cpu', side: 'above', limit: '90', status: '5xx', overMs: '5000', path: '', share: '', count: '5', withinS: '60',
  pattern: '', source: '', cause: 'memory-leak-js', everyS: '30', forS: '30', warmUpS: '0', cooldownMin: '5', perHour: '', perDay: '',
  steps: [{ type: 'diagnose', diagnosers: '', evenIfFailed: false }],
};

/** Undefined where the rule says more than the form can: it is edited as text then. */
export function draftOf(rule: Rule | undefined): Draft | undefined {
  if (rule === undefined) return NEW;
  const { when, limits } = rule;
  if (!(FORM_TYPES as readonly string[]).includes(when.type) || rule.do.some((step) => !(FORM_ACTIONS as readonly string[]).includes(step.type))) return undefined;
  const draft: Draft = {
    ...NEW, id: rule.id, title: rule.title ?? '', enabled: rule.enabled, forS: seconds(rule.forMs), warmUpS: seconds(rule.warmUpMs), cooldownMin: String(limits.cooldownMs / 60_000), perHour: text(limits.perHour), perDay: text(limits.perDay),
    ...conditionTexts(when), steps: rule.do.map((step) => ({ type: step.type as FormAction, diagnosers: step.type === 'collect' ? step.diagnosers.map(({ id }) => id).join(', ') : '', evenIfFailed: step.evenIfFailed ?? false })),
  };
  // What the form would lose is not edited by it: options of a diagnoser, quiet hours and the rest.
  const again = ruleOf(draft, rule);
  return typeof again !== 'string' && JSON.stringify(sorted(again)) === JSON.stringify(sorted(rule)) ? draft : undefined;
}

function conditionTexts(when: Condition): Partial<Draft> {
  const type = when.type as FormType;
  const counted = 'count' in when ? { count: String(when.count), withinS: seconds(when.withinMs) } : {};
  const onPath = 'path' in when ? { path: when.path ?? '' } : {};
  const share = 'sharePercent' in when ? { share: text(when.sharePercent) } : {};
  switch (when.type) {
    case 'metric': return { type, metric: when.metric, side: when.above === undefined ? 'below' : 'above', limit: text(when.above ?? when.below) };
    case 'status': return { type, ...counted, ...onPath, ...share, status: when.status };
    case 'slow': return { type, ...counted, ...onPath, ...share, overMs: String(when.overMs) };
    case 'log': return { type, ...counted, pattern: when.pattern, source: when.source ?? '' };
    case 'probe': return { type, ...onPath, everyS: seconds(when.everyMs), count: String(when.failures) };
    case 'cause': return { type, ...counted, cause: when.cause };
    default: return { type, ...counted };
  }
}

/** The rule, or what is wrong with the first field that is. `before` keeps what the form does not show. */
export function ruleOf(draft: Draft, before?: Rule): Rule | string {
  const number = (typed: string): number | undefined => (typed.trim() === '' ? undefined : Number(typed));
  const made = Rule.safeParse({
    ...before, id: draft.id, title: draft.title.trim() === '' ? undefined : draft.title, enabled: draft.enabled, when: conditionOf(draft, before?.when),
    forMs: (number(draft.forS) ?? 0) * 1_000, warmUpMs: (number(draft.warmUpS) ?? 0) * 1_000,
    do: draft.steps.map((step, i) => stepOf(step, before?.do[i])), limits: { cooldownMs: (number(draft.cooldownMin) ?? 0) * 60_000, perHour: number(draft.perHour), perDay: number(draft.perDay) },
  });
  if (made.success) return made.data;
  const [issue] = made.error.issues;
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`.replace(/^: /, '');
}

function conditionOf(draft: Draft, before: Condition | undefined): object {
  const { type } = draft;
  const kept = before?.type === type ? before : {};
  const or = (typed: string): string | undefined => (typed.trim() === '' ? undefined : typed);
  const counted = { count: Number(draft.count), withinMs: Number(draft.withinS) * 1_000 };
  const request = { ...counted, path: or(draft.path), sharePercent: draft.share.trim() === '' ? undefined : Number(draft.share) };
  switch (type) {
    case 'metric': return { ...kept, type, metric: draft.metric, above: undefined, below: undefined, [draft.side]: draft.limit.trim() === '' ? undefined : Number(draft.limit) };
    case 'status': return { ...kept, ...request, type, status: draft.status };
    case 'slow': return { ...kept, ...request, type, overMs: Number(draft.overMs) };
    case 'log': return { ...kept, ...counted, type, pattern: draft.pattern, source: or(draft.source) };
    case 'probe': return { ...kept, type, path: or(draft.path) ?? '/', everyMs: Number(draft.everyS) * 1_000, failures: Number(draft.count) };
    case 'cause': return { ...kept, ...counted, type, cause: draft.cause };
    default: return { ...kept, ...counted, type };
  }
}

function stepOf({ type, diagnosers, evenIfFailed }: Draft['steps'][number], before: ActionStep | undefined): object {
  const kept = before?.type === type ? before : {};
  const ids = diagnosers.split(',').map((id) => id.trim()).filter(Boolean);
  const old = before?.type === 'collect' ? before.diagnosers : [];
  return { ...kept, type, ...(evenIfFailed ? { evenIfFailed } : { evenIfFailed: undefined }), ...(type === 'collect' ? { diagnosers: ids.map((id) => old.find((one) => one.id === id) ?? { id }) } : {}) };
}

const seconds = (ms: number): string => String(ms / 1_000);
const text = (value: number | undefined): string => (value === undefined ? '' : String(value));

/** The same value with its keys in order, and nothing that is undefined. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, sorted(one)]));
}
