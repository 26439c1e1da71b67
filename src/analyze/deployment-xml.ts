// Owns the reading of Kudu's status.xml and log.xml: tolerant, whatever is whole is taken.
import { SaxesParser } from 'saxes';
import type { Deployment } from '../shared/artifacts.ts';

/** Text of one element; a longer one is cut (commit messages can hold a whole change log). */
const MAX_TEXT_CHARS = 4_000;
/** Lines of one deployment's log. */
const MAX_LOG_LINES = 200;

/** The direct children of the root with their text. A torn file gives those that are whole; `whole` says whether it ended well. */
export function childrenOf(xml: string): { readonly texts: ReadonlyMap<string, string>; readonly whole: boolean } {
  const texts = new Map<string, string>();
  let depth = 0;
  let text = '';
  const whole = read(xml, {
    open() { depth += 1; if (depth === 2) text = ''; },
    text(piece) { if (depth === 2 && text.length < MAX_TEXT_CHARS) text += piece.slice(0, MAX_TEXT_CHARS - text.length); },
    close(name) { if (depth === 2) texts.set(name, text.trim()); depth -= 1; },
  });
  return { texts, whole };
}

export interface LogEntry { readonly at?: number; readonly text: string }

/** The entries of log.xml: `<entry time=… ><message>…</message></entry>`. */
export function entriesOf(xml: string): { readonly entries: readonly LogEntry[]; readonly whole: boolean } {
  const entries: LogEntry[] = [];
  let at: number | undefined;
  let inMessage = false;
  let text = '';
  const whole = read(xml, {
    open(name, attributes) {
      if (name === 'entry') at = instant(attributes['time']);
      if (name === 'message') { inMessage = true; text = ''; }
    },
    text(piece) { if (inMessage && text.length < MAX_TEXT_CHARS) text += piece.slice(0, MAX_TEXT_CHARS - text.length); },
    close(name) {
      if (name !== 'message') return;
      inMessage = false;
      if (entries.length < MAX_LOG_LINES) entries.push({ ...(at !== undefined && { at }), text: text.trim() });
    },
  });
  return { entries, whole };
}

interface Handlers { open(name: string, attributes: Readonly<Record<string, string>>): void; text(piece: string): void; close(name: string): void }

/** False when the text is not well formed to its end. saxes expands no external and no own entities, so a bomb stays small. */
function read(xml: string, on: Handlers): boolean {
  const parser = new SaxesParser();
  let whole = true;
  // After the first fault saxes goes on guessing; what it says then is not believed.
  parser.on('error', () => { whole = false; });
  parser.on('opentag', (tag) => { if (whole) on.open(tag.name, tag.attributes as Record<string, string>); });
  parser.on('text', (piece) => { if (whole) on.text(piece); });
  parser.on('cdata', (piece) => { if (whole) on.text(piece); });
  parser.on('closetag', (tag) => { if (whole) on.close(tag.name); });
  parser.write(xml).close();
  return whole;
}

/** ISO 8601 as Kudu writes it; without a zone it is UTC. */
function instant(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const at = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(at) || at < 0 ? undefined : at;
}

/** One deployment from its two files; the folder's name is its id. */
export function deploymentOf(id: string, status: ReadonlyMap<string, string>, entries: readonly LogEntry[], active: string | undefined): Deployment {
  const said = (name: string): string | undefined => { const text = status.get(name); return text === undefined || text === '' || text === 'N/A' ? undefined : text; };
  const [startedAt, endedAt] = [instant(said('startTime') ?? said('receivedTime')), instant(said('endTime') ?? said('lastSuccessEndTime'))];
  const [state, message, author, deployer] = [said('status'), said('message'), said('author'), said('deployer')];
  return {
    id,
    ...(state !== undefined && { status: state }), ...(message !== undefined && { message }), ...(author !== undefined && { author }), ...(deployer !== undefined && { deployer }),
    ...(startedAt !== undefined && { startedAt }), ...(endedAt !== undefined && { endedAt }),
    ...(active !== undefined && { active: id === active }),
    ...(entries.length > 0 && { log: [...entries] }),
  };
}
