// Tests the reading of W3C bytes: any cut gives the same rows, every line is accounted for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APP_SERVICE_FIELDS, parseFields } from '../../../src/observe/http-log/fields.ts';
import { MAX_LINE_BYTES, createParser } from '../../../src/observe/http-log/parse.ts';
import type { Parser, ParserOptions, RawRow } from '../../../src/observe/http-log/parse.ts';
import { HEAD, makeLog, readNaively, row, seeded } from './support.ts';

const FROM = Date.UTC(2026, 10, 21, 1, 0, 0);

interface Read { rows: string[]; parser: Parser }
const show = (raw: RawRow): string =>
  [raw.offset, raw.at, raw.text('method'), raw.text('path'), raw.text('query'), raw.text('agent'), raw.status, raw.sub, raw.win32, raw.takenMs, raw.sentBytes, raw.receivedBytes].join('|');

function read(pieces: readonly (string | Uint8Array)[], options: Partial<ParserOptions> = {}): Read {
  const rows: string[] = [];
  const parser = createParser({ onRow: (raw) => rows.push(show(raw)), ...options });
  for (const piece of pieces) parser.write(typeof piece === 'string' ? Buffer.from(piece) : piece);
  parser.end();
  return { rows, parser };
}

test('a log cut in two at every byte gives the same rows, counts and places', () => {
  const log = Buffer.from(`\uFEFF${makeLog({ seed: 1, rows: 80, from: FROM })}${row({ at: FROM, path: '/last' })}`);
  const whole = read([log]);
  assert.ok(whole.rows.length === 81 && whole.parser.counts.malformed > 0);
  for (let at = 0; at <= log.length; at += 1) {
    const halves = read([log.subarray(0, at), log.subarray(at)]);
    assert.deepEqual(halves.rows, whole.rows, `cut at ${at}`);
    assert.deepEqual(halves.parser.counts, whole.parser.counts, `cut at ${at}`);
    assert.deepEqual(halves.parser.malformedAt, whole.parser.malformedAt, `cut at ${at}`);
  }
});

test('random pieces, down to a byte each, give the same', () => {
  const log = Buffer.from(makeLog({ seed: 11, rows: 300, from: FROM }));
  const whole = read([log]);
  for (const seed of [1, 2, 3]) {
    const next = seeded(seed);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < log.length;) {
      const size = 1 + Math.floor(next() * (seed === 1 ? 1 : 200));
      pieces.push(log.subarray(at, at + size));
      at += size;
    }
    assert.deepEqual(read(pieces).rows, whole.rows);
  }
});

test('rows, comments and malformed lines add up, and agree with a naive reader', () => {
  for (const eol of ['\n', '\r\n']) {
    const log = makeLog({ seed: 7, rows: 2_000, from: FROM, eol });
    const { rows, parser } = read([log]);
    const naive = readNaively(log);
    const { counts } = parser;
    assert.equal(counts.lines, counts.rows + counts.comments + counts.malformed);
    assert.deepEqual([counts.lines, counts.rows, counts.comments, counts.malformed], [naive.lines, naive.rows.length, naive.comments, naive.malformed]);
    assert.deepEqual(rows.map((text) => text.split('|').slice(0, 2).join('|')), naive.rows.map((one) => `${one.offset}|${one.at}`));
    assert.equal(counts.bytes, Buffer.byteLength(log));
    assert.equal(parser.malformedAt.length, Math.min(20, naive.malformed));
  }
});

test('a #Fields: line in mid-file changes the columns', () => {
  const log = [HEAD, row({ at: FROM, path: '/a', taken: 5 }), '#Fields: time-taken sc-status cs-uri-stem date time x-custom', '77 503 /b 2026-11-21 01:00:01 whatever', row({ at: FROM }), APP_SERVICE_FIELDS, row({ at: FROM, path: '/c' })].join('\n');
  const { rows, parser } = read([log]);
  assert.deepEqual(rows.map((text) => text.split('|').slice(1, 12).join('|')), [
    `${FROM}|GET|/a||Mozilla/5.0+(X11)|200|0|0|5|1000|500`, `${FROM + 1_000}||/b|||503|-1|-1|77|-1|-1`, `${FROM}|GET|/c||Mozilla/5.0+(X11)|200|0|0|10|1000|500`,
  ]);
  assert.equal(parser.counts.malformed, 1, 'the row with the old columns');
});

