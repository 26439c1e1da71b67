// Owns the tests of the diagnostic dump: what goes in by provider, time and size, what is masked, and that what is left out is named.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { openPromise } from 'yauzl';
import { listProviders, writeLogBundle } from '../../src/analyze/log-bundle/bundle.ts';
import { makeMasker } from '../../src/analyze/masker.ts';
import { openPlatform } from '../../src/platform/choose.ts';
import type { Platform } from '../../src/platform/platform.ts';
import { LogBundleManifest, type LogBundleQuery } from '../../src/shared/log-bundle.ts';
import { layHome, w3cRow } from '../support/agent.ts';

const never = new AbortController().signal;
const NOW = Date.parse('2026-11-21T12:00:00Z');
const SECRET = 'vaulted-value-9876';
let home: string;
let platform: Platform;

async function file(path: string, content: string | Uint8Array, agoMs = 0): Promise<void> {
  const whole = join(home, path);
  await mkdir(join(whole, '..'), { recursive: true });
  await writeFile(whole, content);
  await utimes(whole, new Date(NOW - agoMs), new Date(NOW - agoMs));
}
const timed = (agoMs: number, text: string): string => `${new Date(NOW - agoMs).toISOString()} ${text}\n`;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'log-bundle-'));
  await layHome(home, NOW);
  await utimes(join(home, 'LogFiles/Application/RD0001-4711-stderr-1700000000000.txt'), new Date(NOW - 30_000), new Date(NOW - 30_000));
  await file('LogFiles/W3SVC1234/fr000001.xml', '<failedRequest><Data Name="HeaderName">Authorization</Data><Data Name="HeaderValue">Bearer abc.def</Data></failedRequest>');
  await file('LogFiles/Application/app.log', Array.from({ length: 60 }, (_, i) => timed((60 - i) * 60_000, `info minute ${60 - i} ago key=${SECRET}`)).join(''));
  await file('LogFiles/Application/old.log', timed(9_000_000, 'info long ago'), 9_000_000);
  await file('LogFiles/Application/utf16.log', Buffer.from('\uFEFFpassword=hunter2hunter2\r\n', 'utf16le'));
  await file('LogFiles/http/RawLogs/zzz.log', `${w3cRow(NOW - 5_000, '/signin', '200.0.0', 5).replace('X-ARR-LOG-ID', 'code=querysecret1&X-ARR-LOG-ID')}\n`);
  await file('LogFiles/crashdumps/core.dmp', Buffer.from([0x4d, 0x44, 0x4d, 0x50, 0, 0, 0, 1, 2, 3]));
  await file('LogFiles/2026_11_21_RD0001_default_docker.log', timed(1_000, 'container says hello'));
  await file('site/deployments/settings.xml', '<settings><deployment><add key="DB_PASSWORD" value="deployedsecret1" /></deployment></settings>');
  await symlink('/etc/passwd', join(home, 'LogFiles/link.log'));
  platform = await openPlatform({ home, env: {}, processes: { pids: [process.pid] } });
});
after(async () => { platform.close(); await rm(home, { recursive: true, force: true }); });

async function bundle(query: LogBundleQuery = {}): Promise<{ manifest: LogBundleManifest; texts: Map<string, string> }> {
  const out = new PassThrough();
  const whole = buffer(out);
  await writeLogBundle({ out, platform, query, masker: makeMasker([{ name: 'VAULT_SECRET', value: SECRET }]), askedBy: 'me', version: 'dev', signal: never });
  const path = join(home, '..', `${basename(home)}.zip`);
  await writeFile(path, await whole);
  const zip = await openPromise(path, {});
  const texts = new Map<string, string>();
  for await (const entry of zip.eachEntry()) {
    const bytes = await buffer(await zip.openReadStreamPromise(entry));
    texts.set(entry.fileName, bytes.toString('utf8'));
    if (entry.fileName !== 'manifest.json') texts.set(`sha256:${entry.fileName}`, createHash('sha256').update(bytes).digest('hex'));
  }
  await rm(path);
  return { manifest: LogBundleManifest.parse(JSON.parse(texts.get('manifest.json') ?? '')), texts };
}

