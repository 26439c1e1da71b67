// Owns the tests of reading eventlog.xml: whole, torn, hostile, and only when it changed.
import assert from 'node:assert/strict';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventLogFile } from '../../src/platform/event-log-file.ts';
import { parseEventLog } from '../../src/platform/parse/event-log.ts';

const AT = Date.UTC(2026, 10, 21, 2, 0, 0);
const signal = new AbortController().signal;

function event(second: number, text: string, { id = 1000, level = 1, record = second } = {}): string {
  return `<Event><System><Provider Name=".NET Runtime"/><EventID>${id}</EventID><Level>${level}</Level><Task>0</Task><Keywords>Keywords</Keywords>`
    + `<TimeCreated SystemTime="2026-11-21T02:00:${String(second).padStart(2, '0')}Z"/><EventRecordID>${record}</EventRecordID><Channel>Application</Channel>`
    + `<Computer>LW0SDWK0001</Computer><Security/></System><EventData><Data>${text}</Data></EventData></Event>`;
}

const file = (...events: readonly string[]): string => `<?xml version="1.0"?>\r\n<Events>${events.join('\r\n')}</Events>`;

test('an event gives time, id, record, provider, level, computer and its texts', () => {
  const xml = file(event(1, 'first &lt;b&gt; &amp; &#x41;</Data><Data>second', { id: 1026 }), event(2, '<![CDATA[a < b]]>', { level: 2 }), event(3, 'fine', { level: 4 }), event(4, 'none', { level: 0 }));
  assert.deepEqual(parseEventLog(xml), {
    unreadable: 0, flawed: 0, left: 0,
    rows: [
      { at: AT + 1_000, id: 1026, record: 1, provider: '.NET Runtime', level: 'error', text: 'first <b> & A\nsecond', computer: 'LW0SDWK0001' },
      { at: AT + 2_000, id: 1000, record: 2, provider: '.NET Runtime', level: 'warn', text: 'a < b', computer: 'LW0SDWK0001' },
      { at: AT + 3_000, id: 1000, record: 3, provider: '.NET Runtime', level: 'info', text: 'fine', computer: 'LW0SDWK0001' },
      { at: AT + 4_000, id: 1000, record: 4, provider: '.NET Runtime', level: 'info', text: 'none', computer: 'LW0SDWK0001' },
    ],
  });
});

test('a file cut at any byte gives exactly the events that are whole before the cut', () => {
  const events = [event(1, 'one'), event(2, 'two &amp; more'), event(3, 'three')];
  const xml = file(...events);
  for (let cut = 0; cut <= xml.length; cut += 1) {
    const whole = events.filter((one) => xml.indexOf(one) + one.length <= cut).length;
    assert.deepEqual(parseEventLog(xml.slice(0, cut)).rows.map((row) => row.record), [1, 2, 3].slice(0, whole), `cut at ${cut}`);
  }
});

test('damage in one event loses that event only', () => {
  const torn = event(2, 'two').slice(0, 80);
  const nameless = event(3, 'three').replace(/<EventID>.*?<\/EventID>/, '');
  const untimed = event(4, 'four').replace(/SystemTime="[^"]*"/, 'SystemTime="soon"');
  const read = parseEventLog(file(event(1, 'one'), torn, nameless, untimed, event(5, 'five')));
  assert.deepEqual(read.rows.map((row) => row.text), ['one', 'five']);
  assert.equal(read.unreadable, 2);
});

test('characters that XML forbids and unknown entities do not lose the event', () => {
  const read = parseEventLog(file(event(1, 'red \u001b[31m &#x1b; &secret; text')));
  assert.equal(read.rows.length, 1);
  assert.match(read.rows[0]?.text ?? '', /^red .* text$/s);
  assert.equal(read.flawed, 1);
});

test('an entity bomb and an external entity stay text', () => {
  const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>${file(event(1, '&b; &f;'))}`;
  const { rows } = parseEventLog(bomb);
  assert.equal(rows.length, 1);
  assert.doesNotMatch(rows[0]?.text ?? '', /aaaa|root:/);
});

test('texts, parts and rows are bounded, the newest rows are kept', () => {
  const long = parseEventLog(file(event(1, 'x'.repeat(200_000)), event(2, Array.from({ length: 5_000 }, (_, i) => `p${i}`).join('</Data><Data>'))));
  assert.equal(long.rows[0]?.text.length, 64 * 1024);
  assert.equal(long.rows[1]?.text.split('\n').length, 200);
  const many = parseEventLog(file(...Array.from({ length: 2_100 }, (_, i) => event(1, `n${i}`, { record: i }))));
  assert.equal(many.rows.length, 2_000);
  assert.equal(many.left, 100);
  assert.equal(many.rows[0]?.text, 'n100');
});

test('rows are in order of time, the same event in both files counts once, a time without zone is UTC', () => {
  const zoneless = event(3, 'c').replace('03Z', '03.1234567');
  const read = parseEventLog(file(event(2, 'b'), event(1, 'a')) + file(event(2, 'b'), zoneless));
  assert.deepEqual(read.rows.map((row) => [row.text, row.at - AT]), [['a', 1_000], ['b', 2_000], ['c', 3_123]]);
});

test('the file is read again only when it changed, and a missing one has no rows', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'event-log-'));
  t.after(() => rm(folder, { recursive: true }));
  const log = eventLogFile(folder);
  assert.deepEqual(await log.rows(signal), []);
  const path = join(folder, 'eventlog.xml');
  await writeFile(path, file(event(1, 'one')));
  await utimes(path, 1_000, 1_000);
  const first = await log.rows(signal);
  assert.deepEqual(first.map((row) => row.text), ['one']);
  await writeFile(path, file(event(1, 'two')));
  await utimes(path, 1_000, 1_000);
  assert.equal(await log.rows(signal), first, 'same size and time: not read again');
  await utimes(path, 1_001, 1_001);
  assert.deepEqual((await log.rows(signal)).map((row) => row.text), ['two']);
  await writeFile(join(folder, 'eventlog.prev.xml'), `\ufeff${file(event(0, 'zero'))}`);
  assert.deepEqual((await log.rows(signal)).map((row) => row.text), ['zero', 'two']);
  await rm(path);
  assert.deepEqual((await log.rows(signal)).map((row) => row.text), ['zero']);
});

test('a file in UTF-16 is read', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'event-log-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'eventlog.xml'), Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(file(event(1, 'größe')), 'utf16le')]));
  assert.deepEqual((await eventLogFile(folder).rows(signal)).map((row) => row.text), ['größe']);
});
