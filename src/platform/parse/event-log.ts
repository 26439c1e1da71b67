// Owns reading eventlog.xml: App Service's ring of Windows events, often read in the middle of being written.
import { SaxesParser } from 'saxes';
import type { EventLogRow } from '../platform.ts';

/** The ring holds 1,000 events; twice that allows for a file and its predecessor. Older ones are left out and counted. */
const KEPT_ROWS = 2_000;
/** A .NET stack of a deep recursion reaches this; longer texts are cut. */
const KEPT_TEXT = 64 * 1024;
/** <Data> elements of one event; Windows' own have a handful. */
const KEPT_PARTS = 200;

export interface EventLogRead {
  readonly rows: readonly EventLogRow[];   // oldest first
  readonly unreadable: number;             // events that are whole but have no id or no time
  readonly flawed: number;                 // events read although their XML is not well formed
  readonly left: number;                   // rows beyond the bound
}

/** Rows of one file or of several joined (the predecessor first). A torn file gives the events that are whole: each is parsed on its own, so that damage stays where it is. */
export function parseEventLog(text: string): EventLogRead {
  const rows: EventLogRow[] = [];
  const seen = new Set<string>();
  let unreadable = 0;
  let flawed = 0;
  for (const piece of events(text)) {
    const found = parseEvent(piece);
    const row = rowOf(found);
    if (found.flaws > 0) flawed += 1;
    if (row === undefined) { unreadable += 1; continue; }
    const mark = `${row.at} ${row.record ?? ''} ${row.id} ${row.text}`;
    if (!seen.has(mark)) rows.push(row);
    seen.add(mark);
  }
  rows.sort((a, b) => a.at - b.at || (a.record ?? 0) - (b.record ?? 0));
  const left = Math.max(0, rows.length - KEPT_ROWS);
  return { rows: left > 0 ? rows.slice(left) : rows, unreadable, flawed, left };
}

/** From each `<Event>` to its end, unless another begins before: then the first was torn. */
function* events(text: string): Generator<string> {
  const mark = /<(\/?)Event(?=[\s>])[^>]*>/g;
  let from = -1;
  for (let match = mark.exec(text); match !== null; match = mark.exec(text)) {
    if (match[1] === '') from = match.index;
    else if (from >= 0) {
      yield text.slice(from, mark.lastIndex);
      from = -1;
    }
  }
}

interface Found { provider?: string; id?: string; level?: string; time?: string; record?: string; computer?: string; message?: string; texts: string[]; flaws: number }

function parseEvent(xml: string): Found {
  const found: Found = { texts: [], flaws: 0 };
  const path: string[] = [];
  let text = '';
  const parser = new SaxesParser({ position: false, xmlns: false });
  // Event texts hold characters that XML forbids (terminal colours): the parser says so and goes on, and so do we.
  parser.on('error', () => { found.flaws += 1; });
  parser.on('opentag', (tag) => {
    path.push(tag.name);
    text = '';
    if (path[1] === 'System' && path.length === 3) noteAttributes(found, tag.name, tag.attributes);
  });
  const add = (more: string): void => { if (text.length < KEPT_TEXT) text += more; };
  parser.on('text', add);
  parser.on('cdata', add);
  parser.on('closetag', () => {
    noteText(found, path, text);
    path.pop();
    text = '';
  });
  parser.write(xml).close();
  return found;
}

function noteAttributes(found: Found, name: string, attributes: Readonly<Record<string, string>>): void {
  if (name === 'Provider') found.provider = attributes['Name'] ?? '';
  if (name === 'TimeCreated') found.time = attributes['SystemTime'] ?? '';
}

function noteText(found: Found, path: readonly string[], text: string): void {
  const name = path.at(-1);
  if (path[1] === 'System' && path.length === 3) {
    if (name === 'EventID') found.id = text.trim();
    if (name === 'Level') found.level = text.trim();
    if (name === 'EventRecordID') found.record = text.trim();
    if (name === 'Computer') found.computer = text.trim();
  } else if (name === 'Data' && text.trim() !== '' && found.texts.length < KEPT_PARTS) found.texts.push(text.trim());
  else if (name === 'Message') found.message = text.trim();
}

function rowOf(found: Found): EventLogRow | undefined {
  const id = Number(found.id ?? 'none');
  const at = instant(found.time ?? '') ?? dated(found.texts);
  if (!Number.isInteger(id) || found.id === '' || at === undefined) return undefined;
  const record = Number(found.record ?? 'none');
  const words = found.texts.length > 0 ? found.texts.join('\n') : found.message ?? '';
  return {
    at, id, provider: found.provider ?? '', level: levelOf(found.level), text: words.slice(0, KEPT_TEXT),
    ...(Number.isInteger(record) && found.record !== '' ? { record } : {}),
    ...(found.computer === undefined || found.computer === '' ? {} : { computer: found.computer }),
  };
}

/** 1 is an error; 2 a warning and 4 or 0 information is not verified on a live app. 3 is Windows' own word for a warning. */
function levelOf(level: string | undefined): EventLogRow['level'] {
  if (level === '1') return 'error';
  return level === '2' || level === '3' ? 'warn' : 'info';
}

/** An early platform wrote the time without its day; ASP.NET's own events carry both, in local time and then in UTC, as America writes them. */
function dated(texts: readonly string[]): number | undefined {
  const found = texts.slice(0, 6).flatMap((text) => { const parts = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d\d):(\d\d) ([AP])M$/.exec(text); return parts ? [parts] : []; }).at(-1);
  if (!found) return undefined;
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number);
  const at = Date.UTC(year, month - 1, day, (hour % 12) + (found[7] === 'P' ? 12 : 0), minute, second);
  return Number.isNaN(at) ? undefined : at;
}

/** UTC also where the zone is missing, as App Service writes it. */
function instant(text: string): number | undefined {
  const at = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/i.test(text.trim()) ? text.trim() : `${text.trim()}Z`);
  return Number.isNaN(at) || at < 0 ? undefined : at;
}