test('without a date column the #Date: line gives the day', () => {
  const { rows, parser } = read(['12:00:00 200\n#Fields: time sc-status\n12:00:00 200\n#Date: 2026-11-20 00:00:00\n12:00:00 200\n']);
  assert.equal(parser.counts.malformed, 2);
  assert.equal(rows[0]?.split('|')[1], String(Date.UTC(2026, 10, 20, 12)));
});

test('a log without time or status has no rows: each line is malformed', () => {
  const { parser } = read(['#Fields: date cs-method\n2026-11-21 GET\n2026-11-21 GET\n']);
  assert.deepEqual({ ...parser.counts, bytes: 0 }, { bytes: 0, lines: 3, rows: 0, comments: 1, malformed: 2 });
});

test('what is not a row is malformed, what is unusual but whole is a row', () => {
  const good = row({ at: FROM });
  const bad = [good.replace('2026-11-21', '2026-02-30'), good.replace('01:00:00', '24:00:00'), good.replace('01:00:00', '1:00:00'), good.replace(' 200 ', ' - '), good.replace(' 200 ', ' -1 '),
    good.replace(/ 10$/, ' 1.5'), good.replace(/ 10$/, ' '), good.replace(/ 10$/, ''), `${good} x`, ` ${good}`, good.replace('shop', 's\0op'), good.replace(/ 10$/, ' 1234567890123456')];
  for (const line of bad) assert.deepEqual([read([HEAD, '\n', line, '\n']).parser.counts.malformed, read([HEAD, '\n', line, '\n']).rows.length], [1, 0], JSON.stringify(line));
  const fine = [good.replace('10.0.0.1', 'fe80::1%4'), good.replace(' 200 ', ' 0 '), good.replace('01:00:00', '23:59:60'), good.replace(/ 10$/, ' -'), `\0\0\0${good}`, good.replace('/ ', '/\t ')];
  for (const line of fine) assert.deepEqual([read([HEAD, '\n', line, '\n']).parser.counts.malformed, read([HEAD, '\n', line, '\n']).rows.length], [0, 1], JSON.stringify(line));
});

test('lines of NUL bytes and empty lines count as comments', () => {
  const { parser } = read([`${HEAD}\r\n\0\0\0\n\r\n\n${row({ at: FROM })}\n\0\0\0\0`]);
  assert.deepEqual({ ...parser.counts, bytes: 0 }, { bytes: 0, lines: 9, rows: 1, comments: 8, malformed: 0 });
});

test('a line of a megabyte is a row; beyond the bound it is malformed, in any cut, and the next row is read', () => {
  const long = row({ at: FROM, path: `/${'x'.repeat(1024 * 1024)}` });
  const beyond = row({ at: FROM, path: `/${'y'.repeat(MAX_LINE_BYTES)}` });
  const log = Buffer.from([long, beyond, row({ at: FROM, path: '/next' })].join('\n'));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < log.length; at += 65_536) pieces.push(log.subarray(at, at + 65_536));
  for (const input of [[log], pieces]) {
    const { rows, parser } = read(input);
    assert.equal(rows.length, 2);
    assert.match(rows[1] ?? '', /\/next/);
    assert.deepEqual(parser.malformedAt, [Buffer.byteLength(long) + 1]);
  }
});

test('an unterminated last line is judged at the end, or left out as not yet whole', () => {
  const log = `${row({ at: FROM })}\n${row({ at: FROM, path: '/half' })}`;
  assert.equal(read([log]).rows.length, 2);
  const dropped = read([log], { dropPartial: true });
  assert.deepEqual([dropped.rows.length, dropped.parser.counts.lines], [1, 1]);
});

test('text that is not UTF-8 is read as Latin-1', () => {
  const bytes = Buffer.from(row({ at: FROM, path: '/caf\u00e9' }), 'latin1');
  assert.match(read([bytes]).rows[0] ?? '', /\/café/);
});

test('offsets count from the given place', () => {
  assert.match(read([row({ at: FROM })], { baseOffset: 1_000 }).rows[0] ?? '', /^1000\|/);
});

test('fields: unknown names are skipped, case does not matter, the first of two equal names counts', () => {
  const fields = parseFields('#Fields: TIME SC-Status foo sc-status constructor __proto__');
  assert.deepEqual([fields.columns, fields.at.time, fields.at.status, fields.at.date, fields.usable], [6, 0, 1, -1, true]);
  assert.equal(parseFields(`#Fields: ${Array.from({ length: 300 }, (_, i) => `x${i}`).join(' ')} time sc-status`).usable, false);
});
