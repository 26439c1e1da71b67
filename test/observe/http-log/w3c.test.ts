// Tests the reading of IIS W3C bytes: any cut gives the same rows, every line is accounted for, and the compiled loop agrees with JavaScript.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TEXT_ROLES, hashOf } from '../../../src/observe/http-log/columns.ts';
import type { Columns, LogReader, ReaderOptions } from '../../../src/observe/http-log/columns.ts';
import { APP_SERVICE_FIELDS, parseFields } from '../../../src/observe/http-log/fields.ts';
import { MAX_LINE_BYTES, iisW3c } from '../../../src/observe/http-log/w3c.ts';
import { makeLog as generate, WRITERS } from '../../support/generate-http-log.ts';
import { HEAD, makeLog, readNaively, row, seeded } from './support.ts';

const FROM = Date.UTC(2026, 10, 21, 1, 0, 0);

interface Read { rows: string[]; reader: LogReader }

function textAt(columns: Columns, role: (typeof TEXT_ROLES)[number], i: number): string {
  const { from, to, hash } = columns.text[role];
  const begin = from[i]!, end = to[i]!;
  assert.equal(hash[i], end > begin && role !== 'query' ? hashOf(columns.bytes, begin, end) : 0, `hash of ${role}`);
  const bytes = Buffer.from(columns.bytes.subarray(begin, end));
  const text = bytes.toString('utf8');
  return end <= begin ? '' : text.includes('\uFFFD') ? bytes.toString('latin1') : text;
}

function show(columns: Columns, i: number): string {
  const text = (role: (typeof TEXT_ROLES)[number]): string => textAt(columns, role, i);
  for (const role of TEXT_ROLES) text(role);
  return [columns.offset[i], columns.at[i], text('method'), text('path'), text('query'), text('agent'), columns.status[i], columns.sub[i], columns.win32[i], columns.taken[i], columns.sent[i], columns.received[i]].join('|');
}

function read(pieces: readonly (string | Uint8Array)[], options: Partial<ReaderOptions> = {}): Read {
  const rows: string[] = [];
  const reader = iisW3c.reader({ sink: (columns) => { for (let i = 0; i < columns.rows; i += 1) rows.push(show(columns, i)); }, ...options });
  for (const piece of pieces) reader.write(typeof piece === 'string' ? Buffer.from(piece) : piece);
  reader.end();
  return { rows, reader };
}

test('a log cut in two at every byte gives the same rows, counts and places', () => {
  const log = Buffer.from(`\uFEFF${makeLog({ seed: 1, rows: 40, from: FROM })}${row({ at: FROM, path: '/last' })}`);
  const whole = read([log]);
  assert.ok(whole.rows.length === 41 && whole.reader.counts.malformed > 0);
  for (let at = 0; at <= log.length; at += 1) {
    const halves = read([log.subarray(0, at), log.subarray(at)]);
    assert.deepEqual(halves.rows, whole.rows, `cut at ${at}`);
    assert.deepEqual(halves.reader.counts, whole.reader.counts, `cut at ${at}`);
    assert.deepEqual(halves.reader.malformedAt, whole.reader.malformedAt, `cut at ${at}`);
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
    const { rows, reader } = read([log]);
    const naive = readNaively(log);
    const { counts } = reader;
    assert.equal(counts.lines, counts.rows + counts.comments + counts.malformed);
    assert.deepEqual([counts.lines, counts.rows, counts.comments, counts.malformed], [naive.lines, naive.rows.length, naive.comments, naive.malformed]);
    assert.deepEqual(rows.map((text) => text.split('|').slice(0, 2).join('|')), naive.rows.map((one) => `${one.offset}|${one.at}`));
    assert.equal(counts.bytes, Buffer.byteLength(log));
    assert.equal(reader.malformedAt.length, Math.min(20, naive.malformed));
  }
});

test('a #Fields: line in mid-file changes the columns', () => {
  const log = [HEAD, row({ at: FROM, path: '/a', taken: 5 }), '#Fields: time-taken sc-status cs-uri-stem date time x-custom', '77 503 /b 2026-11-21 01:00:01 whatever', row({ at: FROM }), APP_SERVICE_FIELDS, row({ at: FROM, path: '/c' })].join('\n');
  const { rows, reader } = read([log]);
  assert.deepEqual(rows.map((text) => text.split('|').slice(1, 12).join('|')), [
    `${FROM}|GET|/a||Mozilla/5.0+(X11)|200|0|0|5|1000|500`, `${FROM + 1_000}||/b|||503|-1|-1|77|-1|-1`, `${FROM}|GET|/c||Mozilla/5.0+(X11)|200|0|0|10|1000|500`,
  ]);
  assert.equal(reader.counts.malformed, 1, 'the row with the old columns');
});

