// Owns bringing the front's error log and the access log together: which row a line is about, also when the two write different time zones.
import type { FrontLine } from './front-lines.ts';
import type { Row } from './rows.ts';

const QUARTER_MS = 900_000;
/** Zones lie between -12 h and +14 h, in quarters of an hour. */
const ZONES = { from: -14 * 4, to: 14 * 4 };
/** An access row is written when the answer is sent, the error when it was given up: within the same second or the next. */
const NEAR_MS = 2_000;
const MATCHED_SHARE = 0.5;
const TRIED_LINES = 400;

/** Gives bare gateway rows the effect that the front's own log tells, and returns the lines about no row. `zoneMs`: what its clock is ahead. */
export function matchFront(rows: readonly Row[], lines: readonly FrontLine[]): { readonly left: readonly FrontLine[]; readonly zoneMs: number } {
  const bare = rows.filter((r) => r.effect === 'gateway' || r.effect === 'answered');
  if (lines.length === 0 || bare.length === 0) return { left: lines, zoneMs: 0 };
  const zoneMs = zoneOf(bare, lines);
  const open = index(bare);
  const left: FrontLine[] = [];
  for (const line of lines) {
    const row = take(open, line, line.at - zoneMs);
    if (row) row.effect = line.effect;
    else left.push(line);
  }
  return { left, zoneMs };
}

/** The offset at which most lines meet a row; 0 unless another is clearly better. */
function zoneOf(rows: readonly Row[], lines: readonly FrontLine[]): number {
  const tried = lines.slice(-TRIED_LINES);
  const met = (zoneMs: number): number => { const open = index(rows); return tried.filter((line) => take(open, line, line.at - zoneMs) !== undefined).length; };
  const here = met(0);
  if (here >= tried.length * MATCHED_SHARE) return 0;
  let best = { zoneMs: 0, met: here };
  for (let zone = ZONES.from; zone <= ZONES.to; zone += 1) {
    const found = met(zone * QUARTER_MS);
    if (found > best.met) best = { zoneMs: zone * QUARTER_MS, met: found };
  }
  return best.met >= tried.length * MATCHED_SHARE ? best.zoneMs : 0;
}

/** By request and by step of time: a look goes to three steps, however many rows a route has. */
const keyOf = (of: { readonly method: string; readonly route: string }, at: number, step: number): string => `${of.method} ${of.route} ${Math.floor(at / NEAR_MS) + step}`;

function index(rows: readonly Row[]): Map<string, Row[]> {
  const open = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row, row.at, 0);
    const list = open.get(key);
    if (list) list.push(row);
    else open.set(key, [row]);
  }
  return open;
}

function take(open: Map<string, Row[]>, line: FrontLine, at: number): Row | undefined {
  for (const step of [0, -1, 1]) {
    const list = open.get(keyOf(line, at, step));
    const found = list?.findIndex((row) => Math.abs(row.at - at) <= NEAR_MS && (line.client === undefined || row.client === undefined || row.client === line.client)) ?? -1;
    if (list && found >= 0) return list.splice(found, 1)[0];
  }
  return undefined;
}
