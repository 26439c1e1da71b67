// The bundle of a real session: whole, the same bytes each time, without a secret; and its way back into a report.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { systemClock } from '../../src/platform/clock.ts';
import type { Session } from '../../src/shared/model.ts';
import { analyzers } from '../../src/analyze/analyzers/index.ts';
import { bundleFile } from '../../src/analyze/bundle.ts';
import { Manifest } from '../../src/analyze/manifest.ts';
import { smallCore, smallMinidump } from './dump/small-dumps.ts';
import { analyzeMaterial } from '../../src/analyze/offline.ts';
import { extract } from '../../src/analyze/zip.ts';
import { DiagError } from '../../src/shared/errors.ts';
import { MARKER, eventXml, httpFile, httpRow, realWorld, type RealWorld } from './real-world.ts';

const run = promisify(execFile);
const never = new AbortController().signal;
const NOW = Date.now();
let here: RealWorld;
let session: Session;

before(async () => {
  here = await realWorld({ env: { DATABASE_URL: 'postgres://app:Pg-pass-9876@db/shop' } });
  const file = await here.put(`site/wwwroot/${encodeURIComponent(MARKER)}.dat`, 'x');
  await here.victim.do('open-files', { count: 1, file });
  const rows = Array.from({ length: 200 }, (_, i) => httpRow(NOW - 200_000 + i * 1_000, { query: `token=${MARKER}&i=${i}`, cookie: `a=${MARKER}`, referer: `https://x/${MARKER}`, path: i === 150 ? `/p/${encodeURIComponent(MARKER)}` : '/cart', ...(i > 180 && { status: '502 3 12030' }) }));
  await here.put('LogFiles/http/RawLogs/a1b2c3-202611210200.log', httpFile(rows));
  await here.put('LogFiles/eventlog.xml', eventXml([{ at: NOW - 10_000, id: 1002, text: `Process '4711' crashed with exit code '1' (${MARKER})` }]));
  await here.put('site/deployments/abc/status.xml', `<deployment><id>abc</id><message>${MARKER}</message><status>Success</status></deployment>`);
  here.observed.publish({ id: 'restart:9', at: NOW, kind: 'restart', level: 'neutral', title: MARKER, detail: `{"key":${JSON.stringify(MARKER)}}` });
  await here.put('LogFiles/Application/RD0003FF-4711-stderr-1700000000000.txt', `${new Date(NOW - 9_000).toISOString()} error cannot log in as app:Pg-pass-9876 with ${MARKER}\nTypeError: boom\n    at applyVoucher (/home/site/wwwroot/lib/cart.js:41:27)\n`);
  session = await here.diagnose(['process-list', 'open-files', 'environment', 'http-logs', 'event-log', 'application-logs', 'deployments', 'node-report'].map((id) => ({ id })));
});
after(async () => { await here.close(); });

const bundle = (more: { maxDumpBytes?: number; id?: string } = {}): Promise<string> => bundleFile({ platform: here.platform, store: here.store, session: more.id ?? session.id, signal: never, ...more });
async function unpacked(zip: string): Promise<{ folder: string; manifest: Manifest; names: string[] }> {
  const folder = join(dirname(zip), `out-${Math.random().toString(36).slice(2)}`);
  const files = await extract(zip, folder, { wanted: () => true, signal: never });
  return { folder, manifest: Manifest.parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))), names: [...files.keys()] };
}

test('all of it was collected, and the report names the crash', async () => {
  assert.deepEqual(session.steps.filter((s) => s.stage === 'collect' && s.state !== 'done').map((s) => `${s.id} ${s.because}`), []);
  assert.equal(session.state, 'done');
  const report = await here.store.sessions.report(session.id);
  assert.ok(report.findings.some((f) => f.title.includes('502') || f.why.includes('502')), report.findings.map((f) => f.title).join('\n'));
});

test('the zip is whole, in a fixed order, and its manifest says what is in it to the byte', async () => {
  const zip = await bundle();
  const { folder, manifest, names } = await unpacked(zip);
  assert.deepEqual(names.slice(0, 4), ['report.html', 'report.json', 'session.json', 'steps.log']);
  assert.equal(names.at(-1), 'manifest.json');
  assert.deepEqual(manifest.files.map((f) => f.path), names.slice(0, -1));
  for (const file of manifest.files) {
    const bytes = await readFile(join(folder, file.path));
    assert.deepEqual([bytes.length, createHash('sha256').update(bytes).digest('hex'), file.note], [file.bytes, file.sha256, undefined], file.path);
  }
  assert.deepEqual(manifest.files.filter((f) => f.kind).map((f) => f.path).sort(), session.artifacts.map((a) => `${a.instance}/${a.name}`).sort());
  assert.deepEqual([manifest.session, manifest.tool.version, manifest.app.site, manifest.leftOut], [session.id, '9.9.9', 'shop', []]);
  assert.ok(manifest.masked.some((m) => m.where.endsWith('.log') && m.count > 200));
  const unzip = await run('unzip', ['-tqq', zip]).catch((error: NodeJS.ErrnoException) => { if (error.code !== 'ENOENT') throw error; return undefined; });
  if (unzip) assert.equal(unzip.stderr, '');
  assert.match(await readFile(join(folder, 'steps.log'), 'utf8'), /\tcollect\thttp-logs\tdone\t[^\t]+\t200 requests\n/);
});

