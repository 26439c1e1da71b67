// Owns logs made for the tests of the HTTP log: a seeded generator and an independent, naive reader of strings.
import { APP_SERVICE_FIELDS } from '../../../src/observe/http-log/fields.ts';

/** A seeded generator of numbers in [0, 1): the same seed gives the same log. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = Math.imul(state ^ state >>> 15, state | 1);
    state ^= state + Math.imul(state ^ state >>> 7, state | 61);
    state = (state + 0x6D2B79F5) >>> 0;
    return ((state ^ state >>> 14) >>> 0) / 4_294_967_296;
  };
}

export interface RowParts { at: number; site?: string; method?: string; path?: string; query?: string; client?: string; agent?: string; status?: number; sub?: number; win32?: number; sent?: number; received?: number; taken?: number | '-' }

/** One row in App Service's order. */
export function row(parts: RowParts): string {
  const [date, time] = new Date(parts.at).toISOString().slice(0, 19).split('T');
  return [date, time, parts.site ?? 'SHOP', parts.method ?? 'GET', parts.path ?? '/', parts.query ?? '-', 80, '-', parts.client ?? '10.0.0.1', parts.agent ?? 'Mozilla/5.0+(X11)', '-', '-', 'shop.example',
    parts.status ?? 200, parts.sub ?? 0, parts.win32 ?? 0, parts.sent ?? 1_000, parts.received ?? 500, parts.taken ?? 10].join(' ');
}

export const HEAD = ['#Software: Microsoft Internet Information Services 8.0', '#Version: 1.0', '#Date: 2026-11-21 00:00:00', APP_SERVICE_FIELDS].join('\r\n');

const FAILURES = [[502, 3, 12030], [502, 3, 12002], [503, 0, 0], [500, 121, 0], [500, 0, 0]] as const;

/** A log of `rows` rows from `from` on, with failures, routes with ids, SCM rows, a changed header, comments and damaged lines. */
export function makeLog(options: { seed: number; rows: number; from: number; stepMs?: number; damaged?: boolean; headers?: boolean; eol?: string }): string {
  const next = seeded(options.seed);
  const lines = [HEAD];
  for (let i = 0; i < options.rows; i += 1) {
    const at = options.from + i * (options.stepMs ?? 250);
    const roll = next();
    const failure = roll < 0.06 ? FAILURES[Math.floor(next() * FAILURES.length)] : undefined;
    const path = next() < 0.5 ? `/api/orders/${Math.floor(next() * 10_000)}` : `/static/app-${Math.floor(next() * 5)}.js`;
    lines.push(row({
      at, path, method: next() < 0.2 ? 'POST' : 'GET', client: `10.0.${Math.floor(next() * 3)}.${Math.floor(next() * 40)}`, site: next() < 0.05 ? '~1SHOP' : 'SHOP',
      query: next() < 0.3 ? `a=${i}&X-ARR-LOG-ID=0d3f5c0e-1111-2222-3333-444455556666` : '-', agent: next() < 0.1 ? 'Größe/1.0+(Ä)' : 'curl/8.0',
      status: failure?.[0] ?? (next() < 0.1 ? 404 : 200), sub: failure?.[1] ?? 0, win32: failure?.[2] ?? 0, sent: Math.floor(next() * 50_000), received: Math.floor(next() * 2_000),
      taken: next() < 0.02 ? '-' : Math.floor(Math.exp(next() * 11)),
    }));
    if (options.damaged !== false && next() < 0.03) lines.push(damaged(next, at));
    if (options.headers !== false && next() < 0.01) lines.push('#Date: 2026-11-21 00:00:00', APP_SERVICE_FIELDS);
  }
  return lines.join(options.eol ?? '\r\n') + (options.eol ?? '\r\n');
}

function damaged(next: () => number, at: number): string {
  const good = row({ at });
  const kinds = [good.slice(0, 40), `${good} extra`, good.replace(' 200 ', ' 2x0 '), '', 'not a row', good.replace('2026-', '2026/'), `${good.slice(0, 20)}\0${good.slice(21)}`];
  return kinds[Math.floor(next() * kinds.length)] ?? '';
}

export interface NaiveRow { offset: number; at: number; site: string; method: string; path: string; client: string; status: number; key: string; taken?: number; sent?: number }
export interface Naive { lines: number; comments: number; malformed: number; rows: NaiveRow[] }

/** The same log read the plain way, with split() and strings: knows nothing of our parser. */
export function readNaively(log: string): Naive {
  const found: Naive = { lines: 0, comments: 0, malformed: 0, rows: [] };
  let fields = APP_SERVICE_FIELDS.split(' ').slice(1);
  let offset = 0;
  const pieces = log.split('\n');
  if (pieces[pieces.length - 1] === '') pieces.pop();
  for (const piece of pieces) {
    const line = piece.replace(/\r$/, '').replace(/^\0+/, '');
    const begin = offset;
    offset += Buffer.byteLength(piece) + 1;
    found.lines += 1;
    if (line === '' || line.startsWith('#')) {
      found.comments += 1;
      if (line.startsWith('#Fields:')) fields = line.split(' ').slice(1);
      continue;
    }
    const read = naiveRow(line, fields, begin);
    if (read === undefined) found.malformed += 1; else found.rows.push(read);
  }
  return found;
}

function naiveRow(line: string, fields: readonly string[], offset: number): NaiveRow | undefined {
  const cells = line.split(' ');
  if (cells.length !== fields.length || line.includes('\0')) return undefined;
  const get = (name: string): string => cells[fields.indexOf(name)] ?? '-';
  const at = Date.parse(`${get('date')}T${get('time')}Z`);
  if (!/^\d{4}-\d\d-\d\d$/.test(get('date')) || Number.isNaN(at) || !/^\d{1,3}$/.test(get('sc-status'))) return undefined;
  const numbers = ['sc-substatus', 'sc-win32-status', 'sc-bytes', 'cs-bytes', 'time-taken'].filter((name) => fields.includes(name));
  if (numbers.some((name) => !/^(-|\d+)$/.test(get(name)))) return undefined;
  const key = ['sc-status', 'sc-substatus', 'sc-win32-status'].filter((name) => fields.includes(name)).map(get).join('.');
  return {
    offset, at, site: get('s-sitename'), method: get('cs-method'), path: get('cs-uri-stem'), client: get('c-ip'), status: Number(get('sc-status')), key,
    ...(get('time-taken') === '-' ? {} : { taken: Number(get('time-taken')) }), ...(get('sc-bytes') === '-' ? {} : { sent: Number(get('sc-bytes')) }),
  };
}
