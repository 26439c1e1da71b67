// Owns the reading of JSON access logs: App Service's export to storage, Caddy, Traefik, and others by the names they commonly use.
import type { FullColumns, LogFormat } from '../columns.ts';
import { recordCutter, trimRecord } from './json-cutter.ts';
import { APP_SERVICE, CADDY, COMMON, TRAEFIK } from './json-names.ts';
import type { Name } from './json-names.ts';
import { ESCAPED, JsonWalk, NOTHING, PLAIN, jsonKeys } from './json-walk.ts';
import type { JsonKeys } from './json-walk.ts';
import { refuse } from './pattern.ts';
import { COMMENT, MALFORMED, ROW, TextReader } from './reader.ts';
import type { LineParser } from './reader.ts';
import { RowWriter } from './row.ts';
import { unescape } from './unescape.ts';

/** Records come in order save for the delivery of several instances' batches, and of proxies that write when a request ends what they stamped when it came. */
const DISORDER_MS = 300_000;
/** The pattern of a file that is one array: records may share a line or span many. */
const ARRAY = 'array';

interface Dialect { readonly id: string; readonly title: string; readonly names: readonly Name[]; /** A value that a record of another kind has in its place. */ readonly only?: readonly [path: string, value: string]; /** A text that may hold an object of its own. */ readonly nested?: string }

const DIALECTS: readonly Dialect[] = [
  { id: 'json-app-service', title: 'App Service HTTP logs as JSON (AppServiceHTTPLogs)', names: APP_SERVICE, only: ['category', 'AppServiceHTTPLogs'], nested: 'properties' },
  { id: 'json-caddy', title: 'Caddy JSON', names: CADDY },
  { id: 'json-traefik', title: 'Traefik JSON', names: TRAEFIK },
  { id: 'json', title: 'JSON lines with common names', names: COMMON },
];

/** What a dialect's names come to; made at its first use, shared by its readers. */
interface Plan { readonly keys: JsonKeys; readonly order: readonly number[]; readonly telling: readonly number[]; readonly only: { readonly slot: number; readonly value: Uint8Array } | undefined; readonly nestedSlot: number }
const plans = new Map<Dialect, Plan>();

function planOf(dialect: Dialect): Plan {
  const known = plans.get(dialect);
  if (known !== undefined) return known;
  const { names, nested, only } = dialect;
  const paths = [...names.map(([path]) => path), ...(only === undefined ? [] : [only[0]]), ...(nested === undefined ? [] : [nested])];
  const order = names.map((_, slot) => slot).sort((a, b) => (names[a]?.[2] ?? 0) - (names[b]?.[2] ?? 0));
  const telling = order.filter((slot) => { const meaning = names[slot]?.[1]; return (meaning?.is === 'number' && meaning.column === 'status') || meaning?.is === 'request' || (meaning?.is === 'text' && meaning.role === 'method'); });
  const plan = { keys: jsonKeys(paths), order, telling, only: only === undefined ? undefined : { slot: names.length, value: Buffer.from(only[1]) }, nestedSlot: paths.length - 1 };
  plans.set(dialect, plan);
  return plan;
}

function parser(dialect: Dialect, columns: FullColumns): LineParser {
  const { names, nested } = dialect;
  const { keys, order, telling, only, nestedSlot } = planOf(dialect);
  const walk = new JsonWalk(keys);
  const row = new RowWriter(columns);

  /** What stands in a slot, its escapes undone. */
  const end = (bytes: Uint8Array, slot: number): number => {
    if (walk.kind[slot] === ESCAPED) { walk.to[slot] = unescape(bytes, walk.from[slot] as number, walk.to[slot] as number, 'json'); walk.kind[slot] = PLAIN; }
    return walk.to[slot] as number;
  };
  const openNested = (bytes: Uint8Array): boolean =>
    nested === undefined || walk.kind[nestedSlot] === NOTHING || walk.walkBelow(nested, bytes, walk.from[nestedSlot] as number, end(bytes, nestedSlot));
  const otherKind = (bytes: Uint8Array): boolean => only !== undefined && walk.kind[only.slot] !== NOTHING && Buffer.compare(only.value, bytes.subarray(walk.from[only.slot] as number, end(bytes, only.slot))) !== 0;

  return (bytes, from, to, offset) => {
    const record = trimRecord(bytes, from, to);
    if (record.from === record.to) return COMMENT;
    if (!walk.walk(bytes, record.from, record.to)) return isFrame(bytes, record.from, record.to) ? COMMENT : MALFORMED;
    if (otherKind(bytes)) return COMMENT;
    if (!openNested(bytes)) return MALFORMED;
    // A server's log of other things lies in the same file: nothing is wrong with it.
    if (telling.every((slot) => walk.kind[slot] === NOTHING)) return COMMENT;
    row.begin(offset);
    for (const slot of order) if (walk.kind[slot] !== NOTHING && !row.put((names[slot] as Name)[1], bytes, walk.from[slot] as number, end(bytes, slot))) return MALFORMED;
    return row.whole() ? ROW : MALFORMED;
  };
}

/** The line {"records": [ about an array with one record a line. */
function isFrame(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from <= 40 && /^\{\s*"\w{1,30}"\s*:\s*\[$/.test(String.fromCharCode(...bytes.subarray(from, to)));
}

function format(dialect: Dialect, array: boolean): LogFormat {
  return {
    id: dialect.id, title: array ? `${dialect.title}, one array` : dialect.title, disorderMs: DISORDER_MS, ...(array ? { pattern: ARRAY, fromStart: true } : {}),
    reader: (options) => new TextReader({ ...options, parser: (columns) => parser(dialect, columns), ...(array ? { cutter: recordCutter() } : {}) }),
  };
}

/** @throws LOG_FORMAT_BAD */
export function json(id: string, pattern?: string): LogFormat {
  if (pattern !== undefined && pattern !== ARRAY) refuse(`${id} has no variant "${pattern.slice(0, 40)}"; the only one is "${ARRAY}"`);
  const dialect = DIALECTS.find((one) => one.id === id) ?? refuse(`there is no format "${id.slice(0, 40)}"`);
  return format(dialect, pattern === ARRAY);
}

export const JSON_IDS: readonly string[] = DIALECTS.map((one) => one.id);
