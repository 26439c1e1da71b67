// Owns the proof that the event log is always whole, well formed, and a ring.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { SaxesParser } from 'saxes';
import { EVENTS_KEPT, eventText, openEventLog } from '../../scripts/local/eventlog.ts';

let folder: string;
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'event-log-')); });
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Parsed { readonly texts: string[]; readonly times: string[]; readonly ids: number[] }

/** Reads the file as any XML reader does; throws where it is not well formed. */
async function parsed(): Promise<Parsed> {
  const found: Parsed = { texts: [], times: [], ids: [] };
  const parser = new SaxesParser();
  let text = '';
  parser.on('error', (error) => { throw error; });
  parser.on('opentag', (tag) => {
    text = '';
    if (tag.name === 'TimeCreated') found.times.push(String(tag.attributes['SystemTime']));
  });
  parser.on('text', (piece) => { text += piece; });
  parser.on('closetag', (tag) => {
    if (tag.name === 'Data') found.texts.push(text);
    if (tag.name === 'EventRecordID') found.ids.push(Number(text));
  });
  parser.write(await readFile(join(folder, 'eventlog.xml'), 'utf8')).close();
  return found;
}

const row = (text: string) => ({ provider: 'HttpPlatformHandler', id: 1002, level: 1, text });

test('an event stands in App Service\u2019s form', () => {
  const at = Date.UTC(2024, 2, 1, 2, 18, 11, 470);
  assert.equal(eventText({ ...row("Process '5988' listening on port '21453' crashed with exit code '1'."), at }, 7, 'RD0003FF'),
    '<Event><System><Provider Name="HttpPlatformHandler"/><EventID>1002</EventID><Level>1</Level><Task>0</Task><Keywords>Keywords</Keywords>' +
    '<TimeCreated SystemTime="2024-03-01T02:18:11.470Z"/><EventRecordID>7</EventRecordID><Channel>Application</Channel><Computer>RD0003FF</Computer><Security/>' +
    "</System><EventData><Data>Process '5988' listening on port '21453' crashed with exit code '1'.</Data></EventData></Event>");
});

test('of 1005 events the last 1000 are kept, in order', async () => {
  const log = await openEventLog(folder, 'RD1');
  for (let i = 1; i <= EVENTS_KEPT + 5; i += 1) log.add(row(`event ${i}`));
  await log.flushed();
  const { texts, ids } = await parsed();
  assert.deepEqual([texts.length, texts[0], texts.at(-1), ids[0], ids.at(-1)], [1000, 'event 6', 'event 1005', 6, 1005]);
});

test('the log goes on after a restart: events stay, record ids continue', async () => {
  for (const text of ['before', 'after']) {
    const log = await openEventLog(folder, 'RD1');
    log.add(row(text));
    await log.flushed();
  }
  const { texts, ids } = await parsed();
  assert.deepEqual([texts, ids], [['before', 'after'], [1, 2]]);
});

test('hostile text stays text', async () => {
  const hostile = '</Data></Event><Event> & " \u0000\u0007\ufffe ]]> \ud800 \u2713 <!-- ';
  const log = await openEventLog(folder, 'RD1');
  log.add(row(hostile));
  await log.flushed();
  assert.deepEqual((await parsed()).texts, ['</Data></Event><Event> & " \ufffd\ufffd\ufffd ]]> \ufffd \u2713 <!-- ']);
});

test('a file that is no event log is put aside, not lost and not built on', async () => {
  await writeFile(join(folder, 'eventlog.xml'), '<Events><Event><System>cut off he');
  const log = await openEventLog(folder, 'RD1');
  log.add(row('new'));
  await log.flushed();
  assert.deepEqual((await parsed()).texts, ['new']);
  assert.equal(await readFile(join(folder, 'eventlog.prev.xml'), 'utf8'), '<Events><Event><System>cut off he');
});

test('a reader never sees half a file while events come in', async () => {
  const log = await openEventLog(folder, 'RD1');
  log.add(row('first'));
  await log.flushed();
  for (let i = 0; i < 100; i += 1) {
    log.add(row(`event ${i} ${'x'.repeat(2000)}`));
    await parsed(); // throws on half a file
  }
  await log.flushed();
  assert.equal((await parsed()).texts.length, 101);
  assert.deepEqual(await readdir(folder), ['eventlog.xml']);
});
