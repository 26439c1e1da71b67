// Owns the words of auto-heal rules: what makes it act, and what it does then, one sentence each.
import type { AutoHealActions, AutoHealRules } from './auto-heal.ts';
import { seconds, statusKey } from './auto-heal-bounds.ts';
import { bytes, count as number, duration, plural } from './units.ts';

/** Each trigger with its place in the model. */
export function triggerWords({ triggers = {} }: AutoHealRules): { on: string; says: string }[] {
  const { requests, privateBytesInKB, statusCodes = [], slowRequests, slowRequestsWithPath = [], statusCodesRange = [] } = triggers;
  const within = ({ timeInterval }: { timeInterval: string }): string => `within ${span(timeInterval)}`;
  const on = (path: string | undefined): string => (path ? ` on ${path}` : '');
  return [
    ...(requests ? [{ on: 'requests', says: `${plural(requests.count, 'request')} ${within(requests)}` }] : []),
    ...(slowRequests ? [{ on: 'slowRequests', says: `${plural(slowRequests.count, 'request')} over ${span(slowRequests.timeTaken)} ${within(slowRequests)}` }] : []),
    ...slowRequestsWithPath.map((one, i) => ({ on: `slowRequestsWithPath.${i}`, says: `${plural(one.count, 'request')} over ${span(one.timeTaken)}${on(one.path)} ${within(one)}` })),
    ...(privateBytesInKB === undefined ? [] : [{ on: 'privateBytesInKB', says: `private bytes of ${number(privateBytesInKB)} KB (${bytes(privateBytesInKB * 1_024)})` }]),
    ...statusCodes.map((one, i) => ({ on: `statusCodes.${i}`, says: `${plural(one.count, 'answer')} ${statusKey(one)} ${within(one)}` })),
    ...statusCodesRange.map((one, i) => ({ on: `statusCodesRange.${i}`, says: `${plural(one.count, 'answer')} ${one.statusCodes}${on(one.path)} ${within(one)}` })),
  ];
}

export function actionWords(actions: AutoHealActions | undefined): string {
  if (actions === undefined) return 'nothing';
  const least = actions.minProcessExecutionTime === undefined ? '' : `, once the process is older than ${span(actions.minProcessExecutionTime)}`;
  if (actions.actionType === 'Recycle') return `recycle the worker${least}`;
  if (actions.actionType === 'LogEvent') return `write into the event log${least}`;
  const { exe = '', parameters = '' } = actions.customAction ?? {};
  return `run ${exe}${parameters === '' ? '' : ` ${parameters}`}${least}`;
}

function span(text: string): string {
  const inS = seconds(text);
  return inS === undefined ? text : duration(inS * 1_000);
}
