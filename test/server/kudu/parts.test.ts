// Owns the tests of the small parts of Kudu's API: its forms of times and names, what headers ask for, and a log stream whose reader is slow.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { Response } from 'express';
import { isUnchanged, mayChange, partOf } from '../../../src/server/kudu/conditions.ts';
import { LogText } from '../../../src/server/kudu/log-text.ts';
import { quietText } from '../../../src/server/kudu/log-stream.ts';
import { mediaTypeOf } from '../../../src/server/kudu/media.ts';
import { bare, fileWord, second, stamp, timeSpan } from '../../../src/server/kudu/shape.ts';

const AT = Date.parse('2026-11-21T09:08:07.650Z');

test('times, spans and names are written as .NET and Kudu write them', () => {
  for (const [ms, wanted] of [[0, '00:00:00.0000000'], [1.5, '00:00:00.0015000'], [3_723_004, '01:02:03.0040000'], [90_061_000, '1.01:01:01.0000000']] as const) assert.equal(timeSpan(ms), wanted);
  assert.deepEqual([second(AT), stamp(AT)], ['2026-11-21T09:08:07', '11-21-09-08-07']);
  assert.deepEqual(bare({ a: 0, b: false, c: undefined, d: null, e: '', f: [], g: 1 }), { e: '', f: [], g: 1 });
  assert.deepEqual(['w3wp.exe', 'my app"\r\n.exe', '🚀'].map(fileWord), ['w3wp', 'my_app_', '_']);
  assert.deepEqual(['a.LOG', 'b.unknown', 'constructor', 'x.constructor', '.json'].map(mediaTypeOf), ['text/plain', 'application/octet-stream', 'application/octet-stream', 'application/octet-stream', 'application/json']);
  assert.deepEqual([60_000, 119_999, 7_200_000].map(quietText), ['No new trace in the past 1 min(s).', 'No new trace in the past 1 min(s).', 'No new trace in the past 120 min(s).']);
});

test('versions: the very tag or a star, never a weak one', () => {
  const etag = '"a,b"';
  for (const [header, wanted] of [[undefined, undefined], ['"a,b"', true], ['"x", "a,b"', true], ['*', true], ['W/"a,b"', false], ['"A,B"', false], ['', false], ['a,b', false]] as const) assert.equal(mayChange(header === undefined ? {} : { 'if-match': header }, etag), wanted, String(header));
  const version = { etag, modifiedAt: AT };
  for (const [headers, wanted] of [
    [{ 'if-none-match': 'W/"a,b"' }, true], [{ 'if-none-match': '"x"', 'if-modified-since': new Date(AT).toUTCString() }, false],
    [{ 'if-modified-since': new Date(AT).toUTCString() }, true], [{ 'if-modified-since': new Date(AT - 1_000).toUTCString() }, false], [{ 'if-modified-since': 'yesterday' }, false], [{}, false],
  ] as const) assert.equal(isUnchanged(headers, version), wanted, JSON.stringify(headers));
});

test('parts: by first and last byte, of the version that is meant', () => {
  const version = { etag: '"v"', modifiedAt: AT };
  const part = (range: string, only?: string): unknown => partOf({ range, ...(only === undefined ? {} : { 'if-range': only }) }, 100, version);
  for (const [range, wanted] of [['bytes=0-0', { start: 0, end: 0 }], ['bytes=99-', { start: 99, end: 99 }], ['bytes=-200', { start: 0, end: 99 }], ['bytes=50-500', { start: 50, end: 99 }], ['bytes=100-', 'bad'], ['bytes=-0', 'bad'], ['bytes=-', 'bad'], ['bytes=5-4', 'bad'], ['bytes=x', 'bad'], ['bytes=0-1,5-6', undefined], ['lines=1-2', undefined]] as const) assert.deepEqual(part(range), wanted, range);
  assert.deepEqual(part('bytes=0-1', '"v"'), { start: 0, end: 1 });
  assert.deepEqual(part('bytes=0-1', new Date(AT).toUTCString()), { start: 0, end: 1 });
  assert.equal(part('bytes=0-1', '"other"'), undefined);
  assert.equal(partOf({ range: 'bytes=-1' }, 0, version), 'bad');
});

test('what a reader too slow loses, and what is cut, is said in the stream', () => {
  const res = new PassThrough();
  const said: string[] = [];
  const text = new LogText({ source: 's', res: res as unknown as Response, mask: (one) => one.replaceAll('hunter2', '[masked]'), now: () => AT, prefix: 'a.log: ', traced: () => { /* not looked at */ }, wrote: () => { /* not looked at */ }, say: (one) => { said.push(one); } });
  const line = (content: string, more = {}): { source: string; offset: number; cursor: string; level: 'info'; text: string } => ({ source: 's', offset: 0, cursor: '', level: 'info', text: content, ...more });
  text.batch({ items: [{ line: line('one\n  at two') }, { more: line('  at three') }, { notice: { kind: 'rotated', text: 'rotated' } }, { notice: { kind: 'lost', text: '10 KiB lost' } }], dropped: 3, droppedLines: 1_204, passed: 0, cursor: 'c' });
  text.lines([line('my hunter2', { cutBytes: 5 })]);
  assert.equal(String(res.read()), 'a.log: one\na.log:   at two\na.log:   at three\na.log: my [masked] [5 bytes of this line left out]\n');
  assert.deepEqual(said, ['10 KiB lost', '1,204 lines lost: this client takes them too slowly.']);
});
