// Owns what is wrong, risky or blind about auto-heal rules: the portal's bounds with their source, and what each trigger cannot see.
import type { AutoHealNote, AutoHealRules, StatusTrigger } from './auto-heal.ts';
import { count, duration } from './units.ts';

const PORTAL = 'the portal\'s bounds';
const KNOWN = 'App Service, known limitation';
/** The portal takes memory limits from 100 MiB and a KiB to 32 GiB. */
export const MIN_MEMORY_KB = 102_401;
export const MAX_MEMORY_KB = 32 * 1_024 * 1_024;
export const MIN_STATUS = 101, MAX_STATUS = 529;
export const MAX_MIN_PROCESS_S = 7_200;
/** A younger process than this is mostly still warming up. */
export const SHORT_MIN_PROCESS_S = 600;
/** Front end: no request lasts longer. */
const FRONT_END_S = 230;
const LONG_INTERVAL_S = 86_400;

/** Seconds of a time span as 00:05:00 or 1.00:00:00; undefined for any other text. */
export function seconds(text: string | undefined): number | undefined {
  const [, days = '0', hours, minutes, rest] = /^(?:(\d{1,4})\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})$/.exec(text ?? '') ?? [];
  return hours === undefined ? undefined : ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(rest);
}

/** "00:05:00" */
export function timeSpan(forSeconds: number): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const whole = Math.round(forSeconds), days = Math.floor(whole / 86_400);
  return `${days > 0 ? `${days}.` : ''}${two(Math.floor(whole / 3_600) % 24)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

type Say = (level: AutoHealNote['level'], on: string, says: string, source?: string) => void;

/** `node`: the app is known to run under iisnode; `devErrors`: its developer errors are known to be off (false) or on (true, the default). */
export interface AutoHealFacts { readonly iisnode?: { readonly devErrors: boolean } | undefined }

/** All there is to say about the rules; an error refuses them. */
export function notesOn(rules: AutoHealRules, facts: AutoHealFacts = {}): AutoHealNote[] {
  const notes: AutoHealNote[] = [];
  const say: Say = (level, on, says, source) => { notes.push({ level, on, says, ...(source === undefined ? {} : { source }) }); };
  const { triggers, actions } = rules;
  if (triggers === undefined && actions === undefined) return [];
  if (triggers === undefined || Object.keys(triggers).length === 0) say('error', 'triggers', 'There is an action and no trigger: name at least one.');
  if (actions === undefined) say('error', 'actions', 'There are triggers and no action: say what they do.');
  onCounts(rules, say);
  onStatus(rules, facts, say);
  onSlow(rules, say);
  onMemory(triggers?.privateBytesInKB, say);
  onActions(rules, say);
  return notes;
}

interface Counted { readonly count: number; readonly timeInterval: string }

/** Every trigger that counts, with its place in the model. */
function countedOf({ triggers = {} }: AutoHealRules): [string, Counted][] {
  const { requests, slowRequests, statusCodes = [], slowRequestsWithPath = [], statusCodesRange = [] } = triggers;
  return [
    ...(requests === undefined ? [] : [['triggers.requests', requests] as [string, Counted]]), ...(slowRequests === undefined ? [] : [['triggers.slowRequests', slowRequests] as [string, Counted]]),
    ...statusCodes.map((one, i): [string, Counted] => [`triggers.statusCodes.${i}`, one]), ...slowRequestsWithPath.map((one, i): [string, Counted] => [`triggers.slowRequestsWithPath.${i}`, one]), ...statusCodesRange.map((one, i): [string, Counted] => [`triggers.statusCodesRange.${i}`, one]),
  ];
}

function onCounts(rules: AutoHealRules, say: Say): void {
  for (const [on, { count, timeInterval }] of countedOf(rules)) {
    const withinS = seconds(timeInterval);
    if (count < 1) say('error', on, 'The count is 0: it must be 1 or more.', PORTAL);
    if (withinS === undefined || withinS < 1) say('error', on, `The interval ${timeInterval} is no time above zero.`, PORTAL);
    else if (withinS > LONG_INTERVAL_S) say('warning', on, `The interval is ${duration(withinS * 1_000)}: the worker counts anew with each start, and few live as long.`);
    if (count === 1 && !on.startsWith('triggers.slow')) say('warning', on, 'One single request is enough: the first visitor with that answer ends the worker for all.');
  }
  const requests = rules.triggers?.requests;
  if (requests !== undefined) say('note', 'triggers.requests', 'It counts every request of the worker, good ones, health checks and Always On too: it says how busy the app is, not that it is ill.');
}

function onStatus({ triggers }: AutoHealRules, { iisnode }: AutoHealFacts, say: Say): void {
  const codes = triggers?.statusCodes ?? [], ranges = triggers?.statusCodesRange ?? [];
  const seen = new Set<string>();
  codes.forEach((one, i) => {
    const on = `triggers.statusCodes.${i}`;
    if (one.status < MIN_STATUS || one.status > MAX_STATUS) say('error', on, `Status ${one.status} is outside ${MIN_STATUS} to ${MAX_STATUS}.`, PORTAL);
    if (one.status === 500 && one.subStatus === 121) say('error', on, '500.121, a request over the time limit, cannot be seen by a status trigger: use slow requests.', KNOWN);
    const key = statusKey(one);
    if (seen.has(key)) say('warning', on, `Status ${key} stands there twice: each counts for itself.`);
    seen.add(key);
  });
  ranges.forEach(({ statusCodes }, i) => {
    const [from = 0, to = from] = statusCodes.split('-').map(Number);
    if (from < MIN_STATUS || to > MAX_STATUS || from > to) say('error', `triggers.statusCodesRange.${i}`, `The range ${statusCodes} is not within ${MIN_STATUS} to ${MAX_STATUS}, or runs backwards.`, PORTAL);
  });
  if (codes.length + ranges.length === 0) return;
  const on = codes.length > 0 ? 'triggers.statusCodes' : 'triggers.statusCodesRange';
  if (hits500(codes, ranges)) say('warning', on, `Requests that ran into the platform's time limit (500.121) are not counted by status: add slow requests near ${FRONT_END_S} s for them.`, KNOWN);
  if (codes.some(({ subStatus, win32Status }) => !subStatus && !win32Status)) say('note', on, 'A sub-status or win32 status of 0 cannot be told from one that is not named: it is written as 0 and counted here as any.');
  say('note', on, 'Answers that the front end gives without the worker, such as 502 and 503 while no worker runs, are not counted: the worker counts its own.');
  if (iisnode === undefined) say('note', on, 'Under iisnode with developer errors on, its default, a crashed app answers 200: no status trigger sees that crash.', KNOWN);
  else if (iisnode.devErrors) say('warning', on, 'This web.config has iisnode with developer errors on: a crashed app answers 200, and no status trigger sees that crash. Set devErrorsEnabled="false".', KNOWN);
}

