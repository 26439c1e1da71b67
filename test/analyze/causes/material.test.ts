// Owns the proof that foreign material is judged as it comes: logs of other servers, traces and dumps, each alone and all together, and the same bytes each time.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { analyzers } from '../../../src/analyze/analyzers/index.ts';
import { analyzeMaterial } from '../../../src/analyze/offline.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type { Report } from '../../../src/shared/model.ts';
import { never, uncaught, w3c } from '../artifacts.ts';
import { QUIET, line, nginxError, nginxRow } from './scenes.ts';

const trace = (at: string) => `<?xml version="1.0" encoding="UTF-8"?>\n<failedRequest url="https://shop.azurewebsites.net:80/export?id=3" siteId="1" appPoolId="shop" processId="5216" verb="GET" failureReason="STATUS_CODE" statusCode="502.3" triggerStatusCode="502.3" timeTaken="120041" xmlns:freb="x"><Event><System><Provider Name="WWW Server"/><EventID>0</EventID><TimeCreated SystemTime="${at}"/></System><EventData><Data Name="Headers">Authorization: Bearer abcdefghijklmnop.qrstuvwxyz0123456789.ABCDEFGHIJ</Data><Data Name="ModuleName">httpPlatformHandler</Data><Data Name="HttpStatus">502</Data><Data Name="HttpSubStatus">3</Data><Data Name="ErrorCode">The operation timed out (0x80072ee2)</Data></EventData></Event></failedRequest>`;
const JSTACK = `2026-11-21 02:14:30\nFull thread dump OpenJDK 64-Bit Server VM (17.0.9+9 mixed mode, sharing):\n\n"pool-1-thread-1" #20 prio=5 tid=0x1 nid=0x1a waiting for monitor entry\n   java.lang.Thread.State: BLOCKED (on object monitor)\n\tat A.move(A.java:31)\n\t- waiting to lock <0x000000071a> (a java.lang.Object)\n\t- locked <0x000000071b> (a java.lang.Object)\n\n"pool-1-thread-2" #21 prio=5 tid=0x2 nid=0x1b waiting for monitor entry\n   java.lang.Thread.State: BLOCKED (on object monitor)\n\tat A.move(A.java:32)\n\t- waiting to lock <0x000000071b> (a java.lang.Object)\n\t- locked <0x000000071a> (a java.lang.Object)\n\nFound one Java-level deadlock:\n=============================\n"pool-1-thread-1":\n  waiting to lock monitor 0x1 (object 0x71a, a java.lang.Object),\n  which is held by "pool-1-thread-2"\n"pool-1-thread-2":\n  waiting to lock monitor 0x2 (object 0x71b, a java.lang.Object),\n  which is held by "pool-1-thread-1"\n\nJava stack information for the threads listed above:\n`;
const EVENTS = '<Events><Event><System><Provider Name="HttpPlatformHandler"/><EventID>1002</EventID><Level>1</Level><TimeCreated SystemTime="2026-11-21T02:14:07.4Z"/><EventRecordID>1</EventRecordID><Computer>RD1</Computer></System><EventData><Data>Process \'7\' listening on port \'21453\' crashed with exit code \'1\'.</Data></EventData></Event></Events>';

