// Owns the routes of rules and alerts: what they are, what they did, a trial over the past, channels.
import type { Agent } from '../../agent/agent.ts';
import { DiagError } from '../../shared/errors.ts';
import { historyCsv } from '../../shared/rules-csv.ts';
import { sayRule } from '../../mitigate/rules/describe.ts';
import { presets } from '../../mitigate/rules/presets.ts';
import { parseRules } from '../../mitigate/rules/set.ts';
import type { Handlers } from '../mount.ts';

type Mine = Pick<Handlers, 'rules' | 'checkRules' | 'putRules' | 'putRule' | 'deleteRule' | 'tryRule' | 'rulePresets' | 'ruleHistory' | 'ruleHistoryCsv' | 'alerts' | 'putAlert' | 'deleteAlert' | 'testAlert'>;
const OK = { ok: true } as const;

export function ruleRoutes({ rules, platform, audit }: Agent): Mine {
  const { alerts } = rules;
  return {
    rules: () => rules.list(),
    checkRules: async ({ body }) => checked(body.text),
    putRule: ({ params, body, who }) => {
      if (body.rule.id !== params.rule) throw new DiagError('BAD_INPUT', { why: 'body.rule.id: it is not the rule of the address' });
      return rules.putOne(params.rule, body.rule, body.version, who);
    },
    deleteRule: ({ params, query, who }) => rules.putOne(params.rule, undefined, query.version, who),
    putRules: ({ body, who }) => rules.put(body.text, body.version, who),
    tryRule: ({ params, body }) => rules.trial(params.rule, body.rule, body.hours),
    rulePresets: async () => ({ presets: [...presets(platform.clock.now())] }),
    ruleHistory: ({ query }) => rules.history(query.limit),
    ruleHistoryCsv: async ({ query, res }) => {
      const { entries } = await rules.history(query.limit);
      res.setHeader('content-disposition', 'attachment; filename="rules-history.csv"');
      res.type('text/csv').send(historyCsv(entries));
    },
    alerts: async () => { const fault = alerts.fault(); return { channels: alerts.channels(), ...(fault === undefined ? {} : { fault }) }; },
    putAlert: async ({ params, body, who }) => {
      if (body.id !== params.channel) throw new DiagError('BAD_INPUT', { why: 'body.id: it is not the channel of the address' });
      await alerts.put(body);
      await audit(who, 'change alerts', body.id, `${body.type} set`);
      return OK;
    },
    deleteAlert: async ({ params, who }) => {
      await alerts.remove(params.channel);
      await audit(who, 'change alerts', params.channel, 'taken away');
      return OK;
    },
    testAlert: async ({ params, who }) => {
      await alerts.test(params.channel);
      await audit(who, 'test alert', params.channel, 'taken');
      return OK;
    },
  };
}

function checked(text: string): { rules: { id: string; says: string }[]; refused: { index: number; id?: string; line: number; why: string }[] } {
  const { rules, refused } = parseRules(text);
  return { rules: rules.map((rule) => ({ id: rule.id, says: sayRule(rule) })), refused: refused.map(({ index, id, line, why }) => ({ index, line, why, ...(id === undefined ? {} : { id }) })) };
}
