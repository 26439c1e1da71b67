// Owns random rows as objects and as columns, for tests that compare the figures with a plain count.
import { ABSENT, TEXT_ROLES, hashOf, newColumns } from '../../../../src/observe/http-log/columns.ts';
import type { Columns, TextRole } from '../../../../src/observe/http-log/columns.ts';
import { seeded } from '../support.ts';

export type Row = { at: number; offset: number; status: number; sub: number; win32: number; taken: number; sent: number } & Partial<Record<TextRole, string | Uint8Array>>;

/** Columns of rows as a reader makes them: with hashes. */
export function hashed(rows: readonly Row[]): Columns {
  const texts = rows.map((row) => TEXT_ROLES.map((role) => { const value = row[role]; return value === undefined ? undefined : typeof value === 'string' ? Buffer.from(value) : value; }));
  const bytes = new Uint8Array(texts.flat().reduce((sum, text) => sum + (text?.length ?? 0), 0));
  const columns = newColumns(bytes, rows.length);
  columns.rows = rows.length;
  let used = 0;
  rows.forEach((row, i) => {
    for (const name of ['at', 'offset', 'status', 'sub', 'win32', 'taken', 'sent'] as const) columns[name][i] = row[name];
    columns.received[i] = ABSENT;
    TEXT_ROLES.forEach((role, k) => {
      const text = texts[i]?.[k], column = columns.text[role];
      if (text === undefined || text.length === 0) return;
      bytes.set(text, used);
      column.from[i] = used;
      used += text.length;
      column.to[i] = used;
      column.hash[i] = hashOf(bytes, column.from[i] as number, used);
    });
  });
  return columns;
}

const AGENTS = ['Mozilla/5.0+(Windows+NT+10.0)+AppleWebKit/537.36+(KHTML,+like+Gecko)+Chrome/120.0+Safari/537.36', 'Mozilla/5.0+(X11)+Gecko/20100101+Firefox/121.0', 'curl/8.4.0', 'AlwaysOn', 'Googlebot/2.1'];

export interface Shape { readonly seed: number; readonly rows: number; readonly from: number; readonly spanMs?: number; readonly paths?: number; readonly clients?: number }

/** Rows in the order of time, with failures in bursts, some rows without some of the columns. */
export function randomRows({ seed, rows, from, spanMs = 3_600_000, paths = 40, clients = 30 }: Shape): Row[] {
  const next = seeded(seed);
  const int = (n: number): number => Math.floor(next() * n);
  return Array.from({ length: rows }, (_, i): Row => {
    const failed = next() < (int(20) === 0 ? 0.5 : 0.02), bare = int(10) === 0;
    const path = int(paths);
    return {
      at: from + Math.floor(i * spanMs / rows / 1_000) * 1_000, offset: i * 300, status: failed ? [500, 502, 503][int(3)] ?? 500 : [200, 200, 200, 304, 404, 400][int(6)] ?? 200,
      sub: bare ? ABSENT : failed ? int(4) : 0, win32: bare ? ABSENT : failed ? [0, 64, 12_002, 12_030][int(4)] ?? 0 : 0,
      taken: int(15) === 0 ? ABSENT : failed && int(3) === 0 ? 230_000 + int(900) : Math.floor(Math.exp(next() * 9)), sent: int(9) === 0 ? ABSENT : int(60_000),
      ...(bare ? {} : { method: ['GET', 'GET', 'POST', 'PUT'][int(4)], client: `10.0.0.${int(clients)}`, agent: AGENTS[int(AGENTS.length)], host: int(2) ? 'shop.example' : 'SHOP.example', referrer: int(2) ? `https://www.site${int(5)}.example/a?b=${int(99)}` : undefined }),
      path: path % 3 === 0 ? `/api/orders/${int(100_000)}` : `/page${String.fromCharCode(97 + path % 26)}/${'abcdefghij'[path % 10]}`, site: 'SHOP',
    } as Row;
  });
}