test('without a date column the #Date: line gives the day', () => {
  const { rows, reader } = read(['12:00:00 200\n#Fields: time sc-status\n12:00:00 200\n#Date: 2026-11-20 00:00:00\n12:00:00 200\n']);
  assert.equal(reader.counts.malformed, 2);
  assert.equal(rows[0]?.split('|')[1], String(Date.UTC(2026, 10, 20, 12)));
});

test('a log without time or status has no rows: each line is malformed', () => {
  const { reader } = read(['#Fields: date cs-method\n2026-11-21 GET\n2026-11-21 GET\n']);
  assert.deepEqual({ ...reader.counts, bytes: 0 }, { bytes: 0, lines: 3, rows: 0, comments: 1, malformed: 2 });
});

test('what is not a row is malformed, what is unusual but whole is a row', () => {
  const good = row({ at: FROM });
  const bad = [good.replace('2026-11-21', '2026-02-30'), good.replace('01:00:00', '24:00:00'), good.replace('01:00:00', '1:00:00'), good.replace(' 200 ', ' - '), good.replace(' 200 ', ' -1 '),
    good.replace(/ 10$/, ' 1.5'), good.replace(/ 10$/, ' '), good.replace(/ 10$/, ''), `${good} x`, ` ${good}`, good.replace('shop', 's\0op'), good.replace(/ 10$/, ' 1234567890123456')];
  for (const line of bad) assert.deepEqual([read([HEAD, '\n', line, '\n']).reader.counts.malformed, read([HEAD, '\n', line, '\n']).rows.length], [1, 0], JSON.stringify(line));
  const fine = [good.replace('10.0.0.1', 'fe80::1%4'), good.replace(' 200 ', ' 0 '), good.replace('01:00:00', '23:59:60'), good.replace(/ 10$/, ' -'), `\0\0\0${good}`, good.replace('/ ', '/\t ')];
  for (const line of fine) assert.deepEqual([read([HEAD, '\n', line, '\n']).reader.counts.malformed, read([HEAD, '\n', line, '\n']).rows.length], [0, 1], JSON.stringify(line));
});

test('lines of NUL bytes and empty lines count as comments', () => {
  const { reader } = read([`${HEAD}\r\n\0\0\0\n\r\n\n${row({ at: FROM })}\n\0\0\0\0`]);
  assert.deepEqual({ ...reader.counts, bytes: 0 }, { bytes: 0, lines: 9, rows: 1, comments: 8, malformed: 0 });
});

test('a line of a megabyte is a row; beyond the bound it is malformed, in any cut, and the next row is read', () => {
  const long = row({ at: FROM, path: `/${'x'.repeat(1024 * 1024)}` });
  const beyond = row({ at: FROM, path: `/${'y'.repeat(MAX_LINE_BYTES)}` });
  const log = Buffer.from([long, beyond, row({ at: FROM, path: '/next' })].join('\n'));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < log.length; at += 65_536) pieces.push(log.subarray(at, at + 65_536));
  for (const input of [[log], pieces]) {
    const { rows, reader } = read(input);
    assert.equal(rows.length, 2);
    assert.match(rows[1] ?? '', /\/next/);
    assert.deepEqual(reader.malformedAt, [Buffer.byteLength(long) + 1]);
  }
});

