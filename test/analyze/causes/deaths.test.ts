// Owns the proof that what a dying process left is evidence: Node's own report of its end, a memory dump, a profile of the blocked loop.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ArtifactReader } from '../../../src/analyze/contracts.ts';
import { at, changes, eventLog, reader, crashedEvent } from '../artifacts.ts';
import { smallCore } from '../dump/small-dumps.ts';
import { QUIET, found, log, traffic } from './scenes.ts';

let folder = '';
before(async () => { folder = await mkdtemp(join(tmpdir(), 'deaths-')); });
after(() => rm(folder, { recursive: true, force: true }));

const onDisk = async (one: ArtifactReader, bytes: Uint8Array | string): Promise<ArtifactReader> => {
  const path = join(folder, one.ref.name);
  await writeFile(path, bytes);
  return { ...one, path };
};

test('a real report of an uncaught exception, alone, names the exception', async () => {
  await writeFile(join(folder, 'shop.cjs'), 'function total() { throw new TypeError("basket is not iterable"); }\ntotal();\n');
  const reports = await mkdtemp(join(folder, 'reports-'));
  assert.equal(spawnSync(process.execPath, ['--report-uncaught-exception', `--report-directory=${reports}`, join(folder, 'shop.cjs')], { env: { ...process.env, NODE_OPTIONS: '' } }).status, 1);
  const [name = ''] = await readdir(reports);
  const [first] = await found(reader('node-report', name, await readFile(join(reports, name))));
  assert.equal(first?.id, 'crash-uncaught-exception');
  assert.match(first.title, /TypeError: basket is not iterable/);
});

test('a report that was asked for says nothing of a death', async () => {
  const asked = { header: { processId: 7, trigger: 'GetReport', event: 'JavaScript API', dumpEventTimeStamp: String(at('02:20:00')) }, javascriptStack: { message: 'Error: JavaScript Callstack' } };
  assert.deepEqual((await found(reader('node-report', 'report.json', JSON.stringify(asked)))).map((c) => c.id), []);
});

test('a dump of the process that died says of what, where the exit alone did not', async () => {
  const rows = log(QUIET, '02:14:07 GET /cart 502.3.12030 40 x3');
  const core = await onDisk(reader('core-dump', 'app.core', 'x'), smallCore());
  const exit = changes({ id: `exit:77:${at('02:10:00')}`, at: at('02:14:07.5'), kind: 'exit', level: 'critical', title: 'Worker 77 exited', pid: 77 });
  const [without] = await found(rows, exit);
  const [first] = await found(rows, exit, core);
  assert.deepEqual([without?.id, first?.id], ['exit-unexplained', 'crash-native']);
  assert.match(first?.title ?? '', /SIGSEGV/);
  assert.equal(first?.failedRequests, 3);
});

test('a torn dump changes nothing', async () => {
  const rows = log(QUIET, '02:14:07 GET /cart 502.3.12030 40 x3');
  const torn = await onDisk(reader('core-dump', 'torn.core', 'x'), 'no dump at all');
  assert.deepEqual(await found(rows, eventLog(crashedEvent('02:14:07.5', 7)), torn), await found(rows, eventLog(crashedEvent('02:14:07.5', 7))));
});

test('a profile of the loop that stood still names the place and adds to the proof', async () => {
  const rows = log(traffic('02:10:00', '02:14:00'), traffic('02:10:01', '02:14:00', 'GET /api 200 30', 3), '02:14:06 POST /check 200 6200\n02:14:06 GET / 200 4100\n02:14:06 GET /api 200 2300\n02:14:06 GET / 200 1200', traffic('02:14:07', '02:25:00'));
  const call = (id: number, functionName: string, url: string, children: readonly number[]): object => ({ id, callFrame: { functionName, scriptId: '1', url, lineNumber: 11, columnNumber: 2 }, hitCount: 1, children });
  const profile = { nodes: [call(1, '(root)', '', [2, 3]), call(2, 'check', 'file:///home/site/wwwroot/lib/check.js', []), call(3, '(idle)', '', [])], startTime: 0, endTime: 2_100_000, samples: [3, ...Array.from({ length: 200 }, () => 2), 3], timeDeltas: [1_000, ...Array.from({ length: 201 }, () => 10_000)] };
  const [before0] = await found(rows);
  const [first] = await found(rows, await onDisk(reader('cpu-profile', 'node.cpuprofile', 'x'), JSON.stringify(profile)));
  assert.deepEqual([before0?.id, first?.id], ['event-loop-blocked', 'event-loop-blocked']);
  assert.match(first?.title ?? '', /check\.js:12/);
  assert.ok((first?.confidence?.score ?? 0) > (before0?.confidence?.score ?? 1));
});
