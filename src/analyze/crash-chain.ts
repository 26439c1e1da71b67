// Owns how one crash is told: what happened in order, from the change before it to the requests it ended.
import type { Evidence } from '../shared/model.ts';
import { count, duration, plural } from '../shared/units.ts';
import type { Crash, Culprit } from './crash-story.ts';
import type { ExceptionGroup } from './parse/exceptions.ts';
import { exitWords } from './parse/exits.ts';
import { byText, codeName, oneLine } from './parse/words.ts';

/** A change further back than this belongs to the day, not to the crash. */
const CHANGE_BEFORE_MS = 3_600_000;
const FRAMES_SHOWN = 4;
const ROUTES_SHOWN = 4;

/** "TypeError: Cannot read … at lib/cart.js:41". */
export function exceptionName(exception: ExceptionGroup, withPlace: boolean): string {
  const message = exception.message === '' ? '' : `: ${oneLine(exception.message, 140)}`;
  return `${exception.type}${message}${withPlace && exception.place !== undefined ? ` at ${exception.place}` : ''}`;
}

/** The first crash of this kind, step by step. Rows of the HTTP log know whole seconds, so their place in the second is not told. */
export function crashChain({ crashes, exception }: Culprit, trigger: string | undefined, deployed: readonly { readonly at: number; readonly title: string }[]): Evidence {
  const shown = crashes.find((c) => c.ended.length > 0) ?? crashes[0];
  const rows: (string | number | null)[][] = [];
  if (shown) {
    const change = deployed.filter((d) => d.at <= shown.exit.at && d.at >= shown.exit.at - CHANGE_BEFORE_MS).sort((a, b) => a.at - b.at).at(-1);
    if (change) rows.push([change.at, oneLine(change.title), `${duration(shown.exit.at - change.at)} before this crash.`, null]);
    if (exception) rows.push([momentOf(exception, shown), trigger === undefined ? 'An exception that nothing catches' : `${oneLine(trigger)} throws`, thrown(exception), 'root']);
    rows.push([shown.exit.at, `Worker${shown.exit.pid === undefined ? '' : ` ${shown.exit.pid}`} ${ending(shown)}`, exitNote(shown), exception ? 'effect' : 'root']);
    if (shown.ended.length > 0) rows.push(['same second', `${plural(shown.ended.length, 'request')} in flight ${shown.ended.length === 1 ? 'ends' : 'end'} as ${codes(shown.ended)}`, routesOf(shown), 'effect']);
    if (shown.refused.length > 0) rows.push(['until the next start', `${plural(shown.refused.length, 'request finds', 'requests find')} no worker: ${codes(shown.refused)}`, null, 'effect']);
  }
  const alike = crashes.length === 1 ? 'the only one' : `one of ${count(crashes.length)}, the others are alike`;
  return { kind: 'table', title: alike, columns: [{ title: 'When', unit: 'at' }, { title: 'What', unit: 'text' }, { title: 'Detail', unit: 'text' }, { title: 'Part', unit: 'text' }], rows, drawn: 'chain' };
}

function momentOf(exception: ExceptionGroup, crash: Crash): string | number | null {
  const near = exception.seen.filter((s) => s.at !== undefined && Math.abs(s.at - crash.exit.at) <= 10_000).map((s) => s.at as number);
  return near.at(-1) ?? 'just before';
}

function thrown(exception: ExceptionGroup): string {
  const head = exceptionName(exception, exception.frames.length === 0);
  const frames = exception.frames.slice(0, FRAMES_SHOWN).map((f) => `    ${f.text}`);
  return frames.length === 0 ? `${head}\n` : [head, ...frames].join('\n');
}

function ending({ exit }: Crash): string {
  if (exit.signal !== undefined) return `is ended by ${exit.signal}`;
  return exit.code === undefined ? `ends with ${exitWords(exit)}` : `exits with code ${exit.code}`;
}

function exitNote(crash: Crash): string {
  const seen = { 'event-log': 'Seen in the event log.', changes: 'Seen in the list of processes.', both: 'Seen in the event log and in the list of processes.' }[crash.exit.from];
  return crash.exit.starting ? `It had not begun to listen. ${seen}` : seen;
}

function codes(rows: Crash['ended']): string {
  return [...new Set(rows.map(codeName))].sort(byText).join(', ');
}

function routesOf(crash: Crash): string {
  const routes = new Map<string, number>();
  for (const row of crash.ended) routes.set(`${row.method} ${row.route}`, (routes.get(`${row.method} ${row.route}`) ?? 0) + 1);
  const all = [...routes].sort((a, b) => b[1] - a[1] || byText(a[0], b[0]));
  const named = all.slice(0, ROUTES_SHOWN).map(([route, n]) => (n === 1 ? oneLine(route) : `${oneLine(route)} (${n})`)).join(', ');
  return all.length > ROUTES_SHOWN ? `${named} and ${plural(all.length - ROUTES_SHOWN, 'more route')}.` : `${named}.`;
}
