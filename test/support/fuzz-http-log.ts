// Owns the mutation of generated HTTP logs, and what must hold of every reader whatever its input is.
import assert from 'node:assert/strict';
import { ABSENT, MAX_MALFORMED_PLACES, TEXT_ROLES, hashOf } from '../../src/observe/http-log/columns.ts';
import type { Columns, LogFormat, LogReader } from '../../src/observe/http-log/columns.ts';
import { formatOf } from '../../src/observe/http-log/formats/index.ts';
import { WRITERS, makeLog } from './generate-http-log.ts';
import { seeded } from './http-traffic.ts';

export interface Subject { readonly name: string; readonly format: LogFormat; readonly logs: readonly Buffer[] }

const LOGS_OF_EACH = 6, ROWS_OF_EACH = 6;
const LF = 10;

/** Each format with small logs of it; JSON also as one array in the three ways it is laid out. */
export function subjects(): readonly Subject[] {
  const lines = WRITERS.map((writer): Subject => ({
    name: writer.name, format: formatOf(writer.id, writer.pattern),
    logs: Array.from({ length: LOGS_OF_EACH }, (_, seed) => makeLog(writer, { rows: ROWS_OF_EACH, seed, damagedEvery: 8, headEvery: 4, fieldChanges: seed % 2 === 1, routes: 40, clients: 20 }).bytes),
  }));
  const arrays = WRITERS.filter((writer) => writer.id.startsWith('json')).map((writer): Subject => ({
    name: `${writer.name}, one array`, format: formatOf(writer.id, 'array'),
    logs: Array.from({ length: LOGS_OF_EACH }, (_, seed) => {
      const records = makeLog(writer, { rows: ROWS_OF_EACH, seed, routes: 40, clients: 20 }).bytes.toString().trimEnd().split('\n');
      const laid = seed % 3 === 0 ? records : records.map((record) => JSON.stringify(JSON.parse(record), undefined, seed % 3));
      return Buffer.from(seed % 2 === 0 ? `[${laid.join(',\n')}]` : `{"records": [${laid.join(',')}]}\n`);
    }),
  }));
  return [...lines, ...arrays];
}

const FRAGMENTS = ['#Fields: date time sc-status\n', '#Fields: time-taken x sc-status time date\r\n', '#Date: 2026-02-30 00:00:00\n', '#\n', '\n\n\r\n', '99999999999999999999', '1e999', '-1', '0x10', '\uFEFF', '"', '\\', '\\"', '\\x', '\\x4', '\\u12', '\\ud83d', '{', '}', '[', ']', ',', ':', '" "', ' - ', '[', '] "',
  '{"status":500,"time":1}', '{"records":[', '\u{1F4A5}', ' '.repeat(300), '{'.repeat(200), '['.repeat(200), '"time":"2026-01-01T00:00:00Z",', '31/Feb/2026:25:61:61 +9999', '10/Oct/2000:13:55:36 -0700', '\t', '%00', '- - -'].map((text) => Buffer.from(text));

/** One to six changes of a log: bytes flipped, pieces cut, doubled, moved, joined, and pieces of other logs put in. */
export function mutated(log: Buffer, other: Buffer, next: () => number): Buffer {
  let now = log;
  for (let left = 1 + Math.floor(next() * 6); left > 0; left -= 1) {
    const at = Math.floor(next() * (now.length + 1)), size = Math.floor(next() ** 3 * 200);
    const put = (piece: Uint8Array, drop = 0): void => { now = Buffer.concat([now.subarray(0, at), piece, now.subarray(at + drop)]); };
    switch (Math.floor(next() * 12)) {
      case 0: case 1: put(Uint8Array.of(Math.floor(next() * 256)), 1); break;
      case 2: put(Uint8Array.of((now[at] ?? 0) ^ 1 << Math.floor(next() * 8)), 1); break;
      case 3: put(new Uint8Array(0), size); break;
      case 4: put(now.subarray(at, at + size)); break;
      case 5: put(FRAGMENTS[Math.floor(next() * FRAGMENTS.length)] as Buffer, Math.floor(next() * 3)); break;
      case 6: put(new Uint8Array(1 + Math.floor(next() * 40))); break;
      case 7: { const lf = now.indexOf(LF, at); if (lf >= 0) now = Buffer.concat([now.subarray(0, lf), now.subarray(lf + 1)]); break; }
      case 8: put(Uint8Array.of(LF)); break;
      case 9: put(other.subarray(Math.floor(next() * other.length)).subarray(0, size * 4)); break;
      case 10: put(Uint8Array.of(0xC3, 0x28, 0xFF, 0xE2, 0x82)); break;
      default: now = now.subarray(0, at);
    }
  }
  return now;
}

/** All that a reading gave: what must not depend on the cut. */
interface Reading { readonly counts: LogReader['counts']; readonly malformedAt: readonly number[]; readonly rows: number; readonly digest: number; readonly head: string | undefined }

function mix(digest: number, value: number): number {
  return Math.imul(digest ^ value ^ value / 4_294_967_296, 0x9E3779B1) ^ digest >>> 13;
}

