// Owns the event log as a source: one entry per event of eventlog.xml, which is a ring that is written anew, not a file that grows.
import { DiagError } from '../../shared/errors.ts';
import type { LogItem } from '../../shared/live.ts';
import type { LogLine, LogPage } from '../../shared/model.ts';
import type { EventLogRow, Platform } from '../../platform/platform.ts';
import type { LogBatch } from '../observe.ts';
import { stateAt } from './file.ts';
import { compileFilter } from './filter.ts';
import type { FollowOptions } from './follow.ts';
import type { PageQuery } from './page.ts';
import type { Log } from './log.ts';
import type { LineMask } from './masked.ts';
import { Notices, pause, pauseOrRing } from './wake.ts';

/** Events are rare and the file is up to a megabyte: once a second is soon enough. */
const POLL_MS = 1_000;
const REST_MS = 100;
const DEFAULT_LAST = 200;
const NONE = '-';

/** Which event: its instant, its record number where it has one, else its number among those of that instant. */
interface Key { readonly at: number; readonly record: string }
interface Event { readonly key: Key; readonly line: LogLine }

async function read(log: Log, platform: Platform, signal: AbortSignal): Promise<Event[]> {
  const rows = await platform.eventLog(signal);
  let same = 0;
  return rows.map((row, i) => {
    same = i > 0 && rows[i - 1]?.at === row.at ? same + 1 : 0;
    const key = { at: row.at, record: row.record === undefined ? `n${same}` : row.record.toString(36) };
    return { key, line: lineOf(log, row, i, key) };
  });
}

function lineOf(log: Log, row: EventLogRow, index: number, key: Key): LogLine {
  return { at: row.at, source: log.source, offset: row.record ?? index, cursor: encode(log.source, key), level: row.level, text: `${row.provider} ${row.id}: ${row.text}` };
}

function encode(source: string, key: Key | undefined): string {
  return `e1.${source}.${(key?.at ?? 0).toString(36)}.${key?.record ?? NONE}`;
}

/** @throws CURSOR_BAD */
function decode(text: string, source: string): Key {
  const found = /^e1\.([a-z0-9]{1,40})\.([0-9a-z]{1,11})\.([0-9a-z]{1,14}|-)$/.exec(text);
  const at = Number.parseInt(found?.[2] ?? '', 36);
  if (!found || found[1] !== source || !Number.isSafeInteger(at)) throw new DiagError('CURSOR_BAD');
  return { at, record: found[3] as string };
}

/** The index of the first event after the key. */
function after(events: readonly Event[], key: Key): number {
  const found = events.findIndex((one) => one.key.at === key.at && one.key.record === key.record);
  if (found !== -1) return found + 1;
  const later = events.findIndex((one) => one.key.at > key.at);
  return later === -1 ? events.length : later;
}

/** @throws CURSOR_BAD, FILTER_BAD */
export async function eventPage(log: Log, query: PageQuery, platform: Platform, signal: AbortSignal): Promise<LogPage> {
  const passes = compileFilter(query.filter);
  const { limit } = query;
  const bound = query.after ?? query.before;
  const key = bound === undefined ? undefined : decode(bound, log.source);
  const events = await read(log, platform, signal);
  const scannedBytes = (await stateAt(log.path))?.sizeBytes ?? 0;
  const at = query.at;
  const later = at === undefined ? -1 : events.findIndex((one) => one.key.at >= at);
  if (query.after !== undefined || later !== -1) {
    const from = query.after !== undefined && key ? after(events, key) : later;
    const chosen = events.slice(from).filter((one) => passes(one.line)).slice(0, limit);
    const last = chosen.length === limit ? chosen.at(-1) : events.at(-1);
    return { lines: chosen.map((one) => one.line), ...(from > 0 ? { before: encode(log.source, keyOf(events, from)) } : {}), after: encode(log.source, last?.key ?? key), scannedBytes, complete: true };
  }
  const to = key ? indexOf(events, key) : events.length;
  const chosen = events.slice(0, to).filter((one) => passes(one.line)).slice(-limit);
  const first = chosen[0];
  const more = first !== undefined && events[0]?.key !== first.key && chosen.length === limit;
  return { lines: chosen.map((one) => one.line), ...(more ? { before: encode(log.source, first.key) } : {}), after: bound ?? encode(log.source, events.at(-1)?.key), scannedBytes, complete: true };
}

/** The key of the event at this index; one past the last has a key of its own. */
function keyOf(events: readonly Event[], index: number): Key {
  return events[index]?.key ?? { at: (events.at(-1)?.key.at ?? 0) + 1, record: NONE };
}

/** The index that a key stands for, or would. */
function indexOf(events: readonly Event[], key: Key): number {
  const found = events.findIndex((one) => one.key.at === key.at && one.key.record === key.record);
  if (found !== -1) return found;
  const later = events.findIndex((one) => one.key.at >= key.at);
  return later === -1 ? events.length : later;
}

/** The last events or those since the cursor, then new ones as they come. Ends when the signal aborts. @throws CURSOR_BAD, FILTER_BAD */
export async function followEvents(log: Log, options: FollowOptions, platform: Platform, mask?: LineMask): Promise<void> {
  const { signal, sink } = options;
  const passes = compileFilter(options.filter);
  let last = options.cursor === undefined ? undefined : decode(options.cursor, log.source);
  let told: () => void = () => undefined;
  const notices = new Notices(log.path, () => told());
  try {
    let seen = '';
    let again = false; // one more look after a change: a file that was being written then may have been torn
    for (let first = true; !signal.aborted; first = false) {
      const state = await stateAt(log.path);
      const now = `${state?.ino} ${state?.changedNs} ${state?.sizeBytes}`;
      if (first || again || now !== seen) {
        again = now !== seen;
        seen = now;
        const events = await read(log, platform, signal);
        const { newest, items, ...batch } = since(events, last, options.last ?? DEFAULT_LAST, passes);
        last = newest;
        if (first || items.length > 0 || batch.passed > 0) sink.batch({ ...batch, items: mask === undefined ? items : items.map((item) => ('line' in item ? { line: { ...item.line, text: mask.text(item.line.text) } } : item)), cursor: encode(log.source, last) });
      }
      await pause(platform.clock, REST_MS, signal);
      await pauseOrRing(platform.clock, POLL_MS, signal, (end) => { told = end; });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    notices.close();
  }
}

interface Since extends Omit<LogBatch, 'cursor'> { readonly newest: Key }

/** What is newer than `last`; without it the last `back` ones. A torn reading that ends before `last` brings nothing and moves nothing. */
function since(events: readonly Event[], last: Key | undefined, back: number, passes: (line: LogLine) => boolean): Since {
  const items: LogItem[] = [];
  const oldest = events[0];
  if (last && last.at > 0 && oldest && oldest.key.at > last.at) items.push({ notice: { kind: 'lost', text: 'The event log keeps the last 1,000 events; older ones since the last reading are gone and cannot be counted.' } });
  const fresh = last ? events.slice(after(events, last)) : events;
  const passing = fresh.filter((one) => passes(one.line));
  const shown = last ? passing : passing.slice(Math.max(0, passing.length - back));
  items.push(...shown.map(({ line }) => ({ line })));
  return { items, dropped: 0, passed: fresh.length - passing.length, newest: fresh.at(-1)?.key ?? last ?? { at: 0, record: NONE } };
}