test('all of it: every file is in it with its hash, or named with the reason; no secret is', async () => {
  const { manifest, texts } = await bundle();
  for (const { path, sha256 } of manifest.files) assert.equal(texts.get(`sha256:${path}`), sha256, path);
  assert.deepEqual(Object.fromEntries(manifest.leftOut.map(({ path, why }) => [path, why])), { 'LogFiles/crashdumps/core.dmp': 'it is no text, so that secrets in it cannot be masked: fetch it by itself', 'LogFiles/link.log': 'it is a link: links are not followed' });
  const all = [...texts.values()].join('\n');
  for (const secret of [SECRET, 'abc.def', 'hunter2hunter2', 'querysecret1', 'deployedsecret1']) assert.ok(!all.includes(secret), secret);
  assert.ok(manifest.masked >= 60 + 4, String(manifest.masked));
  assert.match(texts.get('LogFiles/W3SVC1234/fr000001.xml') ?? '', /Authorization<\/Data><Data Name="HeaderValue">\[masked\]/);
  assert.match(texts.get('LogFiles/http/RawLogs/zzz.log') ?? '', /\/signin code=\[masked\]&X-ARR/);
  assert.match(manifest.files.find(({ path }) => path.endsWith('utf16.log'))?.note ?? '', /was utf-16le, written as UTF-8/);
});

test('a time: logs begin and end there, and files from before are named', async () => {
  const { manifest, texts } = await bundle({ providers: ['application-log', 'deployments'], from: NOW - 20.5 * 60_000, to: NOW - 10.5 * 60_000 });
  assert.deepEqual((texts.get('LogFiles/Application/app.log') ?? '').match(/minute \d+/g), Array.from({ length: 10 }, (_, i) => `minute ${20 - i}`));
  assert.deepEqual(manifest.asked, { providers: ['application-log', 'deployments'], from: NOW - 20.5 * 60_000, to: NOW - 10.5 * 60_000 });
  assert.ok(manifest.leftOut.some(({ path, why }) => path === 'LogFiles/Application/old.log' && /before the time/.test(why)));
  assert.deepEqual([...new Set(manifest.files.map(({ provider }) => provider))], ['application-log', 'deployments']);
});

test('a size: the newest are kept, a log is cut at its beginning, and both are said', async () => {
  await file('LogFiles/Application/large.log', Array.from({ length: 8_000 }, (_, i) => timed(1_000, `row ${i}`)).join(''), -60_000);
  const { manifest, texts } = await bundle({ providers: ['application-log'], maxBytes: 65_536 });
  const [first] = manifest.files;
  assert.equal(first?.path, 'LogFiles/Application/large.log');
  assert.match(first?.note ?? '', /^cut: the last 6\d(\.\d)? KiB of /);
  assert.ok(texts.get('LogFiles/Application/large.log')?.endsWith('row 7999\n'));
  assert.ok(manifest.files.reduce((sum, { bytes }) => sum + bytes, 0) <= 65_536);
  assert.ok(manifest.leftOut.some(({ path, why }) => path === 'LogFiles/Application/app.log' && /size that was asked for/.test(why)));
  await rm(join(home, 'LogFiles/Application/large.log'));
});

test('the providers are told with their files and bytes', async () => {
  const { providers, more } = await listProviders(platform, never);
  const files = Object.fromEntries(providers.filter((one) => one.files > 0).map(({ id, files: n }) => [id, n]));
  assert.deepEqual([files, more], [{ 'http-log': 2, 'event-log': 1, 'failed-request-traces': 1, 'application-log': 4, 'container-log': 1, deployments: 2, 'other-log': 1 }, 0]);
});