/** Reads the pieces, and checks of every row what a row must be. */
export function readAll(format: LogFormat, pieces: readonly Uint8Array[], options: { baseOffset?: number; head?: string | undefined; digest?: number } = {}): Reading {
  let rows = 0, digest = options.digest ?? 1;
  const from = options.baseOffset ?? 0;
  const until = from + pieces.reduce((sum, piece) => sum + piece.length, 0);
  let last = from - 1;
  const sink = (columns: Columns): void => {
    assert.ok(columns.rows > 0, 'an empty batch');
    for (let row = 0; row < columns.rows; row += 1) {
      const offset = columns.offset[row] as number, at = columns.at[row] as number, status = columns.status[row] as number;
      assert.ok(offset > last && offset < until, `offset ${offset} behind ${last}, of ${until}`);
      assert.ok(Number.isSafeInteger(at) && at >= 0 && status >= 0 && status <= 999, `row at ${at} with status ${status}`);
      last = offset;
      digest = mix(mix(mix(digest, offset), at), status);
      for (const column of [columns.sub, columns.win32, columns.taken, columns.sent, columns.received]) {
        const value = column[row] as number;
        assert.ok(value >= 0 || value === ABSENT, `a number is ${value}`);
        digest = mix(digest, value * 1_024);
      }
      for (const role of TEXT_ROLES) digest = mixText(digest, columns, role, row);
    }
    rows += columns.rows;
  };
  const reader = format.reader({ sink, baseOffset: from, ...(options.head === undefined ? {} : { head: options.head }) });
  for (const piece of pieces) reader.write(piece);
  reader.end();
  return { counts: { ...reader.counts }, malformedAt: [...reader.malformedAt], rows, digest, head: reader.head };
}

function mixText(digest: number, columns: Columns, role: (typeof TEXT_ROLES)[number], row: number): number {
  const { from, to, hash } = columns.text[role];
  const begin = from[row] as number, end = to[row] as number;
  if (end <= begin) { assert.equal(hash[row], 0, `${role} is absent and has a hash`); return mix(digest, -7); }
  assert.ok(begin >= 0 && end <= columns.bytes.length, `${role} lies at ${begin} to ${end} of ${columns.bytes.length}`);
  if (role !== 'query' && role !== 'upstream') assert.equal(hash[row], hashOf(columns.bytes, begin, end), `hash of ${role}`);
  let found = mix(digest, hash[row] as number);
  for (let i = begin; i < end; i += 1) found = mix(found, columns.bytes[i] as number);
  return found;
}

/** Lines of the input, as wc and an editor count them: an unterminated last one too. */
export function physicalLines(log: Uint8Array): number {
  let lines = log.length > 0 && log.at(-1) !== LF ? 1 : 0;
  for (const byte of log) if (byte === LF) lines += 1;
  return lines;
}

/** What must hold of any input: nothing is thrown, every line is accounted for, and neither cuts nor a second worker change the result. */
export function checkReading(format: LogFormat, log: Buffer, next: () => number): Reading {
  const whole = readAll(format, [log]);
  const { counts } = whole;
  assert.equal(counts.lines, counts.rows + counts.comments + counts.malformed, 'lines = rows + comments + malformed');
  assert.equal(counts.bytes, log.length, 'every byte was read');
  assert.equal(whole.rows, counts.rows, 'every row was handed out');
  assert.equal(whole.malformedAt.length, Math.min(counts.malformed, MAX_MALFORMED_PLACES), 'places of the malformed lines');
  if (format.fromStart !== true) assert.equal(counts.lines, physicalLines(log), 'every line was counted');
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < log.length;) { const size = 1 + Math.floor(next() ** 4 * log.length); pieces.push(Uint8Array.prototype.slice.call(log, at, at + size)); at += size; }
  const cut = readAll(format, pieces);
  assert.deepEqual({ ...cut, head: '' }, { ...whole, head: '' }, `cut into ${pieces.map((piece) => piece.length).join(', ')}`);
  if (format.fromStart !== true) checkWorkers(format, log, whole, next);
  return whole;
}

/** Two workers, cut behind a line: the second knows only what the first one's head says. */
function checkWorkers(format: LogFormat, log: Buffer, whole: Reading, next: () => number): void {
  const middle = log.indexOf(LF, Math.floor(next() * log.length)) + 1;
  const first = readAll(format, [log.subarray(0, middle)]);
  const second = readAll(format, [log.subarray(middle)], { baseOffset: middle, head: first.head, digest: first.digest });
  const sum = Object.fromEntries(Object.keys(whole.counts).map((key) => [key, first.counts[key as keyof Reading['counts']] + second.counts[key as keyof Reading['counts']]]));
  assert.deepEqual(sum, whole.counts, `two workers, cut at ${middle}`);
  assert.equal(second.digest, whole.digest, `rows of two workers, cut at ${middle}`);
}

export interface Fuzzed { inputs: number; bytes: number; lines: number; rows: number; comments: number; malformed: number }

/** `count` mutated inputs over all formats. The first that breaks a rule ends it, with seed and input in the error. */
export function fuzz(count: number, seed: number, onProgress?: (done: number) => void): Fuzzed {
  const all = subjects();
  const next = seeded(seed);
  const sum: Fuzzed = { inputs: 0, bytes: 0, lines: 0, rows: 0, comments: 0, malformed: 0 };
  for (let i = 0; i < count; i += 1) {
    const subject = all[i % all.length] as Subject;
    const from = (of: Subject): Buffer => of.logs[Math.floor(next() * of.logs.length)] as Buffer;
    const log = mutated(from(subject), from(all[Math.floor(next() * all.length)] as Subject), next);
    try {
      const { counts } = checkReading(subject.format, log, next);
      sum.inputs += 1; sum.bytes += counts.bytes; sum.lines += counts.lines; sum.rows += counts.rows; sum.comments += counts.comments; sum.malformed += counts.malformed;
    } catch (error) {
      throw new Error(`${subject.name}, input ${i} of seed ${seed}: ${error instanceof Error ? error.message : String(error)}\n${JSON.stringify(log.toString('latin1'))}`, { cause: error });
    }
    if (i % 10_000 === 9_999) onProgress?.(i + 1);
  }
  return sum;
}
