// Owns telling the requests that were in flight: how many, what they wait for, and where in the app the waits of the oldest began. It judges nothing: a stream may be in flight for hours.
import type { AppFlight } from '../../shared/app-link.ts';
import { InFlightFile } from '../../shared/artifacts.ts';
import type { Evidence, Finding } from '../../shared/model.ts';
import { duration, plural } from '../../shared/units.ts';
import type { Analyzer } from '../contracts.ts';
import { readAll, unreadableFinding } from '../parse/json-artifacts.ts';
import { oneLine } from '../parse/words.ts';

const ROWS = 20;
const STACKS = 5;

export const inFlight: Analyzer = {
  id: 'in-flight',
  title: 'Requests in flight',
  needs: ['in-flight'],
  async analyze(given) {
    const { files, unreadable } = await readAll(given['in-flight'], InFlightFile);
    return [...files.map((file, i) => told(file, i === 0 ? '' : `-${i + 1}`)), ...unreadableFinding('in-flight', 'application', unreadable)];
  },
};

function told({ pid, inFlight: all, flights, forMs }: InFlightFile, suffix: string): Finding {
  const finding: Pick<Finding, 'id' | 'area' | 'mitigations'> = { id: `in-flight${suffix}`, area: 'application', mitigations: [] };
  const [oldest] = flights;
  if (oldest === undefined) return { ...finding, severity: 'info', title: `No request was in flight in process ${pid}`, why: `At the end of ${duration(forMs)} it was serving nothing.`, advice: '', evidence: [] };
  const [top] = mostWaited(flights);
  const rows = flights.slice(0, ROWS).map((one) => [oneLine(`${one.method} ${one.path}`, 120), Math.round(one.ageMs), one.waits === undefined ? null : oneLine(one.waits.map(wordsOf).join(', '), 120)]);
  const more = Math.max(0, all - rows.length);
  return {
    ...finding, severity: 'info',
    title: `${plural(all, 'request')} in flight in process ${pid}, the oldest, ${nameOf(oldest)}, for ${duration(Math.round(oldest.ageMs))}${top === undefined ? '' : `; ${top.count} of ${flights.length} wait for ${top.words}`}`,
    why: 'What requests have in common while they wait is what holds them. Those that began before they were followed show their age only; streams and long polls are in flight as long as they want.',
    advice: top === undefined ? '' : 'Look at the places below: there the waits of the oldest began.',
    evidence: [{ kind: 'table', title: 'The oldest', columns: [{ title: 'Request', unit: 'code' }, { title: 'For', unit: 'ms' }, { title: 'Waits for', unit: 'text' }], rows, ...(more > 0 ? { more } : {}) }, ...stacksOf(flights)],
  };
}

const nameOf = ({ method, path }: AppFlight): string => oneLine(`${method} ${path}`, 120);
const wordsOf = (wait: NonNullable<AppFlight['waits']>[number]): string => (wait.for === 'nothing' ? 'nothing that can be seen' : oneLine(`${wait.for} ${wait.on ?? ''}`.trim(), 100));

function mostWaited(flights: readonly AppFlight[]): { words: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { waits } of flights) {
    const [first] = waits ?? [];
    if (first !== undefined && first.for !== 'nothing') counts.set(wordsOf(first), (counts.get(wordsOf(first)) ?? 0) + 1);
  }
  return [...counts].map(([words, count]) => ({ words, count })).sort((a, b) => b.count - a.count);
}

/** One of each place: a hundred requests that hang at one are one stack. */
function stacksOf(flights: readonly AppFlight[]): Evidence[] {
  const places = new Map<string, { first: AppFlight; frames: readonly string[]; words: string; count: number }>();
  for (const flight of flights) {
    const wait = flight.waits?.find(({ frames = [] }) => frames.length > 0);
    if (wait?.frames === undefined) continue;
    const key = wait.frames.join('\n');
    const seen = places.get(key);
    if (seen === undefined) places.set(key, { first: flight, frames: wait.frames, words: wordsOf(wait), count: 1 });
    else seen.count += 1;
  }
  return [...places.values()].sort((a, b) => b.count - a.count).slice(0, STACKS).map(({ first, frames, words, count }) => ({
    kind: 'stack', title: `${nameOf(first)}${count === 1 ? '' : ` and ${count - 1} more`}: began to wait for ${words} here`, share: count / flights.length,
    frames: frames.map((text) => ({ text: oneLine(text, 300), ...(/node:|node_modules|internal\//.test(text) ? {} : { ours: true }) })),
  }));
}
