// Owns the canned rules of the stage: some in each phase, one refused, a history, channels.
import type { z } from 'zod';
import { Rule, type RuleEntry, type RulesView, type RuleView, type TrialView } from '../../src/shared/rules.ts';
import type { ChannelView } from '../../src/shared/alerts.ts';
import { sayHeld, sayRule } from '../../src/mitigate/rules/describe.ts';
import { presets as all } from '../../src/mitigate/rules/presets.ts';
import { T, app } from './stage-data.ts';

const MINUTE = 60_000;
const made = (given: z.input<typeof Rule>): Rule => Rule.parse(given);
const LEAK = made({ id: 'leak', title: 'A worker that leaks', when: { type: 'metric', metric: 'process.private-bytes', above: 1.5 * 2 ** 30 }, forMs: MINUTE, do: [{ type: 'collect', diagnosers: [{ id: 'memory-dump' }] }, { type: 'recycle', evenIfFailed: true }, { type: 'notify', evenIfFailed: true }], limits: { cooldownMs: 30 * MINUTE, perHour: 1, perDay: 6 } });
const GATEWAY = made({ id: 'bad-gateway', when: { type: 'status', status: '502.3', count: 5, sharePercent: 10 }, do: [{ type: 'diagnose' }, { type: 'notify' }] });
const NIGHT = made({ id: 'night', enabled: false, when: { type: 'schedule', at: ['03:00'], timeZone: 'Europe/Berlin' }, do: [{ type: 'diagnose' }] });
const HEALTH = made({ id: 'health', when: { type: 'probe', path: '/health' }, do: [{ type: 'notify' }] });
const view = (rule: Rule, more: Partial<RuleView>): RuleView => ({ rule, says: sayRule(rule), phase: 'idle', since: T - 14 * MINUTE, measured: [], firedLastDay: 0, ...more });

export function rules(bad: boolean, empty: boolean, many: boolean): RulesView {
  const four = [
    view(LEAK, bad ? { phase: 'held', heldBy: 'cooldown', heldSays: sayHeld('cooldown'), heldUntil: T + 12 * MINUTE, since: T - 3 * MINUTE, firedLastDay: 2, lastFiredAt: T - 18 * MINUTE, measured: [{ subject: '5988:1', verdict: 'yes', says: 'Private bytes 1.71 GiB' }] } : { measured: [{ subject: '5988:1', verdict: 'no', says: 'Private bytes 412 MiB' }] }),
    view(GATEWAY, bad ? { phase: 'acting', since: T - 20_000, firedLastDay: 1, lastFiredAt: T - 20_000, measured: [{ subject: '', verdict: 'yes', says: '41 within the window' }] } : { measured: [{ subject: '', verdict: 'no', says: '0 within the window' }] }),
    view(NIGHT, { phase: 'off' }),
    view(HEALTH, { phase: 'unknown', error: 'the public name of the site is not known here' }),
  ];
  const more = many ? Array.from({ length: 190 }, (_, i) => view({ ...GATEWAY, id: `rule-${i}` }, {})) : [];
  return { text: TEXT, version: '0123456789abcdef', leads: true, rules: empty ? [] : [...four, ...more], refused: empty ? [] : [{ index: 4, id: 'wild', line: 17, why: 'limits: recycle needs limits.perHour or limits.perDay: a rule that acts without a bound can keep the site down' }], faults: [] };
}

const TEXT = `{
  // ours, see the run book
  "rules": [
    ${JSON.stringify(LEAK)}
  ]
}
`;
export const checked = { rules: [{ id: 'leak', says: sayRule(LEAK) }], refused: [{ index: 1, id: 'wild', line: 5, why: 'limits: recycle needs limits.perHour or limits.perDay: a rule that acts without a bound can keep the site down' }] };
export const trial: TrialView = { rule: 'leak', says: sayRule(LEAK), from: T - 60 * MINUTE, to: T, stepMs: 1_000, steps: 3_600, measured: 3_571, firedCount: 2, overCount: 1, fired: [{ at: T - 48 * MINUTE, says: 'Private bytes was 1.52 GiB' }, { at: T - 18 * MINUTE, says: 'Private bytes was 1.61 GiB' }] };
export const presets = { presets: [...all(T)] };
export const channels: ChannelView[] = [
  { id: 'on-call', type: 'webhook', host: 'hooks.example', enabled: true, recovery: true, signed: true, waiting: 0, lastAt: T - 18 * MINUTE },
  { id: 'team', type: 'slack', host: 'hooks.slack.com', enabled: true, recovery: true, signed: false, waiting: 2, lastAt: T - MINUTE, lastFailed: 'hooks.slack.com could not be asked: it answered 503.' },
];

export function history(count: number): RuleEntry[] {
  return Array.from({ length: count }, (_, i): RuleEntry => {
    const about = { at: T - i * MINUTE - (i % 7) * 400, instance: app.instance, rule: 'leak' };
    const firing = `leak-${1_000 - Math.floor(i / 7)}`;
    switch (i % 7) {
      case 0: return { ...about, did: 'phase', phase: 'held', heldBy: 'cooldown' };
      case 1: return { ...about, did: 'closed', firing };
      case 2: return { ...about, did: 'ended', firing, step: 2, type: 'notify', result: 'done', says: 'told to on-call', tookMs: 210 };
      case 3: return { ...about, did: 'ended', firing, step: 1, type: 'recycle', result: 'done', says: 'process 5988 was ended, 6300 runs now', tookMs: 3_120 };
      case 4: return { ...about, did: 'ended', firing, step: 0, type: 'collect', result: 'done', session: '261121_0159000000', says: 'The JavaScript heap grows by 14 MB a minute', tookMs: 18_400 };
      case 5: return { ...about, did: 'fired', firing, condition: 'Private bytes at or above 1.5 GiB; it was 1.61 GiB', value: 1.61 * 2 ** 30, steps: [...LEAK.do] };
      default: return { ...about, did: 'phase', phase: 'pending', value: 1.55 * 2 ** 30 };
    }
  });
}
