// Owns the tests of auto-heal beside the file: its notes, the simulation of its counters, and the ways to our rules and to Bicep.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AutoHealSent, plainRules, sameRules, type AutoHealRules } from '../../../src/shared/auto-heal.ts';
import { notesOn, seconds, timeSpan } from '../../../src/shared/auto-heal-bounds.ts';
import { Rule } from '../../../src/shared/rules.ts';
import { toBicep } from '../../../src/mitigate/auto-heal/bicep.ts';
import { toAutoHeal, toRules } from '../../../src/mitigate/auto-heal/convert.ts';
import { simulated, wouldFire } from '../../../src/mitigate/auto-heal/would-fire.ts';
import type { Past } from '../../../src/mitigate/rules/trial.ts';

const MINUTE_MS = 60_000;
const recycle = { actionType: 'Recycle' } as const;
const errors = (rules: AutoHealRules): string[] => notesOn(plainRules(rules)).filter(({ level }) => level === 'error').map(({ on }) => on);
const status = (status: number, subStatus?: number) => ({ triggers: { statusCodes: [{ status, ...(subStatus === undefined ? {} : { subStatus }), count: 5, timeInterval: '00:05:00' }] }, actions: { ...recycle, minProcessExecutionTime: '00:10:00' } });

test('the bounds at their very ends', () => {
  const memory = (privateBytesInKB: number): AutoHealRules => ({ triggers: { privateBytesInKB }, actions: recycle });
  const least = (minProcessExecutionTime: string): AutoHealRules => ({ ...memory(500_000), actions: { ...recycle, minProcessExecutionTime } });
  const cases: readonly [AutoHealRules, readonly string[]][] = [
    [{}, []], [memory(102_400), ['triggers.privateBytesInKB']], [memory(102_401), []], [memory(33_554_432), []], [memory(33_554_433), ['triggers.privateBytesInKB']],
    [status(100), ['triggers.statusCodes.0']], [status(101), []], [status(529), []], [status(530), ['triggers.statusCodes.0']], [status(500, 121), ['triggers.statusCodes.0']], [status(500, 120), []],
    [least('02:00:00'), []], [least('02:00:01'), ['actions.minProcessExecutionTime']], [{ triggers: memory(500_000).triggers }, ['actions']], [{ actions: recycle }, ['triggers']],
    [{ triggers: { requests: { count: 0, timeInterval: '00:00:00' } }, actions: recycle }, ['triggers.requests', 'triggers.requests']],
    [{ triggers: { statusCodesRange: [{ statusCodes: '503-500', count: 1, timeInterval: '00:01:00' }] }, actions: recycle }, ['triggers.statusCodesRange.0']],
    [{ triggers: { slowRequestsWithPath: [{ timeTaken: '00:00:20', count: 3, timeInterval: '00:01:00', path: '' }] }, actions: recycle }, ['triggers.slowRequestsWithPath.0']],
    [{ ...memory(500_000), actions: { actionType: 'CustomAction' } }, ['actions.customAction']],
  ];
  for (const [rules, wanted] of cases) assert.deepEqual(errors(rules), wanted, JSON.stringify(rules));
  const warned = (rules: AutoHealRules, on: string): boolean => notesOn(rules).some((one) => one.level === 'warning' && one.on === on);
  assert.deepEqual([warned(least('00:09:59'), 'actions.minProcessExecutionTime'), warned(least('00:10:00'), 'actions.minProcessExecutionTime')], [true, false]);
  assert.deepEqual([notesOn(status(502), { iisnode: { devErrors: true } }).filter(({ says }) => says.includes('devErrorsEnabled')).length, notesOn(status(502), { iisnode: { devErrors: false } }).filter(({ says }) => says.includes('iisnode')).length], [1, 0]);
  assert.deepEqual([seconds('00:05:00'), seconds('1.00:00:30'), seconds('5'), timeSpan(300), timeSpan(86_430)], [300, 86_430, undefined, '00:05:00', '1.00:00:30']);
});

test('answers of the management API are taken as they are: null, 0 and empty lists say nothing', () => {
  const answer = { properties: { autoHealEnabled: true, alwaysOn: true, autoHealRules: { triggers: { requests: null, privateBytesInKB: 0, statusCodes: [{ status: 500, subStatus: 0, win32Status: 0, count: 10, timeInterval: '00:05:00', path: null }], slowRequests: null, slowRequestsWithPath: [], statusCodesRange: null }, actions: { actionType: 'Recycle', customAction: null, minProcessExecutionTime: '00:01:00' } } } };
  assert.deepEqual(plainRules(AutoHealSent.parse(answer)), { triggers: { statusCodes: [{ status: 500, count: 10, timeInterval: '00:05:00' }] }, actions: { actionType: 'Recycle', minProcessExecutionTime: '00:01:00' } });
  assert.deepEqual(AutoHealSent.parse({ autoHealEnabled: false, autoHealRules: answer.properties.autoHealRules }), {});
  assert.ok(!AutoHealSent.safeParse({ triggers: { requests: { count: '5', timeInterval: '00:05:00' } } }).success && !AutoHealSent.safeParse({ trigger: {} }).success);
});