test('no secret is in any file of it: not from environment, query, cookie, path, logs, events, deployments, node report', async () => {
  const { folder, names } = await unpacked(await bundle());
  const forms = [MARKER, encodeURIComponent(MARKER), JSON.stringify(MARKER).slice(1, -1), decodeURIComponent(MARKER), 'Pg-pass-9876'];
  for (const name of names) {
    const text = await readFile(join(folder, name), 'utf8');
    for (const form of forms) assert.ok(!text.includes(form), `${form} in ${name}: ${text.slice(Math.max(0, text.indexOf(form) - 80), text.indexOf(form) + 40)}`);
  }
  const all = (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('');
  assert.ok(all.includes('[masked]') && all.includes('applyVoucher'));
});

test('the same session gives the same bytes, however often it is made; a changed one gives a new file and the old one goes', async () => {
  const first = await bundle();
  const bytes = await readFile(first);
  assert.equal(await bundle(), first);
  await rm(first);
  const again = await Promise.all([bundle(), bundle(), bundle()]);
  assert.deepEqual(again, [first, first, first]);
  assert.deepEqual(await readFile(first), bytes);
  await here.store.sessions.save({ ...session, pinned: true });
  assert.equal(await bundle(), first);
  await here.store.sessions.save({ ...session, reason: 'another' });
  const other = await bundle();
  assert.notEqual(other, first);
  assert.deepEqual((await readdir(dirname(first))).filter((n) => n.endsWith('.zip')), [basename(other)]);
  await here.store.sessions.save(session);
  assert.deepEqual((await readdir(here.platform.host.folders.temp)).filter((n) => n.endsWith('.zip.tmp')), []);
});

test('who waits may go: the making ends when nobody waits any more, and leaves nothing', async () => {
  const zip = await bundle();
  await rm(zip);
  const leaves = new AbortController();
  const waiting = bundleFile({ platform: here.platform, store: here.store, session: session.id, signal: leaves.signal });
  leaves.abort(new Error('the client has gone'));
  await assert.rejects(waiting, /the client has gone/);
  assert.equal(await bundle(), zip);
  assert.deepEqual((await readdir(here.platform.host.folders.temp)).filter((n) => n.endsWith('.zip.tmp')), []);
});

test('a dump beyond the bound is left out, with the reason and the place to fetch it', async (t) => {
  if (!here.platform.can('memory-dump').yes) { t.skip('no dumps here'); return; }
  const dumped = await here.diagnose([{ id: 'memory-dump' }]);
  const ref = dumped.artifacts.find((a) => a.kind === 'core-dump');
  const { manifest, names } = await unpacked(await bundle({ id: dumped.id, maxDumpBytes: 1_000_000 }));
  assert.ok(!names.some((n) => n.endsWith('.dmp')));
  assert.deepEqual(manifest.leftOut.map((l) => l.what), [`${ref?.instance}/${ref?.name}`]);
  assert.match(manifest.leftOut[0]?.why ?? '', new RegExp(`more than 977 KiB: fetch it from api/sessions/${dumped.id}/artifacts/`));
});

test('no bundle of a session without a report, or of none', async () => {
  await assert.rejects(bundle({ id: '200101_0000000000' }), (e) => e instanceof DiagError && e.code === 'SESSION_UNKNOWN');
});

const offline = (paths: string[], thread?: string): ReturnType<typeof analyzeMaterial> => analyzeMaterial(paths, { thread, analyzers, toolVersion: '9.9.9', reportCss: 'body{}', clock: systemClock, temp: join(here.platform.host.folders.temp, 'offline'), signal: never });

test('judged again from the bundle, from its folder and from the session\'s own folder, the report has the same bytes', async () => {
  const made = JSON.stringify(await here.store.sessions.report(session.id));
  const html = await readFile(await here.store.sessions.reportPath(session.id, 'report.html'), 'utf8');
  const zip = await bundle();
  const { folder } = await unpacked(zip);
  for (const path of [zip, folder, join(here.platform.host.folders.data, 'Logs', session.id)]) {
    const again = await offline([path]);
    assert.ok(JSON.stringify(again.report) === made, path);
    assert.ok(again.html === html, path);
    assert.deepEqual(again.notes, []);
  }
  assert.deepEqual(await readdir(join(here.platform.host.folders.temp, 'offline')), []);
});

test('in worker threads the report is the same as in this thread', async () => {
  const thread = join(here.platform.host.folders.temp, 'worker.cjs');
  await build({ entryPoints: [join(import.meta.dirname, '../../src/analyze/worker-main.ts')], bundle: true, platform: 'node', format: 'cjs', outfile: thread, logLevel: 'error' });
  const threaded = await offline([await bundle()], thread);
  assert.deepEqual(threaded.report.steps.filter((s) => s.stage === 'analyze' && s.state === 'failed'), []);
  assert.ok(JSON.stringify(threaded.report) === JSON.stringify(await here.store.sessions.report(session.id)));
});

test('a bundle that was changed is told; one whose manifest is not ours, or leads out of it, is refused', async () => {
  const { folder } = await unpacked(await bundle());
  const pack = async (name: string): Promise<string> => { const zip = join(dirname(folder), name); await rm(zip, { force: true }); await run('python3', ['-c', 'import shutil,sys; shutil.make_archive(sys.argv[1][:-4], "zip", sys.argv[2])', zip, folder]); return zip; };
  const log = join(folder, 'a1b2c3', 'a1b2c3-202611210200.log');
  await writeFile(log, (await readFile(log, 'utf8')).replaceAll(' 502 3 12030', ' 503 0 0'));
  const changed = await offline([await pack('changed.zip')]);
  assert.deepEqual(changed.notes, ['a1b2c3/a1b2c3-202611210200.log is not what the manifest says: it was changed']);
  const record = join(folder, 'session.json');
  const honest = JSON.parse(await readFile(record, 'utf8')) as Session;
  await writeFile(record, JSON.stringify({ ...honest, artifacts: honest.artifacts.map((a) => ({ ...a, name: '../../../../../../../../etc/passwd' })) }));
  await assert.rejects(offline([folder]), (e) => e instanceof DiagError && e.code === 'BUNDLE_UNREADABLE' && /leads out of it/.test(e.message));
  await writeFile(record, '{"version":2}');
  await assert.rejects(offline([folder]), (e) => e instanceof DiagError && e.code === 'BUNDLE_UNREADABLE' && /session\.json/.test(e.message));
});

test('plain dumps are read where they lie, whatever they are called; a program is none', async () => {
  const top = join(here.platform.host.folders.temp, 'dumps');
  await mkdir(top, { recursive: true });
  await writeFile(join(top, 'worker.core'), smallCore());
  await writeFile(join(top, 'w3wp.dmp'), smallMinidump());
  const program = smallCore();
  program.writeUInt16LE(2, 16);
  await writeFile(join(top, 'program'), program);
  const { report, notes } = await offline([top]);
  assert.deepEqual([report.artifacts.map((a) => [a.kind, a.name]), notes], [[['core-dump', 'worker.core'], ['minidump', 'w3wp.dmp']].sort((a, b) => ((a[1] as string) < (b[1] as string) ? -1 : 1)), ['program: binary']]);
  assert.deepEqual(report.findings.filter((f) => f.id.startsWith('dump-threads') || f.id.startsWith('dump-process-died')).map((f) => f.id).sort(), ['dump-process-died', 'dump-process-died-2', 'dump-threads', 'dump-threads-2']);
  assert.ok(report.window.from > 0 && report.findings.some((f) => f.evidence.some((e) => e.kind === 'table' && e.title === 'Modules')));
  const single = await offline([join(top, 'w3wp.dmp')]);
  assert.equal(single.report.artifacts.length, 1);
});

test('plain logs: each is taken for what it is, masked, and the same files give the same report wherever they lie', async () => {
  const top = join(here.platform.host.folders.temp, 'plain');
  await mkdir(join(top, 'one/http'), { recursive: true });
  const at = Date.UTC(2026, 10, 20, 5);
  await writeFile(join(top, 'one/http/u_ex261120.log'), httpFile(Array.from({ length: 100 }, (_, i) => httpRow(at + i * 1_000, { query: 'token=plain-secret', status: i > 90 ? '502 3 12030' : '200 0 0' }))));
  await writeFile(join(top, 'one/eventlog.xml'), eventXml([{ at: at + 91_000, id: 1002, text: 'Process crashed, password=plain-secret' }]));
  await writeFile(join(top, 'one/stderr.txt'), `${new Date(at + 91_000).toISOString()} error password=plain-secret\nTypeError: boom\n    at f (/home/site/wwwroot/a.js:1:1)\n`);
  await writeFile(join(top, 'one/picture.png'), Buffer.from([1, 2, 0, 3]));
  await writeFile(join(top, 'one/changes.json'), 'not json');
  await cp(join(top, 'one'), join(top, 'two'), { recursive: true });
  const one = await offline([join(top, 'one')]);
  const two = await offline([join(top, 'two')]);
  assert.ok(JSON.stringify(one.report) === JSON.stringify(two.report));
  assert.deepEqual(one.report.artifacts.map((a) => [a.kind, a.name, (a.masked ?? 0) > 0]), [['event-log', 'eventlog.xml', true], ['http-log', 'http_u_ex261120.log', true], ['application-log', 'stderr.txt', true]]);
  assert.deepEqual(one.notes, ['changes.json: not JSON', 'picture.png: neither a log nor a dump']);
  assert.deepEqual([one.report.window, one.report.app.site, one.report.madeAt], [{ from: at, to: at + 99_000 }, 'SHOP', at + 99_000]);
  assert.ok(!one.html.includes('plain-secret') && one.report.findings.some((f) => f.title.includes('502.3')), one.report.findings.map((f) => f.title).join('\n'));
  const single = await offline([join(top, 'one/http/u_ex261120.log')]);
  assert.equal(single.report.artifacts.length, 1);
});