const hits500 = (codes: readonly StatusTrigger[], ranges: readonly { readonly statusCodes: string }[]): boolean => codes.some(({ status, subStatus }) => status === 500 && !subStatus) || ranges.some(({ statusCodes }) => { const [from = 0, to = from] = statusCodes.split('-').map(Number); return from <= 500 && to >= 500; });
export const statusKey = ({ status, subStatus, win32Status, path }: StatusTrigger): string => [String(status), ...(subStatus || win32Status ? [String(subStatus ?? 0)] : []), ...(win32Status ? [String(win32Status)] : [])].join('.') + (path ? ` on ${path}` : '');

function onSlow({ triggers }: AutoHealRules, say: Say): void {
  const slow = [...(triggers?.slowRequests === undefined ? [] : [['triggers.slowRequests', triggers.slowRequests] as const]), ...(triggers?.slowRequestsWithPath ?? []).map((one, i) => [`triggers.slowRequestsWithPath.${i}`, one] as const)];
  for (const [on, { timeTaken, timeInterval, path }] of slow) {
    const takenS = seconds(timeTaken);
    if (takenS === undefined || takenS < 1) { say('error', on, `The time taken ${timeTaken} is no time above zero.`, PORTAL); continue; }
    if (takenS > FRONT_END_S) say('warning', on, `No request lasts ${duration(takenS * 1_000)}: the front end answers after ${FRONT_END_S} s.`, KNOWN);
    if ((seconds(timeInterval) ?? Infinity) < takenS) say('warning', on, 'The interval is shorter than the time one request must take.');
    if (on.startsWith('triggers.slowRequestsWithPath') && !path) say('error', on, 'A slow-request rule of this list needs its path.');
  }
  if (slow.length > 0) say('note', 'triggers.slowRequests', 'WebSockets, long polling and downloads take long by nature and count as slow; with a path they can be kept out.');
}

function onMemory(limitKB: number | undefined, say: Say): void {
  if (limitKB === undefined) return;
  const on = 'triggers.privateBytesInKB';
  if (limitKB < MIN_MEMORY_KB || limitKB > MAX_MEMORY_KB) say('error', on, `${count(limitKB)} KB is outside ${count(MIN_MEMORY_KB)} KB to ${count(MAX_MEMORY_KB)} KB.`, PORTAL);
  say('note', on, 'It is documented for the worker process: whether its children, as node.exe or java.exe, are counted is not.');
}

function onActions({ actions, triggers }: AutoHealRules, say: Say): void {
  if (actions === undefined) return;
  const minS = seconds(actions.minProcessExecutionTime);
  const on = 'actions.minProcessExecutionTime';
  if (minS !== undefined && minS > MAX_MIN_PROCESS_S) say('error', on, `${duration(minS * 1_000)} is above ${duration(MAX_MIN_PROCESS_S * 1_000)}.`, PORTAL);
  else if (actions.actionType !== 'LogEvent' && triggers !== undefined && (minS ?? 0) < SHORT_MIN_PROCESS_S) say('warning', on, `A process younger than ${duration(SHORT_MIN_PROCESS_S * 1_000)} may be acted on${minS === undefined ? ', since no least age is set' : ''}: slow starts can then restart in a circle.`, PORTAL);
  if (actions.actionType === 'CustomAction' && !actions.customAction?.exe) say('error', 'actions.customAction', 'A custom action needs its program.');
  if (actions.actionType === 'LogEvent') say('note', 'actions.actionType', 'It only writes into the event log: nothing is healed.');
  if (actions.actionType === 'CustomAction') say('note', 'actions.customAction', 'The program runs instead of a recycle: where the worker must end, the program has to do it.');
}
