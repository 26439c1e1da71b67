// Owns the proof that rows of the event log are grouped, that known ones are explained and unknown ones are not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventLogErrors } from '../../../src/analyze/analyzers/event-log-errors.ts';
import type { ArtifactReader } from '../../../src/analyze/contracts.ts';
import { Finding } from '../../../src/shared/model.ts';
import { HOSTILE, WINDOW, at, crashedEvent, eventLog, given, never, reader, startedEvent } from '../artifacts.ts';

const run = async (...readers: ArtifactReader[]): Promise<readonly Finding[]> =>
  (await eventLogErrors.analyze(given(...readers), { window: WINDOW }, never)).map((f) => Finding.parse(f));

test('only notices, or nothing at all: good', async () => {
  assert.deepEqual((await run(eventLog(startedEvent('02:11:00', 12)))).map((f) => [f.id, f.severity, f.title]), [['event-log-quiet', 'good', 'No error among 1 event of the event log']]);
  assert.deepEqual((await run(eventLog())).map((f) => f.title), ['The event log has no event in the window']);
});

test('crashes are one finding with their number and span, newest first, rapid-fail another and critical', async () => {
  const found = await run(eventLog(crashedEvent('02:14:07', 4712), startedEvent('02:14:09', 5044), crashedEvent('02:16:21', 5044), { at: at('02:16:30'), id: 1003, text: 'Maximum rapid fail count per minute of 10 exceeded.' }));
  assert.deepEqual(found.map((f) => [f.id, f.severity, f.title]), [
    ['event-httpplatformhandler-1002', 'warning', 'HttpPlatformHandler 1002, twice: the worker process crashed, first at 02:14:07 UTC, last at 02:16:21 UTC'],
    ['event-httpplatformhandler-1003', 'critical', 'HttpPlatformHandler 1003, once: rapid-fail protection stopped the app at 02:16:30 UTC'],
  ]);
  const rows = found[0]?.evidence[0];
  assert.deepEqual(rows?.kind === 'table' && rows.rows.map((r) => r[0]), [at('02:16:21'), at('02:14:07')]);
});

const table: readonly [string, number, string, string, Finding['severity']][] = [
  ['W3SVC-WP', 2299, 'Worker process requested recycle due to \'Memory\' limit.', 'recycled-by-memory', 'warning'],
  ['IIS-Process-Monitoring', 9020, 'Worker Process requested recycle due to \'Status Code\' limit.', 'recycled-by-status-code', 'warning'],
  ['.NET Runtime', 1026, 'Application: w3wp.exe Exception Info: System.NullReferenceException', 'event-net-runtime-1026', 'critical'],
  ['Application Error', 1000, 'Faulting module name: ntdll.dll, exception code: 0xc0000005', 'event-application-error-1000', 'critical'],
  ['HttpPlatformHandler', 1000, 'Process \'7\' failed to listen on port', 'event-httpplatformhandler-1000', 'critical'],
  ['ASP.NET 4.0.30319.0', 1309, 'Event code: 3005 An unhandled exception has occurred.', 'event-asp-net-4-0-30319-0-1309', 'warning'],
  ['Contoso.Shop', 77, 'something of their own', 'event-contoso-shop-77', 'warning'],
];
for (const [provider, id, text, expected, severity] of table) {
  test(`${provider} ${id} becomes ${expected}`, async () => {
    assert.deepEqual((await run(eventLog({ at: at('02:14:00'), id, provider, text }))).map((f) => [f.id, f.severity]), [[expected, severity]]);
  });
}

test('an event log that is cut or of another form cannot tell, and does not hide the other one', async () => {
  const broken = reader('event-log', 'cut.json', '{"version":1,"rows":[{"at":');
  const other = reader('event-log', 'other.json', '{"version":1,"rows":[{"at":"yesterday"}]}');
  const found = await run(broken, other, eventLog(crashedEvent('02:14:07', 1)));
  assert.deepEqual(found.map((f) => [f.id, f.severity, f.title]), [
    ['event-httpplatformhandler-1002', 'warning', 'HttpPlatformHandler 1002, once: the worker process crashed at 02:14:07 UTC'],
    ['event-log-errors-unreadable', 'cannot-tell', '2 files could not be read'],
  ]);
  assert.deepEqual((await run(broken)).map((f) => f.severity), ['cannot-tell'], 'never good');
});

test('hostile providers and texts give safe ids, bounded findings and no control characters in titles', async () => {
  const found = await run(eventLog(...HOSTILE.map((text) => ({ at: at('02:14:00'), id: 5, provider: text, text: text.repeat(3) }))));
  assert.ok(found.length > 0);
  for (const finding of found) {
    assert.doesNotMatch(finding.title, /[\u0000-\u001f\u202e]/);
    assert.ok(finding.title.length < 400 && JSON.stringify(finding).length < 20_000, finding.id);
  }
});