test('counters begin anew with each process and each firing, and a process too young is not acted on', () => {
  const at = (...seconds: number[]): number[] => seconds.map((one) => one * 1_000);
  const three = { count: 3, withinMs: MINUTE_MS };
  const cases: readonly [string, number[], { leastMs: number; recycles: boolean }, number[], number[], number][] = [
    ['the third within a minute', at(0, 30, 59), { leastMs: 0, recycles: true }, [], at(59), 0],
    ['the third is one minute late', at(0, 30, 60), { leastMs: 0, recycles: true }, [], [], 0],
    ['after a firing three more are needed', at(0, 1, 2, 3, 4, 5), { leastMs: 0, recycles: true }, [], at(2, 5), 0],
    ['a new process forgets what the old one counted', at(0, 10, 20, 21, 22), { leastMs: 0, recycles: true }, at(15), at(22), 0],
    ['too young, then old enough', at(10, 11, 12, 40, 41), { leastMs: 40_000, recycles: true }, at(0), at(40), 1],
    ['after its own recycle it is young again', at(0, 1, 2, 3, 4, 5, 70, 71, 72), { leastMs: 60_000, recycles: true }, [], at(2, 72), 1],
    ['a log line does not make it young', at(0, 1, 2, 3, 4, 5), { leastMs: 60_000, recycles: false }, [], at(2, 5), 0],
  ];
  for (const [name, times, acting, starts, fired, tooYoung] of cases) assert.deepEqual(simulated(times, three, acting, starts), { fired, tooYoung }, name);
});

test('what would have fired is told of each trigger by the requests that were logged', async () => {
  const from = Date.UTC(2026, 10, 21, 9);
  const signals = Array.from({ length: 600 }, (_, i) => ({ kind: 'request' as const, at: from + i * 1_000, path: i % 2 === 0 ? '/cart/apply' : '/home', status: i % 20 === 7 ? 502 : 200, sub: i % 20 === 7 ? 3 : 0, win32: i % 20 === 7 ? 12_030 : 0, takenMs: i === 300 ? 45_000 : 20 }));
  const nothing = { stepMs: 1_000, from, to: from, at: [], series: [] };
  const past: Past = { series: () => Promise.resolve(nothing), tracks: () => Promise.resolve([]), requests: () => Promise.resolve({ signals }), changes: () => Promise.resolve([]), events: () => Promise.resolve(undefined), causes: () => Promise.resolve([]) };
  const rules: AutoHealRules = {
    triggers: {
      requests: { count: 200, timeInterval: '00:10:00' }, slowRequests: { timeTaken: '00:00:45', count: 1, timeInterval: '00:01:00' }, privateBytesInKB: 900_000,
      statusCodes: [{ status: 502, subStatus: 3, count: 3, timeInterval: '00:01:00' }, { status: 502, subStatus: 4, count: 1, timeInterval: '00:01:00' }], slowRequestsWithPath: [{ timeTaken: '00:00:45', count: 1, timeInterval: '00:01:00', path: '/home' }], statusCodesRange: [{ statusCodes: '500-503', count: 30, timeInterval: '00:10:00' }],
    },
    actions: { actionType: 'Recycle', minProcessExecutionTime: '00:05:00' },
  };
  const { triggers } = await wouldFire(rules, past, from, from + 600_000);
  const byPlace = Object.fromEntries(triggers.map(({ on, fired, cannot }) => [on, cannot ?? fired.map(({ at }) => (at - from) / 1_000)]));
  assert.deepEqual(byPlace, { requests: [199, 499], 'statusCodes.0': [47, 347], 'statusCodes.1': [], 'statusCodesRange.0': [587], slowRequests: [300], 'slowRequestsWithPath.0': [], privateBytesInKB: 'private bytes were not measured then' });
  const none = await wouldFire(rules, { ...past, requests: () => Promise.resolve(undefined) }, from, from + 1);
  assert.equal(none.triggers.filter(({ cannot }) => cannot !== undefined).length, 7);
});