/** A folder of one kind of material, and what it says first. */
const MATERIAL: readonly { readonly folder: string; readonly files: Readonly<Record<string, string>>; readonly cause: string; readonly failed: number; readonly from: string }[] = [
  { folder: 'iis', files: { 'u_ex261121.log': w3c(`${QUIET}\n02:16:00 GET /export 502.3.12002 120011\n02:17:00 GET /export 502.3.12002 120102`) }, cause: 'handler-time-limit', failed: 2, from: 'http-log' },
  { folder: 'events', files: { 'eventlog.xml': EVENTS }, cause: 'exit-unexplained', failed: 0, from: 'none' },
  { folder: 'app', files: { 'stderr.log': uncaught('/home/site/wwwroot/lib/cart.js'), 'eventlog.xml': EVENTS }, cause: 'crash-uncaught-exception', failed: 0, from: 'none' },
  { folder: 'traces', files: { 'W3SVC1/fr000001.xml': trace('2026-11-21T02:14:07.000Z'), 'W3SVC1/fr000002.xml': trace('2026-11-21T02:15:07.000Z') }, cause: 'handler-time-limit', failed: 2, from: 'traces' },
  { folder: 'nginx-error', files: { 'error.log': `${nginxError('02:14:07', 'upstream sent too big header while reading response header from upstream')}\n${nginxError('02:14:09', 'upstream sent too big header while reading response header from upstream')}\n` }, cause: 'response-header-invalid', failed: 2, from: 'error-log' },
  { folder: 'nginx', files: { 'access.log': `${Array.from({ length: 30 }, (_, i) => nginxRow(`02:14:${String(i).padStart(2, '0')}`, 'GET /', 200, 0.01)).join('\n')}\n${nginxRow('02:14:31', 'GET /slow', 504, 60.001)}\n${nginxRow('02:14:33', 'GET /slow', 504, 60.002)}\n`, 'error.log': `${nginxError('02:14:31', 'upstream timed out (110: Connection timed out) while reading response header from upstream', 'GET /slow')}\n` }, cause: 'handler-time-limit', failed: 2, from: 'http-log' },
  { folder: 'docker', files: { '2026_11_21_RD1_docker.log': `${line('02:10:01', 'INFO  - docker run -d -p 8080:8080 --name shop_0 img')}\n${line('02:13:51', 'ERROR - Container shop_0 for site shop has exited, failing site start')}\n`, '2026_11_21_RD1_default_docker.log': `${line('02:13:50', 'Error: Cannot find module \'dotenv\'')}\n` }, cause: 'startup-failure', failed: 0, from: 'none' },
  { folder: 'php', files: { 'php_errors.log': '[21-Nov-2026 02:14:07 UTC] PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) in /home/site/wwwroot/export.php on line 22\n' }, cause: 'php-fatal-error', failed: 0, from: 'none' },
  { folder: 'php-slow', files: { 'slow.log': '[21-Nov-2026 02:14:07]  [pool www] pid 4051\nscript_filename = /home/site/wwwroot/list.php\n[0x00007f3c2fc14a10] curl_exec() /home/site/wwwroot/lib/api.php:31\n' }, cause: 'slow-dependency', failed: 0, from: 'none' },
  { folder: 'java', files: { 'jstack.txt': JSTACK }, cause: 'java-deadlock', failed: 0, from: 'none' },
];

let top = '';
before(async () => {
  top = await mkdtemp(join(tmpdir(), 'material-'));
  for (const { folder, files } of MATERIAL) {
    for (const [name, text] of Object.entries(files)) {
      const path = join(top, folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
  }
});
after(async () => { await rm(top, { recursive: true, force: true }); });

async function judged(...paths: readonly string[]): Promise<Report> {
  return (await analyzeMaterial(paths, { analyzers, toolVersion: '9.9.9', reportCss: '', clock: systemClock, signal: never, temp: join(top, 'temp') })).report;
}

for (const { folder, cause, failed, from } of MATERIAL) {
  test(`${folder} alone: ${cause}`, async () => {
    const report = await judged(join(top, folder));
    const [first] = report.causes;
    assert.deepEqual([first?.verdict, first?.id, first?.failedRequests, report.accounting?.from], ['found', cause, failed, from], report.causes.filter((c) => c.verdict === 'found').map((c) => `${c.id} ${c.confidence?.score}: ${c.title}`).join('\n'));
    assert.equal(report.headline.text, first?.title);
    assert.doesNotMatch(JSON.stringify(report), /abcdefghijklmnop\.qrstuvwxyz/);
  });
}

test('all together, twice: the same bytes, several causes, and the rows of the HTTP logs are what is explained', async () => {
  const paths = MATERIAL.map(({ folder }) => join(top, folder));
  const one = await judged(...paths);
  assert.equal(JSON.stringify(await judged(...[...paths].reverse())), JSON.stringify(one));
  assert.equal(one.accounting?.from, 'http-log');
  assert.equal(one.causes[0]?.verdict, 'found');
  assert.ok(one.causes.filter((c) => c.verdict === 'found').length >= 2);
});