test('an unterminated last line is judged at the end, or left out as not yet whole', () => {
  const log = `${row({ at: FROM })}\n${row({ at: FROM, path: '/half' })}`;
  assert.equal(read([log]).rows.length, 2);
  const dropped = read([log], { dropPartial: true });
  assert.deepEqual([dropped.rows.length, dropped.reader.counts.lines], [1, 1]);
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

test('every row of a generated log is found with all its texts, with changing columns and damaged lines', () => {
  for (const writer of WRITERS.filter((one) => one.id === 'iis-w3c')) {
    const { bytes, truth, rows: expected } = generate(writer, { seed: 3, rows: 5_000, damagedEvery: 40, headEvery: 700, fieldChanges: true });
    let at = 0;
    const reader = iisW3c.reader({ sink: (columns) => {
      for (let i = 0; i < columns.rows; i += 1) {
        const want = expected[at++]!;
        const numbers = { offset: columns.offset[i], at: columns.at[i], status: columns.status[i], sub: columns.sub[i], win32: columns.win32[i], taken: columns.taken[i], sent: columns.sent[i], received: columns.received[i] };
        const texts = Object.fromEntries(Object.keys(want).filter((key) => !(key in numbers)).map((key) => [key, textAt(columns, key as 'path', i)]));
        assert.deepEqual({ ...numbers, ...texts }, want);
      }
    } });
    reader.write(bytes);
    reader.end();
    assert.equal(at, truth.rows);
    assert.deepEqual({ ...reader.counts }, { bytes: bytes.length, lines: truth.lines, rows: truth.rows, comments: truth.comments, malformed: truth.malformed });
  }
});

test('bytes read straight into the memory of the loop are the same as bytes written', () => {
  const log = Buffer.from(makeLog({ seed: 5, rows: 3_000, from: FROM }));
  const whole = read([log]);
  for (const size of [1, 977, 300_000]) {
    const rows: string[] = [];
    const reader = iisW3c.reader({ sink: (columns) => { for (let i = 0; i < columns.rows; i += 1) rows.push(show(columns, i)); } });
    let at = 0;
    while (reader.fill!((into) => { const took = log.copy(into.subarray(0, size), 0, at); at += took; return took; }) > 0);
    reader.end();
    assert.deepEqual(rows, whole.rows);
    assert.deepEqual(reader.counts, whole.reader.counts);
  }
});

test('a reader that begins in the middle goes on as one that was there before, with the head it is given', () => {
  const log = Buffer.from(['#Date: 2026-11-20 00:00:00', '#Fields: time sc-status cs-uri-stem', '12:00:00 200 /a', '12:00:01 503 /b', ''].join('\n'));
  const half = log.indexOf('12:00:01');
  const first = read([log.subarray(0, half)]);
  const second = read([log.subarray(half)], { baseOffset: half, head: first.reader.head ?? '' });
  assert.deepEqual([...first.rows, ...second.rows], read([log]).rows);
  assert.equal(read([log]).reader.head, '#Date: 2026-11-20\n#Fields: time sc-status cs-uri-stem');
  assert.equal(read([row({ at: FROM })]).reader.head, undefined);
});

test('a reader inside the sink of another, and one whose sink threw, disturb nobody', () => {
  const log = Buffer.from(makeLog({ seed: 9, rows: 100, from: FROM }));
  const whole = read([log]);
  const rows: string[] = [];
  const outer = iisW3c.reader({ sink: (columns) => {
    assert.deepEqual(read([log]).rows, whole.rows);
    for (let i = 0; i < columns.rows; i += 1) rows.push(show(columns, i));
  } });
  outer.write(log);
  assert.deepEqual(rows, whole.rows);
  assert.throws(() => iisW3c.reader({ sink: () => { throw new Error('full'); } }).write(log), /full/);
  assert.deepEqual(read([log]).rows, whole.rows);
});

test('short rows, more than a batch to a chunk, all come', () => {
  const log = Buffer.from(`#Fields: time sc-status date\r\n${'12:00:00 200 2026-11-20\r\n'.repeat(50_000)}`);
  let rows = 0, sum = 0;
  const reader = iisW3c.reader({ sink: (columns) => { for (let i = 0; i < columns.rows; i += 1) { rows += 1; sum += columns.status[i]!; assert.equal(columns.sub[i], -1); } } });
  reader.write(log);
  assert.deepEqual([rows, sum, reader.counts.lines], [50_000, 10_000_000, 50_001]);
});

test('numbers of any length up to fifteen digits are read exactly, and days as the calendar has them', () => {
  const one = (fields: string, line: string): Pick<Columns, 'at' | 'win32' | 'taken' | 'sent' | 'received'> => {
    let found: Columns | undefined;
    iisW3c.reader({ sink: (columns) => { found = columns; } }).write(Buffer.from(`#Fields: ${fields}\n${line}\n`));
    const { at, win32, taken, sent, received } = found!;
    return { at: at.slice(0, 1), win32: win32.slice(0, 1), taken: taken.slice(0, 1), sent: sent.slice(0, 1), received: received.slice(0, 1) };
  };
  for (const value of [7, 42, 999, 1_234, 65_536, 123_456, 9_876_543, 12_345_678, 123_456_789, 4_294_967_295, 999_999_999_999_999]) {
    const { win32, taken, sent, received } = one('date time sc-status sc-win32-status sc-bytes cs-bytes time-taken', `2026-11-20 12:00:00 200 ${value} ${value} ${value} ${value}`);
    assert.deepEqual([win32[0], sent[0], received[0], taken[0]], [value, value, value, value]);
  }
  for (let at = Date.UTC(1970, 0, 1); at < Date.UTC(2110, 0, 1); at += 86_400_000 * 13 + 3_601_000) {
    const [date, time] = new Date(at).toISOString().slice(0, 19).split('T');
    assert.equal(one('date time sc-status', `${date} ${time} 200`).at[0], at);
  }
});