test('to rules and back: what both can say stays, what one cannot is listed', () => {
  const rules: AutoHealRules = {
    triggers: {
      requests: { count: 9, timeInterval: '00:01:00' }, privateBytesInKB: 900_000, slowRequests: { timeTaken: '00:00:45', count: 20, timeInterval: '00:02:00' },
      statusCodes: [{ status: 502, subStatus: 3, win32Status: 12_030, count: 5, timeInterval: '00:01:00', path: '/cart' }], statusCodesRange: [{ statusCodes: '500-529', count: 30, timeInterval: '00:05:00' }, { statusCodes: '501-503', count: 3, timeInterval: '00:05:00' }],
    },
    actions: { actionType: 'Recycle', minProcessExecutionTime: '00:10:00' },
  };
  const made = toRules(rules);
  assert.deepEqual(made.rules.map(({ id, enabled, when, warmUpMs }) => [id, enabled, when.type, warmUpMs]), [['auto-heal-memory', false, 'metric', 600_000], ['auto-heal-status-1', false, 'status', 600_000], ['auto-heal-status-2', false, 'status', 600_000], ['auto-heal-slow-3', false, 'slow', 600_000]]);
  assert.deepEqual(made.lost.map((one) => one.slice(0, 12)), ['All requests', 'Private byte', '3 answers 50', 'Limits: auto']);
  const back = toAutoHeal(made.rules);
  assert.ok(sameRules(back.autoHeal, { ...rules, triggers: { ...rules.triggers, requests: undefined, statusCodesRange: rules.triggers?.statusCodesRange?.slice(0, 1) } }), JSON.stringify(back.autoHeal));
  const custom = toRules({ triggers: { privateBytesInKB: 900_000 }, actions: { actionType: 'CustomAction', customAction: { exe: 'D:\\home\\procdump.exe', parameters: '-ma "my app" %1%' } } });
  assert.deepEqual(custom.rules[0]?.do, [{ type: 'run', program: 'D:\\home\\procdump.exe', arguments: ['-ma', 'my app', '%1%'], limitMs: 3_600_000 }]);
  assert.match(custom.lost.join(' '), /%1%/);
});

test('of our rules only what auto-heal has words for becomes a trigger, and everything else is named', () => {
  const rule = (id: string, when: object, rest: object = {}): Rule => Rule.parse({ id, when, do: [{ type: 'collect', diagnosers: [{ id: 'memory-dump' }] }, { type: 'recycle' }], limits: { perHour: 1 }, ...rest });
  const { autoHeal, lost } = toAutoHeal([
    rule('a', { type: 'status', status: '502.3', count: 5, withinMs: 60_000 }, { forMs: 30_000, warmUpMs: 600_000 }), rule('b', { type: 'status', status: '5xx', count: 5, withinMs: 60_000, sharePercent: 10 }), rule('c', { type: 'exit' }),
    rule('d', { type: 'metric', metric: 'site.cpu', above: 90 }), rule('e', { type: 'slow', overMs: 1_500, path: '/a*', count: 1, withinMs: 60_000 }), Rule.parse({ id: 'f', when: { type: 'slow', overMs: 1_500 }, do: [{ type: 'notify' }] }),
  ]);
  assert.deepEqual(autoHeal, { triggers: { statusCodes: [{ status: 502, subStatus: 3, count: 5, timeInterval: '00:01:00' }] }, actions: { actionType: 'Recycle', minProcessExecutionTime: '00:10:00' } });
  assert.deepEqual(lost.map((one) => one.slice(5, 33)), ['a: the steps collect.', 'a: the hold of 30 s.', 'a: its limits (at most once ', 'b: auto-heal knows no share ', 'c: auto-heal has no trigger ', 'd: of the metrics auto-heal ', 'e: the path holds *, and wha', 'f: it does something else th']);
});

test('Bicep holds the same model, its texts escaped', () => {
  const text = toBicep({ triggers: { statusCodes: [{ status: 503, count: 5, timeInterval: '00:01:00' }] }, actions: { actionType: 'CustomAction', customAction: { exe: 'D:\\it\'s ${x}.exe' } } }, 'shop');
  assert.match(text, /param siteName string = 'shop'/);
  assert.match(text, / {4}autoHealRules: \{\n {6}triggers: \{\n {8}statusCodes: \[\n {10}\{\n {12}status: 503\n {12}count: 5\n {12}timeInterval: '00:01:00'\n {10}\}\n {8}\]\n {6}\}/);
  assert.ok(text.includes('exe: \'D:\\\\it\\\'s \\${x}.exe\''), text);
  assert.match(toBicep({}), /autoHealEnabled: false\n/);
});
