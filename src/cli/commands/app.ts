// Owns `diag app`: the Node apps that carry the preload, from inside: what they do now, and their last minute.
import type { AnswerOf, Api } from '../../shared/api.ts';
import type { AppInside } from '../../shared/app-view.ts';
import { bytes, count, duration, percent, plural, utcTime } from '../../shared/units.ts';
import type { Remote } from '../options.ts';
import { colour, print, printJson, remark, safeLine, table, wrap } from '../print.ts';
import { withAgent } from '../reach.ts';
import { systemClock, within } from '../../platform/clock.ts';
import { stop } from '../until.ts';

type Answer = AnswerOf<Api['app']>;
type App = Answer['apps'][number];

const ROWS = 20;
const STALLS = 5;
const FRAMES = 4;
/** An agent that was raised a moment ago finds the apps with its first look, and hears them a second later. */
const HEARD_MS = 5_000;
/** One that runs already looks every second. */
const SEEN_MS = 1_500;
const LOOK_MS = 200;

export async function app(options: Remote & { readonly pid?: number }): Promise<void> {
  await withAgent(options, async ({ diag, isFresh }) => {
    const limit = within(HEARD_MS, stop), seen = within(isFresh === true ? HEARD_MS : SEEN_MS, stop);
    const query = options.pid === undefined ? {} : { query: { pid: options.pid } };
    let answer = await diag.app(query);
    while (!(answer.apps.length === 0 ? seen : limit).aborted && !(answer.apps.length > 0 && answer.apps.every(({ at, state }) => at !== undefined || state === 'ended'))) {
      await systemClock.wait(LOOK_MS, stop);
      answer = await diag.app(query);
    }
    if (options.json) printJson(answer);
    else if (answer.missing !== undefined) remark(answer.missing);
    else print(drawn(answer).join('\n'));
  });
}

function drawn({ apps, together }: Answer): string[] {
  const one = apps.find(({ state }) => state !== 'ended') ?? apps[0];
  const shown = together ?? one;
  return [...processes(apps), ...(shown === undefined ? [] : inside(shown)), ...(together === undefined && one !== undefined ? heap(one) : [])];
}

const said = <T>(value: T | undefined, how: (value: T) => string): string => (value === undefined ? '–' : how(value));
const rate = (n: number | undefined, coversMs: number): string => (n === undefined || coversMs === 0 ? '–' : `${count(Number((n / coversMs * 1_000).toFixed(1)))} /s`);
const ms = (n: number | undefined): string => said(n, (one) => duration(Number(one.toFixed(2))));
const titled = (title: string, rows: string): string[] => ['', colour('bold', title), ...rows.split('\n')];

function processes(apps: readonly App[]): string[] {
  const rows = apps.map((one) => [String(one.pid), one.state, rate(one.requests, one.coversMs), said(one.failed, count), said(one.inFlight, count), ms(one.p95Ms), ms(one.loop?.p99Ms), said(one.loop?.utilization, (n) => percent(n * 100)), said(one.heap, (h) => `${bytes(h.used)} of ${bytes(h.limit)}`), said(one.gcShare, (n) => percent(n * 100)), one.node]);
  return [...table(['PID', 'State', 'Requests', 'Failed', 'In flight', 'p95', 'Loop p99', 'Busy', 'Heap', 'In GC', 'Node'], rows, [0, 2, 3, 4, 5, 6, 7, 8, 9]).split('\n'),
    ...apps.flatMap(({ pid, ending }) => (ending === undefined ? [] : wrap(colour('red', safeLine(`${pid} ended: ${ending}`)), '  ', '').split('\n')))];
}

function inside(shown: AppInside): string[] {
  const { oldest, routes, dependencies, failures, loop, stalls, gc, lost } = shown;
  return [
    ...(oldest.length === 0 ? [] : titled(`In flight ${said(shown.inFlight, count)}, the oldest`, table(['For', 'PID', 'Waits for', 'Request'], oldest.slice(0, ROWS).map((one) => [ms(one.ageMs), said(one.pid, String), safeLine(waits(one)), safeLine(`${one.method} ${one.path}`)]), [0, 1]))),
    ...titled(`Routes of the last ${duration(shown.coversMs)}`, table(['Requests', 'Failed', 'Aborted', 'p50', 'p95', 'p99', 'Longest', 'Route'], routes.slice(0, ROWS).map((one) => [count(one.count), count(one.failed), count(one.aborted), ms(one.p50Ms), ms(one.p95Ms), ms(one.p99Ms), ms(one.maxMs), safeLine(`${one.method} ${one.path}`)]), [0, 1, 2, 3, 4, 5, 6])),
    ...more(routes.length, 'route'),
    ...(dependencies.length === 0 ? [] : titled('Dependencies', table(['Calls', 'Errors', 'p95', 'Open', 'Waiting', 'To'], dependencies.slice(0, ROWS).map((one) => [one.by === 'socket' ? '–' : count(one.count), safeLine(one.errors.map(([code, times]) => `${code} ${count(times)}`).join(', ') || '0'), ms(one.p95Ms), said(one.open, count), said(one.waiting, count), safeLine(one.service === undefined ? one.host : `${one.host} · ${one.service}`)]), [0, 2, 3, 4]))),
    ...(loop === undefined ? [] : titled('Event loop', `delay p50 ${ms(loop.p50Ms)}, p99 ${ms(loop.p99Ms)}, longest ${ms(loop.maxMs)}, busy ${percent(loop.utilization * 100)}${gc.length === 0 ? '' : `; garbage collection: ${gc.map((one) => `${one.kind} ${plural(one.count, 'time')}${one.share === undefined ? '' : `, ${percent(one.share * 100)} of the time`}`).join('; ')}`}`)),
    ...[...stalls].sort((a, b) => b.forMs - a.forMs).slice(0, STALLS).flatMap((one) => [`  stood still for ${duration(one.forMs)} until ${utcTime(one.at)} UTC${one.frames.length === 0 ? ', in a function that was not seen' : ''}`, ...one.frames.slice(0, FRAMES).map((frame) => `    at ${safeLine(frame)}`)]),
    ...(failures.length === 0 ? [] : titled('Exceptions, rejections, warnings', table(['Times', 'Kind', 'Last (UTC)', 'What', 'At'], failures.slice(0, ROWS).map((one) => [count(one.count), one.kind, utcTime(one.lastAt), safeLine(`${one.type}: ${one.message}`).slice(0, 100), safeLine(one.sources?.[0] ?? one.frames[0] ?? '–')]), [0]))),
    ...(lost.length === 0 ? [] : ['', `Not counted: ${lost.map(([what, times]) => `${count(times)} ${what}`).join(', ')}.`]),
  ];
}

/** "call https://api.example"; only of requests that somebody follows. */
function waits({ waits: pending }: AppInside['oldest'][number]): string {
  return pending === undefined ? '–' : pending.map((one) => `${one.for}${one.on === undefined ? '' : ` ${one.on}`}`).join(', ') || 'nothing';
}

function heap({ heap: of, spaces }: App): string[] {
  if (of === undefined) return [];
  return titled(`Heap ${bytes(of.used)} of ${bytes(of.limit)}, external ${bytes(of.external)}, memory ${bytes(of.rss)}`, table(['Space', 'Used', 'Size'], spaces.filter(([, , size]) => size > 0).map(([name, used, size]) => [name.replaceAll('_', ' '), bytes(used), bytes(size)]), [1, 2]));
}

function more(all: number, what: string): string[] {
  return all > ROWS ? [colour('dim', `${plural(all - ROWS, `more ${what}`)}; --json has all`)] : [];
}
